import type { GroupState, PoolState } from "../failover/group-state.ts";
import type { ChangeTools } from "./change-group.ts";
import type { Outcome } from "./control.ts";
import type { StandbyOrder } from "./orders.ts";
import { done, refused, unknownGroup, unknownPool } from "./outcomes.ts";
import type { Standbys } from "./standbys.ts";
import { poolOf } from "./switch-target.ts";

export interface StandbyTools extends Pick<ChangeTools, "clock" | "groups"> {
  readonly standbys: Standbys;
  /** Nobody waits any more. */
  readonly signal: AbortSignal;
}

/** Starts a cold standby before it is needed, or stops it; resolves when that is done. */
export async function setStandby(
  tools: StandbyTools,
  group: string,
  order: StandbyOrder,
): Promise<Outcome> {
  const state = tools.groups.find(group);
  if (state === undefined) return unknownGroup(tools.groups, group);
  const pool = poolOf(state, order.pool);
  if (pool === undefined) return unknownPool(state, order.pool);
  if (!state.spec.pools.some(({ name, cold }) => cold && name === pool.name)) {
    return refused(`${pool.name} is no cold standby: whether it runs is not for the gateway`);
  }
  return order.action === "start"
    ? await start(tools, state, pool, order)
    : await stop(tools, state, pool, order);
}

async function start(
  tools: StandbyTools,
  { spec: { name: group } }: GroupState,
  pool: PoolState,
  { by }: StandbyOrder,
): Promise<Outcome> {
  const { clock, standbys } = tools;
  const facts = { group, pool: pool.name };
  if (pool.standby === "awake" && pool.servingSince !== undefined) {
    return done([`${pool.name} of ${group} runs already`], facts);
  }
  const began = clock.now();
  standbys.start(group, pool.name, `ordered by ${by}`);
  await untilBooted(tools, group, pool.name);
  const ms = Math.round(clock.now() - began);
  if (standbyOf(tools, group, pool.name) === "awake") {
    return done([`${pool.name} of ${group} is ready after ${ms} ms`], { ...facts, boot_ms: ms });
  }
  const why = standbys.troubleOf(group, pool.name) ?? "the gateway stops";
  return { ok: false, kind: "failed", lines: [`${pool.name} did not start: ${why}`], facts };
}

async function stop(
  { standbys }: StandbyTools,
  { spec: { name: group }, active }: GroupState,
  { name, standby, servingSince }: PoolState,
  { by, force }: StandbyOrder,
): Promise<Outcome> {
  const facts = { group, pool: name };
  if (standby === "asleep") return done([`${name} of ${group} sleeps already`], facts);
  if (active === name && servingSince !== undefined && !force) {
    return refused(`${name} serves ${group}: switch to another pool first`, facts);
  }
  const result = await standbys.sleep(group, name, `ordered by ${by}`);
  if (result.ok) return done([`${name} of ${group} sleeps`], facts);
  const line = `${name} is asked no more, but was not stopped: ${result.reason}`;
  return { ok: false, kind: "failed", lines: [line], facts };
}

/** Until it is awake, asleep again, or nobody waits any more. */
async function untilBooted(tools: StandbyTools, group: string, pool: string): Promise<void> {
  const { groups, signal } = tools;
  const over = Promise.withResolvers<undefined>();
  const look = (): void => {
    if (standbyOf(tools, group, pool) !== "booting") over.resolve(undefined);
  };
  const end = (): void => over.resolve(undefined);
  const unsubscribe = groups.subscribe(look);
  signal.addEventListener("abort", end, { once: true });
  look();
  await over.promise;
  unsubscribe();
  signal.removeEventListener("abort", end);
}

function standbyOf({ groups }: StandbyTools, group: string, pool: string) {
  const state = groups.find(group);
  return state && poolOf(state, pool)?.standby;
}
