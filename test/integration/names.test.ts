import { expect, test } from "vitest";
import type { Lookup } from "../../src/proxy/resolver.ts";
import { storyOf } from "../support/exchange-story.ts";
import { startTestGateway } from "../support/gateway.ts";
import { startHandServer } from "../support/hand-server.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { ask, connectRaw, requestText } from "../support/raw-client.ts";
import { standsStill } from "../support/waits.ts";
import { startScriptedServer } from "../support/scripted-server.ts";
import { OK } from "../support/server-script.ts";
import { holdSilentPort } from "../support/unreachable-port.ts";

/** On loopback too, and nothing listens there. */
const NOBODY = "127.0.0.99";
const HERE = "127.0.0.1";

test("a server whose address has moved is found within the request, uncounted", async () => {
  await using blue = await startScriptedServer([OK], { name: "blue" });
  const names = new Names([NOBODY], [HERE]);
  await using gateway = await startTestGateway({
    pools: { blue: [named(blue)] },
    lookup: names.lookup,
  });

  const told = await ask(gateway, { method: "POST", body: "once" });

  expect(told?.body).toBe("blue answered 200\n");
  expect(storyOf(await gateway.exchange())).toEqual(["POST / 200", "blue body ok 200 return"]);
  expect([names.asked, gateway.happened]).toEqual([2, []]);
});

test("a server whose old address is silent is found within the request, uncounted", async () => {
  await using blue = await startScriptedServer([OK], { name: "blue" });
  await using _ = await holdSilentPort({ host: NOBODY, port: blue.port });
  const names = new Names([NOBODY], [HERE]);
  await using gateway = await startTestGateway({
    pools: { blue: [named(blue)] },
    group: { timeouts: { connect: "300ms" } },
    lookup: names.lookup,
  });

  const told = await ask(gateway, { method: "POST", body: "once" });

  expect(told?.body).toBe("blue answered 200\n");
  expect(storyOf(await gateway.exchange())).toEqual(["POST / 200", "blue body ok 200 return"]);
  expect([names.asked, gateway.happened]).toEqual([2, []]);
});

test("a server that is silent at the addresses it has had all along costs one connect timeout", async () => {
  await using blue = await startScriptedServer([OK]);
  await using _ = await holdSilentPort({ host: NOBODY, port: blue.port });
  await using green = await startScriptedServer([OK], { name: "green" });
  await using gateway = await startTestGateway({
    pools: { blue: [named(blue)], green: [green] },
    group: { timeouts: { connect: "300ms" } },
    lookup: new Names([NOBODY, HERE]).lookup,
  });

  await ask(gateway);

  const record = await gateway.exchange();
  expect(storyOf(record)).toEqual([
    "GET / 200",
    "blue connect timeout 504 counted next",
    "green body ok 200 return",
  ]);
  expect(record.attempts[0]?.addr).toBe(`${NOBODY}:${blue.port}`);
});

test("a server that refuses at all its addresses, old and new, has refused once", async () => {
  await using blue = await startScriptedServer([OK]);
  await using green = await startScriptedServer([OK], { name: "green" });
  const names = new Names([NOBODY, "127.0.0.98"], [NOBODY, "127.0.0.97"]);
  await using gateway = await startTestGateway({
    pools: { blue: [named(blue)], green: [green] },
    lookup: names.lookup,
  });

  await ask(gateway);

  const record = await gateway.exchange();
  expect(storyOf(record)).toEqual([
    "GET / 200",
    "blue connect refused 502 counted next",
    "green body ok 200 return",
  ]);
  expect(record.attempts[0]?.addr).toBe(`127.0.0.97:${blue.port}`);
});

test("the next address of a name is tried where one refuses", async () => {
  await using blue = await startScriptedServer([OK], { name: "blue" });
  await using gateway = await startTestGateway({
    pools: { blue: [named(blue)] },
    lookup: new Names([NOBODY, HERE]).lookup,
  });

  await ask(gateway);

  const record = await gateway.exchange();
  expect(storyOf(record)).toEqual(["GET / 200", "blue body ok 200 return"]);
  expect(record.attempts[0]?.addr).toBe(`${HERE}:${blue.port}`);
});

test("a server whose name is not found at the start is no server until it is found", async () => {
  const clock = new ManualClock();
  await using blue = await startScriptedServer([OK], { name: "blue" });
  await using green = await startScriptedServer([OK], { name: "green" });
  await using gateway = await startTestGateway({
    pools: { blue: [named(blue)], green: [green] },
    lookup: new Names(undefined, [HERE]).lookup,
    clock,
  });
  await clock.advance(0);

  const before = await ask(gateway);
  expect([before?.body, gateway.servers]).toEqual([
    "green answered 200\n",
    ["blue unresolved", "green up"],
  ]);

  await clock.advance(2_100);
  const after = await ask(gateway);
  expect([after?.body, gateway.servers]).toEqual(["blue answered 200\n", ["blue up", "green up"]]);
});

