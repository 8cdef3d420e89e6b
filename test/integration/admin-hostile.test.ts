import { describe, expect, test } from "vitest";
import { local, startTestAdmin } from "../support/admin.ts";
import { aGroup, aPool } from "../support/failover-groups.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { ask, connectMany, connectRaw, requestText } from "../support/raw-client.ts";
import { isTrueWithin, standsStill } from "../support/waits.ts";

const SWITCH = "/api/v1/groups/app/switch";
const TO_GREEN = JSON.stringify({ to: "green" });

describe("a browser that a page of another site misuses", () => {
  test("has that page's name in Host, and is refused everything", async () => {
    await using admin = await startTestAdmin();
    const fields = { Host: "evil.test:9900" };

    const asked = await admin.ask("/api/v1/groups", { fields });
    const ordered = await admin.ask(SWITCH, { method: "POST", body: TO_GREEN, fields });

    expect([asked, ordered]).toMatchObject([
      [403, { code: "FORBIDDEN" }],
      [403, { code: "FORBIDDEN" }],
    ]);
    expect(admin.control.ordered).toEqual([]);
  });

  test("has that page's origin, and may order nothing", async () => {
    await using admin = await startTestAdmin();
    const order = async (origin: string) => {
      const fields = { Host: "localhost:9900", Origin: origin };
      return (await admin.ask(SWITCH, { method: "POST", body: TO_GREEN, fields }))[0];
    };

    expect(await order("https://evil.test")).toBe(403);
    expect(await order("null")).toBe(403);
    expect(await order("http://localhost:3000")).toBe(403);
    expect(admin.control.ordered).toEqual([]);
    expect(await order("http://localhost:9900")).toBe(200);
  });

  test("may read nothing of another origin, whatever it asks", async () => {
    await using admin = await startTestAdmin();
    const fields = { Origin: "https://evil.test" };

    const got = await ask(admin, local({ path: "/api/v1/groups", fields }));
    const asked = await ask(admin, local({ method: "OPTIONS", path: SWITCH, fields }));

    const allowed = [got, asked].map((answer) => answer?.fields.get("access-control-allow-origin"));
    expect(allowed).toEqual([undefined, undefined]);
    expect([got?.status, asked?.status]).toEqual([200, 403]);
  });
});

describe("bodies", () => {
  test.each([
    ["a body too large by its length", `Content-Length: 1000000\r\n\r\n${"x".repeat(1_000_000)}`],
    [
      "one in chunks",
      `Transfer-Encoding: chunked\r\n\r\nF4240\r\n${"x".repeat(1_000_000)}\r\n0\r\n\r\n`,
    ],
  ])("%s is answered with 413, and the connection serves on", async (_, rest) => {
    await using admin = await startTestAdmin();
    await using client = await connectRaw(admin);

    client.send(`POST /api/v1/reload HTTP/1.1\r\nHost: localhost\r\n${rest}`);

    expect((await client.answer())?.status).toBe(413);
    client.send(requestText(local({ path: "/livez" })));
    expect((await client.answer())?.status).toBe(200);
    expect(admin.control.ordered).toEqual([]);
  });

  test.each(["{", "to=green", '{"to":"green"}}', "\u0000"])("%j is 400", async (body) => {
    await using admin = await startTestAdmin();

    const answer = await admin.ask(SWITCH, { method: "POST", body });

    expect(answer).toMatchObject([
      400,
      { detail: expect.stringMatching(/^the body is not valid/) },
    ]);
  });

  test("a client that goes away within its body has ordered nothing", async () => {
    await using admin = await startTestAdmin();
    await using client = await connectRaw(admin);
    client.send("POST /api/v1/reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{");
    await admin.ask("/livez");

    client.reset();

    await admin.ask("/livez");
    expect([admin.control.ordered, admin.errors]).toEqual([[], []]);
  });
});

