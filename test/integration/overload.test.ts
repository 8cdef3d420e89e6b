import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { storyOf } from "../support/exchange-story.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { ask, connectRaw, type RequestText, requestText } from "../support/raw-client.ts";
import { startScriptedServer } from "../support/scripted-server.ts";
import { OK } from "../support/server-script.ts";

/** The loop takes so long for each of so many turns. */
async function stallAgain(clock: ManualClock, ms: number, turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) {
    clock.stall(ms);
    await clock.advance(0);
  }
}

async function statusOf(gateway: TestGateway, request?: RequestText): Promise<number | undefined> {
  return (await ask(gateway, request))?.status;
}

test.each<[method: string, request: RequestText]>([
  ["GET", {}],
  ["POST", { method: "POST", body: "a body" }],
])(
  "while the loop is late again and again a %s gets 503 and no server is asked",
  async (_, request) => {
    const clock = new ManualClock();
    await using blue = await startScriptedServer([OK]);
    await using gateway = await startTestGateway({ pools: { blue: [blue] }, clock });
    const before = await statusOf(gateway, request);

    await stallAgain(clock, 700, 2);
    const told = await ask(gateway, request);
    await clock.advance(100);
    const after = await statusOf(gateway, request);

    expect([before, told?.status, after]).toEqual([200, 503, 200]);
    expect([told?.fields.get("retry-after"), JSON.parse(told?.body ?? "").error]).toEqual([
      "1",
      "OVERLOADED",
    ]);
    const record = await gateway.exchange(1);
    expect(storyOf(record)).toEqual([`${record.method} / 503 OVERLOADED`]);
    expect(record.why).toBe("the event loop is late (limits.loop_delay)");
    expect([gateway.happened, blue.arrivals.length]).toEqual([[], 2]);
  },
);

test("after one long stop nobody is turned away", async () => {
  const clock = new ManualClock();
  await using blue = await startScriptedServer([OK]);
  await using gateway = await startTestGateway({ pools: { blue: [blue] }, clock });
  const statuses = [await statusOf(gateway)];

  await stallAgain(clock, 3_600_000, 1);
  statuses.push(await statusOf(gateway));
  await clock.advance(100);
  statuses.push(await statusOf(gateway));

  expect(statuses).toEqual([200, 200, 200]);
});

test("limits.loop_delay: 0 turns nobody away", async () => {
  const clock = new ManualClock();
  await using blue = await startScriptedServer([OK]);
  await using gateway = await startTestGateway({
    pools: { blue: [blue] },
    top: { limits: { loop_delay: 0 } },
    clock,
  });
  await ask(gateway);

  await stallAgain(clock, 10_000, 3);

  expect(await statusOf(gateway)).toBe(200);
});

test("a connection outlives the overload, and so does what goes on", async () => {
  const clock = new ManualClock();
  await using blue = await startScriptedServer([OK, { does: "hold", status: 200 }, OK]);
  await using gateway = await startTestGateway({ pools: { blue: [blue] }, clock });
  await using client = await connectRaw(gateway);
  await using busy = await connectRaw(gateway);
  client.send(requestText({}));
  await client.answer();
  busy.send(requestText({ path: "/held" }));
  await blue.received("/held");

  await stallAgain(clock, 700, 2);
  client.send(requestText({}));
  const turnedAway = await client.answer();
  await clock.advance(100);
  client.send(requestText({}));
  const answered = await client.answer();
  blue.release();
  const held = await busy.answer();

  expect([turnedAway?.status, answered?.status, held?.status]).toEqual([503, 200, 200]);
});

test("the event log tells of each overload when it begins and, with its requests, when it ends", async () => {
  const folder = mkdtempSync(join(tmpdir(), "overload-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "events.log");
  await using blue = await startScriptedServer([OK]);
  {
    const clock = new ManualClock();
    await using gateway = await startTestGateway({
      pools: { blue: [blue] },
      top: { limits: { connections: 2 }, event_log: { file } },
      clock,
    });
    await using idle = await connectRaw(gateway);
    await using client = await connectRaw(gateway);
    for (const each of [idle, client]) each.send(requestText({}));
    await Promise.all([idle.answer(), client.answer()]);
    await ask(gateway);
    await ask(gateway);
    await stallAgain(clock, 700, 2);
    client.send(requestText({}));
    await client.answer();
  }

  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  const told = lines.map((line) => JSON.parse(line));
  expect(told.map(({ message, reason, requests }) => [message, reason, requests])).toEqual([
    ["turns requests away", FULL, undefined],
    ["turns requests away", LATE, undefined],
    ["turned requests away", FULL, 2],
    ["turned requests away", LATE, 1],
  ]);
});

const FULL = "there is no room for more connections (limits.connections)";
const LATE = "the event loop is late (limits.loop_delay)";
