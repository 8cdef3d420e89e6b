import { describe, expect, test } from "vitest";
import { byText, storiesOf, storyOf } from "../support/exchange-story.ts";
import { startTestGateway } from "../support/gateway.ts";
import { startHandServer } from "../support/hand-server.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { ask, connectRaw, requestText, type Answer } from "../support/raw-client.ts";
import { startScriptedServer } from "../support/scripted-server.ts";
import { answer, BAD_HEADER, CLOSE, HANG, OK, RESET } from "../support/server-script.ts";
import { holdClosedPort, holdSilentPort } from "../support/unreachable-port.ts";

const REPEATABLE = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]);
const ONCE = ["POST", "PATCH", "LOCK", "BREW"];
const METHODS = [...REPEATABLE, ...ONCE];
const WITH_BODY = new Set(["PUT", "POST", "PATCH"]);

/** One way for blue to fail; `sent`: the request was written before. */
interface Fault {
  readonly name: string;
  readonly sent: boolean;
  readonly attempt: string;
  /** What the client sees where no other server may be tried. */
  readonly told: string;
  readonly start: () => Promise<AsyncDisposable & { readonly port: number }>;
}

const FAULTS: readonly Fault[] = [
  {
    name: "refuses the connection",
    sent: false,
    attempt: "connect refused 502",
    told: "502 SERVER_FAILED",
    start: holdClosedPort,
  },
  {
    name: "does not accept the connection in time",
    sent: false,
    attempt: "connect timeout 504",
    told: "504 SERVER_TIMEOUT",
    start: holdSilentPort,
  },
  {
    name: "closes the connection before an answer",
    sent: true,
    attempt: "head closed 502",
    told: "502 SERVER_FAILED",
    start: async () => await startScriptedServer([CLOSE]),
  },
  {
    name: "resets the connection before an answer",
    sent: true,
    attempt: "head reset 502",
    told: "502 SERVER_FAILED",
    start: async () => await startScriptedServer([RESET]),
  },
  {
    name: "does not answer in time",
    sent: true,
    attempt: "head timeout 504",
    told: "504 SERVER_TIMEOUT",
    start: async () => await startScriptedServer([HANG]),
  },
  {
    name: "sends a malformed head",
    sent: true,
    attempt: "head malformed 502",
    told: "502 SERVER_FAILED",
    start: async () => await startScriptedServer([BAD_HEADER]),
  },
  {
    name: "answers 503",
    sent: true,
    attempt: "head status 503",
    told: "503",
    start: async () => await startScriptedServer([answer(503)]),
  },
];

describe("a server that", () => {
  test.each(FAULTS)("$name costs a request that may be repeated nothing", async (fault) => {
    const clock = new ManualClock();
    await using blue = await fault.start();
    await using green = await startScriptedServer([OK], { name: "green" });
    await using gateway = await startTestGateway({
      pools: { blue: [blue], green: [green] },
      server: { max_fails: 0 },
      group: { keepalive: { max_idle: 0 } },
      clock,
    });

    const answers = await clock.runUntil(
      Promise.all(METHODS.map((method) => send(gateway, method))),
    );

    const mayRepeat = (method: string): boolean => !fault.sent || REPEATABLE.has(method);
    expect(answers.map((one) => one?.status)).toEqual(
      METHODS.map((method) => (mayRepeat(method) ? 200 : Number(fault.told.slice(0, 3)))),
    );
    expect(storiesOf(gateway.exchanges)).toEqual(
      METHODS.map((method) =>
        mayRepeat(method)
          ? [
              `${method} /${method} 200`,
              `blue ${fault.attempt} counted next`,
              "green body ok 200 return",
            ]
          : [`${method} /${method} ${fault.told}`, `blue ${fault.attempt} counted return`],
      ).toSorted(byText),
    );
    expect(green.arrivals.length).toBe(METHODS.filter(mayRepeat).length);
  });

  test.each(FAULTS)("$name, as does the last, is told by the status", async (fault) => {
    const clock = new ManualClock();
    await using blue = await fault.start();
    await using green = await fault.start();
    await using gateway = await startTestGateway({
      pools: { blue: [blue], green: [green] },
      server: { max_fails: 0 },
      clock,
    });

    const answer = await clock.runUntil(send(gateway, "GET"));

    expect(answer?.status).toBe(Number(fault.told.slice(0, 3)));
    expect(storiesOf(gateway.exchanges)).toEqual([
      [
        `GET /GET ${fault.told}`,
        `blue ${fault.attempt} counted next`,
        `green ${fault.attempt} counted return`,
      ],
    ]);
  });
});

