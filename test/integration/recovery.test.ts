import { expect, test } from "vitest";
import { startTestGateway } from "../support/gateway.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { ask } from "../support/raw-client.ts";
import { startScriptedServer } from "../support/scripted-server.ts";
import { answer, OK, RESET, type Behaviour } from "../support/server-script.ts";
import { isTrueWithin } from "../support/waits.ts";

const LONG_HEAD = { ...answer(200), fields: { "X-Long": "x".repeat(20_000) } };

test.each<[name: string, check: Behaviour, group: object, limits: object]>([
  ["200", OK, {}, {}],
  ["a status that is not listed", answer(401), {}, {}],
  [
    "a status that is listed, but never a strike",
    answer(404),
    { next_upstream: ["error", "http_404"] },
    {},
  ],
  ["a head within limits.server_head", LONG_HEAD, {}, { server_head: "32k" }],
])("a server that answers its check with %s is back", async (_, check, group, limits) => {
  await using blue = await startScriptedServer([RESET], { name: "blue", check });
  await using green = await startScriptedServer([OK]);
  const clock = new ManualClock();
  await using gateway = await startTestGateway({
    pools: { blue: [blue], green: [green] },
    group,
    top: { limits },
    clock,
  });

  await ask(gateway);
  await clock.advance(10_000);

  expect(await isTrueWithin(5_000, () => gateway.servers[0] === "blue up")).toBe(true);
});

test.each<[name: string, check: Behaviour, limits: object]>([
  ["a listed status", answer(503), {}],
  ["a head above limits.server_head", LONG_HEAD, { server_head: "16k" }],
  ["a reset", RESET, {}],
])("a server that answers its check with %s stays down", async (_, check, limits) => {
  await using blue = await startScriptedServer([RESET], { name: "blue", check });
  await using green = await startScriptedServer([OK]);
  const clock = new ManualClock();
  await using gateway = await startTestGateway({
    pools: { blue: [blue], green: [green] },
    top: { limits },
    clock,
  });

  await ask(gateway);
  await clock.advance(10_000);
  await blue.checked();
  await blue.quiet();
  await clock.advance(100);

  expect(gateway.happened).toEqual(["server-down blue", "failover blue -> green"]);
});

test.each([
  ["another identity", "v1", "blue down"],
  ["the expected identity", "v2", "blue up"],
])(
  "after a stranger's answer a check that is answered by %s decides",
  async (_, release, expected) => {
    const stranger = { ...answer(200), fields: { "X-Release-Id": "v1" } };
    const check = { ...answer(200), fields: { "X-Release-Id": release } };
    await using blue = await startScriptedServer([stranger], { name: "blue", check });
    await using green = await startScriptedServer([OK]);
    const clock = new ManualClock();
    await using gateway = await startTestGateway({
      pools: { blue: [blue], green: [green] },
      pool: { blue: { expect_release: "v2" } },
      clock,
    });

    await ask(gateway);
    await clock.advance(10_000);
    await blue.checked();
    await blue.quiet();
    await clock.advance(100);

    expect(gateway.servers[0]).toBe(expected);
  },
);
