import { expect, test } from "vitest";
import { local, startTestAdmin } from "../support/admin.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { ask, connectMany, requestText } from "../support/raw-client.ts";
import { isTrueWithin } from "../support/waits.ts";

test("whoever follows gets each event from then on, numbered and with its time", async () => {
  const clock = new ManualClock();
  await using admin = await startTestAdmin({ clock });
  admin.control.tell({ type: "group-recovered", group: "app", reason: "before anybody follows" });
  await using client = await admin.follow();
  await clock.advance(1_500);

  admin.control.strike(0);

  const time = "2026-01-01T00:00:01.500Z";
  const [first, second] = [await eventOf(client), await eventOf(client)];
  expect(first).toEqual({
    id: "2",
    event: "server-down",
    data: {
      number: 2,
      time,
      type: "server-down",
      trigger: "auto",
      config: 3,
      group: "app",
      pool: "blue",
      server: "blue1",
      reason: "refused the connection (1 of 1 strikes in 5 s)",
    },
  });
  expect(second).toMatchObject({ id: "3", event: "failover", data: { number: 3, to: "green" } });
});

test("a stream has a comment every 15 s, whatever else comes, and no timer once nobody follows", async () => {
  const clock = new ManualClock();
  await using admin = await startTestAdmin({ clock });
  {
    await using client = await admin.follow();
    await clock.advance(15_000);
    await client.until(": still here\n\n");
    clock.after(15_000, () => admin.control.strike(0));
    await clock.advance(15_000);
    await client.until(": still here\n\n");
    await clock.advance(15_000);
    await client.until(": still here\n\n");
  }

  expect(await isTrueWithin(2_000, () => clock.pending === 0)).toBe(true);
});

test("a stop ends every stream in order", async () => {
  await using admin = await startTestAdmin();
  await using one = await admin.follow();
  await using two = await admin.follow();

  await admin.stop();

  expect([await one.end(), await two.end()]).toEqual(["closed", "closed"]);
  expect(one.unread).toBe("\r\n0\r\n\r\n");
});

test("only so many may follow; whoever leaves makes room", async () => {
  await using admin = await startTestAdmin();
  {
    await using clients = await connectMany(admin, 32);
    for (const client of clients.all) client.send(requestText(local({ path: "/api/v1/events" })));
    await Promise.all(clients.all.map((client) => client.until(": events from now on\n\n")));

    const [status, body] = await admin.ask("/api/v1/events");

    expect([status, body]).toMatchObject([503, { code: "OVERLOADED" }]);
    expect((await admin.ask("/livez"))[0]).toBe(200);
  }
  await using late = await admin.follow();
  admin.control.strike(0);
  expect(await eventOf(late)).toMatchObject({ event: "server-down" });
});

test("a follower that does not read is let go; the others get every event", async () => {
  await using admin = await startTestAdmin();
  await using deaf = await admin.follow();
  await using client = await admin.follow();
  deaf.pause();

  const event = { type: "all-down", group: "app", reason: "x".repeat(100_000) } as const;
  for (let n = 0; n < 200; n += 1) {
    admin.control.tell(event);
    await client.until("\n\n");
  }
  deaf.resume();

  expect(await deaf.end()).toMatch(/closed|reset/);
});

test("a follower that has not read since the last heartbeat is let go", async () => {
  const clock = new ManualClock();
  await using admin = await startTestAdmin({ clock });
  await using deaf = await admin.follow();
  deaf.pause();
  // More than the kernel keeps.
  admin.control.tell({ type: "all-down", group: "app", reason: "x".repeat(20_000_000) });
  await clock.advance(30_000);
  deaf.resume();

  expect(await deaf.end()).toMatch(/closed|reset/);
});

test("one that ends its own side is let go", async () => {
  await using admin = await startTestAdmin();
  await using client = await admin.follow();

  client.finish();

  expect(await client.end()).toBe("closed");
});

test("one that leaves with a RST hurts nobody", async () => {
  await using admin = await startTestAdmin();
  await using gone = await admin.follow();
  await using client = await admin.follow();
  gone.reset();

  for (let n = 0; n < 20; n += 1) {
    admin.control.tell({ type: "all-down", group: "app", reason: "still" });
    expect(await eventOf(client)).toMatchObject({ event: "all-down" });
  }
  expect((await ask(admin, local({ path: "/livez" })))?.status).toBe(200);
  expect(admin.errors).toEqual([]);
});

/** The next event of a stream, its chunk's size line before it left out. */
async function eventOf(client: { until(mark: string): Promise<string> }) {
  const text = await client.until("\n\n");
  const value = (name: string): string => new RegExp(`^${name}: (.*)$`, "m").exec(text)?.[1] ?? "";
  return { id: value("id"), event: value("event"), data: JSON.parse(value("data")) as unknown };
}

test("whoever comes back gets what it has missed, and is told what is kept no more", async () => {
  await using admin = await startTestAdmin();
  for (let n = 0; n < 1_002; n++) {
    admin.control.tell({ type: "all-down", group: n % 2 === 0 ? "app" : "other", reason: `${n}` });
  }
  const following = async (query: string, fields = {}): Promise<readonly string[]> => {
    await using client = await admin.followFrom(query, fields);
    const reason = `last of ${query} ${JSON.stringify(fields).length}`;
    admin.control.tell({ type: "group-recovered", group: "app", reason });
    const text = await client.until(`"reason":"${reason}"}\n\n`);
    return [
      /^: (.*)$/m.exec(text)?.[1] ?? "",
      ...Array.from(text.matchAll(/^id: (.*)$/gm), ([, id = ""]) => id),
    ];
  };

  expect(await following("?since_id=1000")).toEqual(["events since 1000", "1001", "1002", "1003"]);
  expect(await following("", { "Last-Event-ID": "1002" })).toEqual([
    "events since 1002",
    "1003",
    "1004",
  ]);
  expect(await following("?since_id=1002&group=app")).toEqual([
    "events since 1002",
    "1003",
    "1004",
    "1005",
  ]);
  expect((await following("?since_id=1"))[0]).toBe(
    "events since 1; events 2 to 5 are kept no more",
  );
  expect((await following("?since_id=9999"))[0]).toBe(
    "events since 9999; the gateway was started anew after event 9999",
  );
});