test.each(ONCE)("%s that was sent is repeated where the group allows it", async (method) => {
  await using blue = await startScriptedServer([RESET]);
  await using green = await startScriptedServer([OK], { name: "green" });
  await using gateway = await startTestGateway({
    pools: { blue: [blue], green: [green] },
    group: { next_upstream: ["error", "non_idempotent"] },
  });

  await send(gateway, method);

  expect(storiesOf(gateway.exchanges)).toEqual([
    [`${method} /${method} 200`, "blue head reset 502 counted next", "green body ok 200 return"],
  ]);
});

test.each([
  [true, "200", ["blue head reset 502 counted next", "green body ok 200 return"]],
  [false, "502 SERVER_FAILED", ["blue head reset 502 counted return"]],
])("a POST with an Idempotency-Key, trusted: %s, ends with %s", async (trusted, told, attempts) => {
  await using blue = await startScriptedServer([RESET]);
  await using green = await startScriptedServer([OK], { name: "green" });
  await using gateway = await startTestGateway({
    pools: { blue: [blue], green: [green] },
    group: { trust_idempotency_key: trusted },
  });

  await ask(gateway, { method: "POST", body: "x=1", fields: { "Idempotency-Key": "k1" } });

  expect(storyOf(await gateway.exchange())).toEqual([`POST / ${told}`, ...attempts]);
});

test("a body that was read by a server that failed reaches the next one unchanged", async () => {
  await using blue = await startScriptedServer([RESET]);
  await using green = await startScriptedServer([OK], { name: "green" });
  await using gateway = await startTestGateway({ pools: { blue: [blue], green: [green] } });

  await ask(gateway, { method: "PUT", path: "/item", body: "the body" });

  expect([...blue.arrivals, ...green.arrivals].map(({ method, body }) => [method, body])).toEqual([
    ["PUT", "the body"],
    ["PUT", "the body"],
  ]);
});

test("every server is tried at most once", async () => {
  await using first = await startScriptedServer([RESET]);
  await using second = await startScriptedServer([CLOSE]);
  await using third = await startScriptedServer([answer(503)], { name: "third" });
  await using gateway = await startTestGateway({
    pools: { blue: [first, second], green: [third] },
    server: { max_fails: 0 },
  });

  const told = await ask(gateway);

  expect([told?.status, told?.body]).toEqual([503, "third answered 503\n"]);
  expect(storyOf(await gateway.exchange())).toEqual([
    "GET / 503",
    "blue head reset 502 counted next",
    "blue head closed 502 counted next",
    "green head status 503 counted return",
  ]);
  expect([first, second, third].map((server) => server.arrivals.length)).toEqual([1, 1, 1]);
});

test("no more attempts than next_upstream.tries are made", async () => {
  await using blue = await startScriptedServer([RESET]);
  await using green = await startScriptedServer([RESET]);
  await using grey = await startScriptedServer([OK]);
  await using gateway = await startTestGateway({
    pools: { blue: [blue], green: [green], grey: [grey] },
    group: { next_upstream: { tries: 2 } },
  });

  await ask(gateway);

  expect(storyOf(await gateway.exchange())).toEqual([
    "GET / 502 SERVER_FAILED",
    "blue head reset 502 counted next",
    "green head reset 502 counted return",
  ]);
});

