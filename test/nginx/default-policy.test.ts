import { setInterval } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { answer, CLOSE, HANG, OK } from "../support/server-script.ts";
import { startCast } from "./cast.ts";
import { DIFFERENCES } from "./differences.ts";
import type { Gateway } from "./gateway.ts";
import { startNginx } from "./nginx.ts";
import { expectedOf, play, requestOnce } from "./play.ts";
import { startUnderstudy } from "./understudy.ts";
import { backup, NEXT, type Player } from "./vector.ts";

const startOwn = startUnderstudy("none");

describe("Understudy's own rules differ from nginx's", () => {
  test.concurrent.each(DIFFERENCES)("$title", async ({ players, rules, ...steps }) => {
    const vector = { id: "", title: "", players, rules };

    const nginx = await play({ ...vector, steps: steps.nginx }, startNginx);
    const own = await play({ ...vector, steps: steps.own }, startOwn);

    expect({ nginx, own }).toEqual({
      nginx: expectedOf(steps.nginx),
      own: expectedOf(steps.own),
    });
  });
});

describe("a server that was taken out", () => {
  const SOON = { failTimeout: "300ms" };

  test.concurrent("is tried by a check, not by a client's request", async () => {
    const players: Player[] = [{ part: [answer(503)], ...SOON }, backup([OK])];
    await using cast = await startCast(players);
    await using gateway = await startOwn({ servers: cast.facts, rules: NEXT.listed });

    const before = await requestOnce("GET", gateway, "/1");
    await cast.checked("A");
    const later = await requestOnce("GET", gateway, "/2");

    expect({ before, later, ofA: cast.pathsOf("A") }).toEqual({
      before: "200 B",
      later: "200 B",
      ofA: ["/1"],
    });
  });

  test.concurrent("is back once a check has passed", async () => {
    const players: Player[] = [{ part: [answer(503), OK], ...SOON }, backup([OK])];
    await using cast = await startCast(players);
    await using gateway = await startOwn({ servers: cast.facts, rules: NEXT.listed });

    const before = await requestOnce("GET", gateway, "/1");
    await cast.checked("A");

    expect(before).toBe("200 B");
    await untilAnswered("200 A", gateway);
  });

  test.concurrent("stays when a request from before its recovery fails", async () => {
    const players: Player[] = [{ part: [HANG, CLOSE, OK], check: OK, ...SOON }, backup([OK])];
    await using cast = await startCast(players);
    await using gateway = await startOwn({ servers: cast.facts, rules: NEXT.listed });

    const old = requestOnce("POST", gateway, "/old");
    await cast.received("/old");
    const whileUp = await requestOnce("GET", gateway, "/1");
    await untilAnswered("200 A", gateway);

    expect(whileUp).toBe("200 B");
    expect(await old).toBe("504 gateway");
    expect(await requestOnce("GET", gateway, "/2")).toBe("200 A");
  });
});

describe("a name that does not resolve", () => {
  const players: Player[] = [{ part: "nameless" }, backup([OK])];

  test.concurrent("keeps nginx from starting", async () => {
    await using cast = await startCast(players);

    const start = startNginx({ servers: cast.facts, rules: NEXT.listed });

    await expect(start).rejects.toThrow("host not found in upstream");
  });

  test.concurrent("is a server that is not available yet to Understudy", async () => {
    await using cast = await startCast(players);
    await using gateway = await startOwn({ servers: cast.facts, rules: NEXT.listed });

    expect(await requestOnce("GET", gateway, "/1")).toBe("200 B");
  });
});

/** Asks every now and then until this comes back; the test's time limit ends it otherwise. */
async function untilAnswered(wanted: string, gateway: Gateway): Promise<void> {
  for await (const _ of setInterval(20)) {
    if ((await requestOnce("GET", gateway, "/again")) === wanted) return;
  }
}