test.each(["GET", "POST"])(
  "a %s that waits for a name that is not found moves on",
  async (method) => {
    await using blue = await startScriptedServer([OK]);
    await using green = await startScriptedServer([OK], { name: "green" });
    const asked = Promise.withResolvers<Parameters<Lookup>[1]>();
    await using gateway = await startTestGateway({
      pools: { blue: [named(blue)], green: [green] },
      lookup: (_, done) => asked.resolve(done),
    });
    const answer = ask(gateway, { method });
    const tellLookup = await asked.promise;
    await standsStill(() => gateway.connections);
    tellLookup(Object.assign(new Error("not found"), { code: "ENOTFOUND" }), []);

    expect((await answer)?.body).toBe("green answered 200\n");
    expect(storyOf(await gateway.exchange())).toEqual([
      `${method} / 200`,
      "blue resolve refused 502 next",
      "green body ok 200 return",
    ]);
  },
);

test("an answer of the name service is used for 5 s", async () => {
  const clock = new ManualClock();
  await using blue = await startScriptedServer([OK]);
  const names = new Names([HERE]);
  await using gateway = await startTestGateway({
    pools: { blue: [named(blue)] },
    group: { keepalive: { max_idle: 0 } },
    lookup: names.lookup,
    clock,
  });

  const asked = [];
  for (const pause of [0, 2_000, 2_000, 2_000]) {
    await clock.advance(pause);
    await ask(gateway);
    asked.push(names.asked);
  }

  expect(asked).toEqual([1, 1, 1, 2]);
});

test("a name service that fails leaves the last good address in use", async () => {
  const clock = new ManualClock();
  await using blue = await startScriptedServer([OK], { name: "blue" });
  await using gateway = await startTestGateway({
    pools: { blue: [named(blue)] },
    group: { keepalive: { max_idle: 0 } },
    lookup: new Names([HERE], undefined).lookup,
    clock,
  });

  await ask(gateway);
  await clock.advance(6_000);
  const told = await ask(gateway);

  expect(told?.status).toBe(200);
});

test("a name service that hangs leaves the last good address in use", async () => {
  const clock = new ManualClock();
  await using blue = await startScriptedServer([OK], { name: "blue" });
  let isHanging = false;
  const lookup: Lookup = (_, done) => {
    if (!isHanging) done(null, [HERE]);
  };
  await using gateway = await startTestGateway({
    pools: { blue: [named(blue)] },
    group: { keepalive: { max_idle: 0 } },
    lookup,
    clock,
  });

  await ask(gateway);
  await clock.advance(6_000);
  isHanging = true;
  const told = await clock.runUntil(ask(gateway));
  const next = await clock.runUntil(ask(gateway));

  expect([told?.status, next?.status]).toEqual([200, 200]);
  expect(gateway.happened).toEqual([]);
});

test("a name service that hangs from the start is a timeout of the connection", async () => {
  const clock = new ManualClock();
  await using green = await startScriptedServer([OK], { name: "green" });
  await using gateway = await startTestGateway({
    pools: { blue: [{ url: "http://blue.test:80" }], green: [green] },
    lookup: () => {},
    clock,
  });

  await clock.runUntil(ask(gateway));

  expect(storyOf(await gateway.exchange())).toEqual([
    "GET / 200",
    "blue resolve timeout 504 counted next",
    "green body ok 200 return",
  ]);
});

test("idle connections to an address that a name no longer has are closed", async () => {
  const clock = new ManualClock();
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({
    pools: { blue: [named(blue)] },
    group: { keepalive: { idle: "60s" } },
    lookup: new Names([HERE], [NOBODY]).lookup,
    clock,
  });
  await using client = await connectRaw(gateway);
  await using other = await connectRaw(gateway);
  client.send(requestText({}));
  const first = await blue.request();
  other.send(requestText({}));
  const second = await blue.request();
  first.reply(200);
  await client.answer();

  await clock.advance(6_000);
  client.send(requestText({ method: "POST", body: "dials anew, as the old one idled too long" }));
  const told = await clock.runUntil(client.answer());
  await first.end();
  second.reply(200);
  await other.answer();

  expect(told?.status).toBe(502);
});

/** A name service whose n-th answer is scripted; later ones are the last. Undefined: not found. */
class Names {
  asked = 0;
  readonly #answers: readonly (readonly string[] | undefined)[];

  constructor(...answers: readonly (readonly string[] | undefined)[]) {
    this.#answers = answers;
  }

  readonly lookup: Lookup = (_, done) => {
    const found = this.#answers[Math.min(this.asked, this.#answers.length - 1)];
    this.asked += 1;
    const error = Object.assign(new Error("not found"), { code: "ENOTFOUND" });
    if (found === undefined) done(error, []);
    else done(null, found);
  };
}

function named(server: { readonly port: number }): { readonly url: string } {
  return { url: `http://blue.test:${server.port}` };
}
