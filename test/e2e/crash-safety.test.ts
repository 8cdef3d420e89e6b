import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { z } from "zod";
import { GatewayHome } from "../support/gateway-home.ts";
import { Random } from "../support/random.ts";
import { startScriptedServer } from "../support/scripted-server.ts";
import { OK } from "../support/server-script.ts";

/** How often everything is killed, and how many of these gateways have a worker of their own. */
const KILLS = 200;
const WITH_WORKERS = 20;
/** Within so many milliseconds after an order was given; a switch takes about 20. */
const LATEST_MS = 40;

const CLOSE = { openAtEnd: "close" } as const;
const STATUS = z.object({ primary: z.string(), active: z.string() });
const STATE = z.object({
  version: z.literal(1),
  groups: z.record(z.string(), z.object({ primary: z.object({ name: z.string() }).optional() })),
});
const DONE = z.object({ saved: z.literal(true) });

test(`after each of ${KILLS} kills at random moments of a switch the state is before or after it`, async ({
  annotate,
}) => {
  const random = new Random(6);
  await using blue = await startScriptedServer([OK], { name: "blue", ...CLOSE });
  await using green = await startScriptedServer([OK], { name: "green", ...CLOSE });
  const groups = { app: { pools: { blue: urlOf(blue), green: urlOf(green) } } };
  await using single = new GatewayHome({ workers: 0, groups });
  await using withWorker = new GatewayHome({ workers: 1, groups });
  const seen = { before: 0, after: 0, acknowledged: 0, broken: [] as string[] };

  for (let n = 0; n < KILLS; n++) {
    const home = n < WITH_WORKERS ? withWorker : single;
    await home.start();
    const before = await primaryOf(home);
    const to = before === "blue" ? "green" : "blue";
    const order = home.order("switch", { to }).catch(() => undefined);
    await pause(random.next() * LATEST_MS);
    await home.kill();
    const isAcknowledged = DONE.safeParse(await order).success;

    const after = savedPrimary(home);
    if (after === to) seen.after += 1;
    else if (after === before) seen.before += 1;
    if (isAcknowledged) seen.acknowledged += 1;
    const isRight = isAcknowledged ? after === to : after === to || after === before;
    if (!isRight) seen.broken.push(`kill ${n}: ${before} -> ${to}, then ${after}`);
  }
  await single.start();
  await withWorker.start();

  await annotate(JSON.stringify(seen));
  expect(seen.broken).toEqual([]);
  expect([seen.before > 0, seen.after > 0, seen.acknowledged > 0]).toEqual([true, true, true]);
  for (const home of [single, withWorker]) {
    expect(await primaryOf(home)).toBe(savedPrimary(home));
    expect(home.told).not.toContain("state-unreadable");
    expect(home.files.filter((file) => /unreadable|tmp/.test(file))).toEqual([]);
  }
}, 300_000);

/** What the gateway goes by that has just started; it has told nothing of trouble. */
async function primaryOf(home: GatewayHome): Promise<string> {
  expect(home.told).not.toContain("state-unreadable");
  const { primary, active } = STATUS.parse(await home.says("/api/v1/groups/app"));
  expect(active).toBe(primary);
  expect(primary).toBe(savedPrimary(home));
  return primary;
}

/** As a gateway will find it; throws where the file is broken. */
function savedPrimary(home: GatewayHome): string {
  if (home.state === undefined) return "blue";
  return STATE.parse(home.state).groups["app"]?.primary?.name ?? "blue";
}

function urlOf({ port }: { readonly port: number }): string {
  return `http://127.0.0.1:${port}`;
}