test("next_upstream: off moves nothing, and still counts", async () => {
  await using blue = await startScriptedServer([RESET]);
  await using green = await startScriptedServer([OK], { name: "green" });
  await using gateway = await startTestGateway({
    pools: { blue: [blue], green: [green] },
    group: { next_upstream: "off" },
  });

  await ask(gateway);
  await ask(gateway);

  expect(storiesOf(gateway.exchanges)).toEqual([
    ["GET / 200", "green body ok 200 return"],
    ["GET / 502 SERVER_FAILED", "blue head reset 502 counted return"],
  ]);
});

test("a POST to a server that answers 503 takes it out, so that the next one is spared", async () => {
  await using blue = await startScriptedServer([answer(503)], { name: "blue" });
  await using green = await startScriptedServer([OK], { name: "green" });
  await using gateway = await startTestGateway({ pools: { blue: [blue], green: [green] } });

  const first = await send(gateway, "POST");
  const second = await send(gateway, "POST");

  expect([first?.body, second?.body]).toEqual(["blue answered 503\n", "green answered 200\n"]);
  expect(gateway.happened).toEqual(["server-down blue", "failover blue -> green"]);
});

test("a 503 with Retry-After is passed on and not counted where the group respects it", async () => {
  const busy = { ...answer(503), fields: { "Retry-After": "1" } };
  await using blue = await startScriptedServer([busy], { name: "blue" });
  await using green = await startScriptedServer([OK]);
  await using gateway = await startTestGateway({
    pools: { blue: [blue], green: [green] },
    group: { respect_retry_after: true },
  });

  const told = await ask(gateway);

  expect([told?.status, told?.fields.get("retry-after")]).toEqual([503, "1"]);
  expect(storyOf(await gateway.exchange())).toEqual(["GET / 503", "blue head status 503 return"]);
  expect(gateway.happened).toEqual([]);
});

test("the last real answer is given where a later server refuses the connection", async () => {
  await using blue = await startScriptedServer([
    { does: "answer", status: 503, body: "blue is sorry", fields: { "X-Why": "deploy" } },
  ]);
  await using green = await holdClosedPort();
  await using gateway = await startTestGateway({ pools: { blue: [blue], green: [green] } });

  const told = await ask(gateway);

  expect([told?.status, told?.body, told?.fields.get("x-why")]).toEqual([
    503,
    "blue is sorry",
    "deploy",
  ]);
  expect(storyOf(await gateway.exchange())).toEqual([
    "GET / 503",
    "blue head status 503 counted next",
    "green connect refused 502 counted return",
  ]);
});

test("the last real answer is given whole also where it is longer than what is kept", async () => {
  const body = "blue is sorry. ".repeat(20_000);
  await using blue = await startScriptedServer([{ does: "answer", status: 503, body }]);
  await using green = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue], green: [green] } });
  await using client = await connectRaw(gateway);

  client.send(requestText({}));
  const second = await green.request();
  second.reset();
  const told = await client.answer();

  expect([told?.status, told?.body.length, told?.complete]).toEqual([503, body.length, true]);
  expect(told?.body === body).toBe(true);
});

test("a better answer of a later server takes the place of one that was kept", async () => {
  const body = "blue is sorry. ".repeat(20_000);
  await using blue = await startScriptedServer([{ does: "answer", status: 503, body }]);
  await using green = await startScriptedServer([OK], { name: "green" });
  await using gateway = await startTestGateway({ pools: { blue: [blue], green: [green] } });

  const told = await ask(gateway);

  expect([told?.status, told?.body]).toEqual([200, "green answered 200\n"]);
});

test("an answer that was kept and then broke off is not given", async () => {
  await using blue = await startHandServer();
  await using green = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue], green: [green] } });
  await using client = await connectRaw(gateway);

  client.send(requestText({}));
  const first = await blue.request();
  first.send("HTTP/1.1 503 Sorry\r\nContent-Length: 100\r\n\r\nhalf");
  const second = await green.request();
  first.finish();
  await first.end();
  second.reset();
  const told = await client.answer();

  expect(told?.status).toBe(502);
});

async function send(
  gateway: { readonly port: number },
  method: string,
): Promise<Answer | undefined> {
  const body = WITH_BODY.has(method) ? "x=1" : "";
  return await ask(gateway, { method, path: `/${method}`, body });
}
