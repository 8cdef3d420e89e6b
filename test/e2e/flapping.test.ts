import { setTimeout as pause } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { startClient } from "../../demo/strict-client.ts";
import { startDemoApp } from "../support/demo-app.ts";
import { GatewayHome } from "../support/gateway-home.ts";
import { until } from "../support/until.ts";

/** How often the primary comes and goes; each time it is there for a second, and gone for one. */
const ROUNDS = 12;
const GROUP = z.object({
  active: z.string(),
  pools: z.array(
    z.object({ name: z.string(), servers: z.array(z.object({ reason: z.string() })) }),
  ),
});

test("a primary that flaps costs no GET, and is left out after a handful of moves", async ({
  annotate,
}) => {
  await using blue = await startDemoApp("blue");
  await using green = await startDemoApp("green");
  await using home = new GatewayHome({
    workers: 2,
    groups: {
      app: {
        health: { path: "/healthz", interval: "500ms", fast_interval: "100ms" },
        pools: { blue: blue.url, green: green.url },
      },
    },
  });
  await home.start();
  const client = startClient({
    host: "127.0.0.1",
    port: home.port,
    connections: 32,
    ratePerSecond: 200,
  });
  onTestFinished(() => client.stop().then(() => {}));
  await until(() => client.summary().ok > 100, "load");

  for (let round = 0; round < ROUNDS; round++) {
    await blue.kill();
    await pause(1_000);
    await blue.start();
    await pause(1_000);
  }
  const { active, pools } = GROUP.parse(await home.says("/api/v1/groups/app"));
  const summary = await client.stop();

  const moves = home.told.match(/"event":"(?:failover|failback)"/g)?.length ?? 0;
  await annotate(`${ROUNDS} times down and up: ${moves} moves, ${summary.issued} requests`);
  expect(summary).toMatchObject({ failed: 0, unsent: 0, strayBytes: 0 });
  expect(moves).toBeGreaterThan(0);
  expect(moves).toBeLessThanOrEqual(7);
  expect(active).toBe("green");
  expect(pools.find(({ name }) => name === "blue")?.servers[0]?.reason).toMatch(/held down/);
}, 90_000);
