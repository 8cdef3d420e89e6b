import { expect, onTestFinished, test } from "vitest";
import { Tracer } from "../../src/tracing/tracer.ts";
import { Collector } from "../support/collector.ts";
import { attemptRecord, exchangeRecord } from "../support/exchange-records.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { until } from "../support/until.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";
const ATTEMPT = "b7ad6b7169203331";

/** An exchange that is recorded: two spans. */
const RECORD = exchangeRecord({
  trace: { traceId: TRACE, parentId: undefined, spanId: SPAN, isSampled: true },
  attempts: [attemptRecord({ spanId: ATTEMPT })],
});

async function start() {
  const collector = await new Collector().listen();
  const clock = new ManualClock();
  const told: (string | undefined)[] = [];
  const tracer = new Tracer(
    { url: collector.url, headers: {}, serviceName: "edge", sample: 1 },
    { clock, tell: (trouble) => told.push(trouble) },
  );
  onTestFinished(() => collector[Symbol.asyncDispose]());
  const note = (count: number): void => {
    for (let n = 0; n < count; n++) tracer.note(RECORD);
  };
  const asked = (times: number): Promise<void> =>
    until(() => collector.fields.length >= times, `it was asked ${times} times`);
  /** Notes one exchange, and waits until the collector was asked to take it. */
  const send = async (status: number): Promise<void> => {
    collector.status = status;
    const before = collector.fields.length;
    note(1);
    await clock.advance(1_000);
    await asked(before + 1);
  };
  return { collector, clock, told, tracer, note, asked, send };
}

test("what ends within a second goes out together", async () => {
  const { collector, clock, tracer, note } = await start();

  note(21);
  await clock.advance(999);
  expect(collector.fields).toHaveLength(0);
  await clock.advance(1);
  await collector.trace(TRACE, 42);

  expect(collector.fields).toHaveLength(1);
  expect(collector.problems).toEqual([]);
  await tracer.close();
  expect(clock.pending).toBe(0);
});

test("much of it goes out at once", async () => {
  const { collector, tracer, note, send } = await start();
  await send(200);

  note(2_000);
  await collector.trace(TRACE, 2 * 1_000);

  await tracer.close();
  expect(collector.spans).toHaveLength(2 * 2_001);
  expect(collector.problems).toEqual([]);
});

test("a collector that is busy is asked again", async () => {
  const { collector, told, tracer, send } = await start();

  await send(503);
  collector.status = 200;

  expect(await collector.trace(TRACE, 2)).toHaveLength(2);
  await tracer.close();
  expect(told).toEqual([]);
});

test("that spans are not taken is told once, and so is its end", async () => {
  const { told, tracer, send } = await start();

  await send(400);
  await until(() => told.length === 1, "it was told");
  await send(403);
  await send(200);
  await until(() => told.length === 2, "its end was told");
  await send(200);
  await tracer.close();

  expect(told).toEqual(["the collector answered 400", undefined]);
});

test("for a collector that is too slow so much waits as there is room for", async () => {
  const { collector, clock, told, tracer, note, asked, send } = await start();
  await send(200);
  collector.status = undefined;
  note(1);
  await clock.advance(1_000);
  await asked(2);

  note(20_000);
  collector.status = 200;
  collector.release();
  await until(() => told.length === 1, "it was told");
  await tracer.close();

  const taken = (collector.spans.length - 2) / 2;
  expect(told[0]).toBe(`it is too slow: ${20_001 - taken} requests are lost`);
  expect(taken).toBeGreaterThan(2_000);
  expect(taken).toBeLessThan(20_000);
});

test("a collector that does not answer holds up no stop", async () => {
  const { collector, clock, told, tracer, note, asked } = await start();
  collector.status = undefined;
  note(10);
  await clock.advance(1_000);
  await asked(1);
  note(10);

  const closed = tracer.close();
  await clock.advance(1_999);
  expect(told).toEqual([]);
  await clock.advance(1);
  await closed;

  expect(clock.pending).toBe(0);
});

test("a stop sends what waits", async () => {
  const { collector, clock, tracer, note } = await start();

  note(3);
  await tracer.close();

  expect(collector.spans).toHaveLength(6);
  expect(clock.pending).toBe(0);
});
