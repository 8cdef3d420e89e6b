import { expect, test } from "vitest";
import { Collector } from "../support/collector.ts";
import { startTestGateway } from "../support/gateway.ts";
import { ask } from "../support/raw-client.ts";
import { startScriptedServer } from "../support/scripted-server.ts";
import { answer, OK } from "../support/server-script.ts";
import { until } from "../support/until.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT = "00f067aa0ba902b7";
const SERVER = 2;
const CLIENT = 3;

/** A request as it is asked, with a `traceparent` where it has one. */
function traced(flags?: string) {
  return {
    path: "/cart?token=s3cret",
    fields: {
      ...(flags !== undefined && { traceparent: `00-${TRACE}-${PARENT}-${flags}` }),
      tracestate: "shop=1",
      "User-Agent": "curl/8",
    },
  };
}

test("a request that moved on is a span with one of each attempt below it, in the client's trace", async () => {
  await using collector = await new Collector().listen();
  await using blue = await startScriptedServer([answer(503)]);
  await using green = await startScriptedServer([OK]);
  await using gateway = await startTestGateway({
    pools: { blue: [blue], green: [green] },
    pool: { green: { release: "v2" } },
    top: {
      tracing: { otlp: collector.url, headers: { "x-key": "s3cret" }, service_name: "edge" },
    },
  });

  await ask(gateway, traced("01"));
  const [exchange, first, second] = await collector.trace(TRACE, 3);

  expect(collector.problems).toEqual([]);
  expect(collector.resources[0]).toMatchObject({ "service.name": "edge" });
  expect(collector.fields[0]).toMatchObject({ "x-key": "s3cret" });
  expect(exchange).toMatchObject({
    name: "GET",
    kind: SERVER,
    parentSpanId: PARENT,
    status: { code: 0 },
    attributes: {
      "http.request.method": "GET",
      "url.path": "/cart",
      "http.response.status_code": 200,
      "user_agent.original": "curl/8",
      "understudy.group": "app",
      "understudy.pool": "green",
      "understudy.release": "v2",
    },
  });
  expect(JSON.stringify(collector.spans)).not.toContain("s3cret");
  expect(first).toMatchObject({
    kind: CLIENT,
    parentSpanId: exchange?.spanId,
    status: { code: 2, message: "answered 503: on to the next server" },
    attributes: {
      "server.address": "127.0.0.1",
      "server.port": blue.port,
      "http.response.status_code": 503,
      "error.type": "503",
      "understudy.pool": "blue",
      "understudy.decision": "next",
    },
  });
  expect(second).toMatchObject({
    kind: CLIENT,
    parentSpanId: exchange?.spanId,
    status: { code: 0 },
    attributes: {
      "server.port": green.port,
      "http.response.status_code": 200,
      "http.request.resend_count": 1,
      "understudy.pool": "green",
    },
  });
  // Each lies within the exchange, one behind the other.
  const times = [exchange, first, second].map((span) => [
    BigInt(span?.startTimeUnixNano ?? 0),
    BigInt(span?.endTimeUnixNano ?? 0),
  ]);
  const [[begin = 0n, end = 0n] = [], [, firstEnd = 0n] = [], [secondBegin = 0n] = []] = times;
  const slack = 2_000_000n;
  expect(secondBegin + slack).toBeGreaterThanOrEqual(firstEnd);
  for (const [from = 0n, to = 0n] of times) {
    expect(from + slack).toBeGreaterThanOrEqual(begin);
    expect(to).toBeLessThanOrEqual(end + slack);
  }
  // Each server hears of the span that asks it.
  const told = [blue, green].map(({ arrivals }) => arrivals[0]?.fields.get("traceparent"));
  expect(told).toEqual([first, second].map((span) => `00-${TRACE}-${span?.spanId}-01`));
  expect(green.arrivals[0]?.fields.get("tracestate")).toBe("shop=1");
});

test("without a trace of the client's one begins here, and its log line names it", async () => {
  await using collector = await new Collector().listen();
  await using blue = await startScriptedServer([OK]);
  await using gateway = await startTestGateway({
    pools: { blue: [blue] },
    top: { tracing: { otlp: collector.url, sample: "100%" } },
  });

  await ask(gateway, traced());
  await until(() => gateway.exchanges.length === 1, "it ended");
  const id = gateway.exchanges[0]?.traceId ?? "";
  const [exchange, attempt] = await collector.trace(id, 2);

  expect(exchange?.parentSpanId).toBeUndefined();
  const { fields } = blue.arrivals[0] ?? {};
  expect(fields?.get("traceparent")).toBe(`00-${id}-${attempt?.spanId}-01`);
  // It belongs to a trace that nobody has named.
  expect(fields?.get("tracestate")).toBeUndefined();
});

test("what is not sampled is continued, and sent to nobody", async () => {
  await using collector = await new Collector().listen();
  await using blue = await startScriptedServer([OK]);
  await using gateway = await startTestGateway({
    pools: { blue: [blue] },
    top: { tracing: { otlp: collector.url, sample: "100%" } },
  });

  await ask(gateway, traced("00"));
  // Whatever was sampled before has been sent once this one is there.
  await ask(gateway, traced());
  await until(() => collector.spans.length === 2, "the other trace");

  expect(blue.arrivals[0]?.fields.get("traceparent")).toBe(`00-${TRACE}-${PARENT}-00`);
  expect(collector.spans.filter(({ traceId }) => traceId === TRACE)).toEqual([]);
});

test("what the gateway answers itself is a span alone, and an error", async () => {
  await using collector = await new Collector().listen();
  await using gateway = await startTestGateway({
    pools: { blue: [{ url: "http://127.0.0.1:1" }] },
    server: { down: true },
    top: { tracing: { otlp: collector.url } },
  });

  await ask(gateway, traced("01"));
  const [exchange] = await collector.trace(TRACE, 1);

  expect(collector.spans).toHaveLength(1);
  expect(exchange).toMatchObject({
    status: { code: 2 },
    attributes: { "http.response.status_code": 502, "error.type": "NO_SERVER" },
  });
});

test("a collector that is broken costs spans, no request", async () => {
  await using collector = await new Collector().listen();
  collector.status = 400;
  await using blue = await startScriptedServer([OK]);
  await using gateway = await startTestGateway({
    pools: { blue: [blue] },
    top: { tracing: { otlp: collector.url } },
  });

  expect((await ask(gateway, traced("01")))?.status).toBe(200);
  await until(() => collector.fields.length > 0, "it was asked");
  collector.status = 200;
  await ask(gateway, traced("01"));

  expect(await collector.trace(TRACE, 2)).toHaveLength(2);
});

test("with tracing off a traceparent goes on as it is", async () => {
  await using blue = await startScriptedServer([OK]);
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });

  await ask(gateway, traced("01"));

  expect(blue.arrivals[0]?.fields.get("traceparent")).toBe(`00-${TRACE}-${PARENT}-01`);
});

test("tracing begins and ends with a reload", async () => {
  await using collector = await new Collector().listen();
  await using blue = await startScriptedServer([OK]);
  const setup = { pools: { blue: [blue] } };
  await using gateway = await startTestGateway(setup);

  await gateway.reload({ ...setup, top: { tracing: { otlp: collector.url } } });
  await ask(gateway, traced("01"));
  await collector.trace(TRACE, 2);
  await gateway.reload(setup);
  await ask(gateway, traced("01"));

  expect(collector.spans).toHaveLength(2);
});