describe("clients that take their time", () => {
  test("one that does not end its request keeps no other waiting, and no stop", async () => {
    await using admin = await startTestAdmin();
    await using slow = await connectRaw(admin);
    await using silent = await connectRaw(admin);
    slow.send("GET /livez HTTP/1.1\r\nHost: local");

    expect((await admin.ask("/livez"))[0]).toBe(200);
    await admin.stop();

    expect([await slow.end(), await silent.end()]).toEqual(["closed", "closed"]);
  });

  test("one that never reads its answer is let go after a while", async () => {
    const clock = new ManualClock();
    const blue = aPool("blue", ...Array.from({ length: 1_000 }, () => ({})));
    await using admin = await startTestAdmin({ clock, groups: [aGroup([blue])] });
    await using client = await connectRaw(admin);
    client.pause();
    // Some 20 MB, more than the kernel keeps.
    const request = requestText(local({ path: "/api/v1/groups" }));
    for (let n = 0; n < 100; n += 1) client.send(request);
    await standsStill(() => clock.pending);
    expect(clock.pending).toBeGreaterThan(0);

    await clock.advance(10_000);
    client.resume();

    expect(await client.end()).toMatch(/closed|reset/);
    expect(client.unread.split("HTTP/1.1 200 OK").length - 1).toBeLessThan(100);
  });

  test("an order under way at the stop is given up after a moment", async () => {
    const clock = new ManualClock();
    await using admin = await startTestAdmin({ clock });
    admin.control.decide = () => new Promise(() => {});
    await using client = await connectRaw(admin);
    client.send(requestText(local({ method: "POST", path: "/api/v1/reload" })));
    expect(await isTrueWithin(5_000, () => admin.control.ordered.length > 0)).toBe(true);

    await clock.runUntil(admin.stop());

    expect(clock.now()).toBeLessThan(1_000);
    expect(await client.end()).toBe("closed");
  });

  test("one that ends its side after its order is answered", async () => {
    await using admin = await startTestAdmin();
    await using client = await connectRaw(admin);

    client.send(requestText(local({ method: "POST", path: "/api/v1/reload" })));
    client.finish();

    expect((await client.answer("POST"))?.status).toBe(200);
  });

  test("one that leaves before its order is done hurts nobody", async () => {
    await using admin = await startTestAdmin();
    let settle = (): void => {};
    admin.control.decide = () =>
      new Promise((resolve) => {
        settle = () => resolve({ ok: true, lines: [] });
      });
    await using client = await connectRaw(admin);
    client.send(requestText(local({ method: "POST", path: "/api/v1/reload" })));
    expect(await isTrueWithin(5_000, () => admin.control.ordered.length > 0)).toBe(true);

    client.reset();
    await admin.ask("/livez");
    settle();

    expect((await admin.ask("/livez"))[0]).toBe(200);
    expect(admin.errors).toEqual([]);
  });
});

test("what is no HTTP is answered as such", async () => {
  await using admin = await startTestAdmin();
  for (const bytes of ["\u0016\u0003\u0001", "GET / HTTP/1.1\r\n\r\n", "BREW / HTTP/1.1\r\n\r\n"]) {
    await using client = await connectRaw(admin);
    client.send(bytes);
    expect((await client.answer())?.status).toBe(400);
  }
  const long = await ask(admin, local({ fields: { "X-Long": "x".repeat(20_000) } }));
  expect(long?.status).toBe(431);
});

test("an upgrade is not taken up", async () => {
  await using admin = await startTestAdmin();
  const fields = { Connection: "Upgrade", Upgrade: "websocket" };

  expect((await ask(admin, local({ path: "/livez", fields })))?.status).toBe(200);
});

test("more connections than anybody needs are turned away, the first ones served", async () => {
  await using admin = await startTestAdmin();
  await using clients = await connectMany(admin, 300);
  await Promise.all(clients.all.slice(256).map((client) => client.end()));

  clients.all[0]?.send(requestText(local({ path: "/livez" })));

  expect((await clients.all[0]?.answer())?.status).toBe(200);
});
