import type { GroupState, PoolState } from "../failover/group-state.ts";
import { quantileMs } from "../observe/duration-histogram.ts";
import { countAnswers } from "../observe/request-counts.ts";
import { addTraffic, type PoolTraffic, trafficSince } from "../observe/pool-traffic.ts";
import type { Outcome } from "./control.ts";
import type { Order } from "./orders.ts";
import { done, refused, unknownGroup } from "./outcomes.ts";
import { pauseFor } from "./pause-for.ts";
import type { StandbyTools } from "./standby-order.ts";
import type { Switches, SwitchTools } from "./switch.ts";

/** How often it is looked whether the other pool still serves, in milliseconds. */
const LOOK_MS = 250;

export interface DrillOrder extends Order {
  /** Milliseconds that the other pool serves. */
  readonly forMs: number;
}

/**
 * Fails over on purpose and back, and tells what clients saw. What was ordered before stands afterwards; a gateway that is
 * killed in between stays where it was.
 */
export async function drill(
  tools: SwitchTools,
  switches: Switches,
  group: string,
  order: DrillOrder,
): Promise<Outcome> {
  const { groups, history, settled, tell } = tools;
  const state = groups.find(group);
  if (state === undefined) return unknownGroup(groups, group);
  const from = state.active;
  const target = targetOf(state);
  if (target === undefined) return refused(`${group} has no other pool that could serve`);
  const to = target.name;
  const reason = `${from} -> ${to} for ${order.forMs / 1_000} s, ordered by ${order.by}`;
  tell({ type: "drill-began", group, reason });
  const before = state.pools.map(({ name }) => history.now(group, name));
  const outcome = await run(tools, switches, { group, from, to, ...order });
  await settled();
  const seen = inWords(before.map((one) => trafficSince(history.now(group, one.pool), one)));
  tell({ type: "drill-ended", group, reason: [...outcome.lines, seen.words].join("; ") });
  const facts = { ...outcome.facts, ...seen.facts };
  return { ...outcome, lines: [...outcome.lines, seen.words], facts };
}

interface Plan extends DrillOrder {
  readonly group: string;
  readonly from: string;
  readonly to: string;
}

async function run(tools: SwitchTools, switches: Switches, plan: Plan): Promise<Outcome> {
  const { group, from, to } = plan;
  const { clock, groups } = tools;
  const before = switches.before(group);
  if (before === undefined) return unknownGroup(groups, group);
  const there = await switches.switchTo(group, switchOrder(plan, to));
  if (!there.ok) return there;
  await stay(tools, plan);
  const isThere = groups.find(group)?.primary === to;
  if (!isThere) return done([`${group} was switched by somebody else meanwhile`], { group });
  const began = clock.now();
  const back = await switches.restore(group, before, plan.by, "the drill is over");
  const backMs = Math.round((clock.now() - began) * 10) / 10;
  const lines = [
    `${to} took over in ${switchMs(there)} ms`,
    ...(back.ok ? [`${from} was back in ${backMs} ms`] : back.lines),
  ];
  const facts = {
    group,
    from,
    to,
    to_ms: switchMs(there),
    back_ms: back.ok ? backMs : null,
  };
  return back.ok ? done(lines, facts) : { ...back, lines, facts };
}

function switchMs({ facts }: Outcome): number {
  return Number(facts?.["switch_ms"] ?? 0);
}

/** The best one that could take over; a cold standby where there is no other. */
function targetOf({ pools, active, spec }: GroupState): PoolState | undefined {
  const others = pools.filter(({ name }) => name !== active);
  const serving = others.find(({ servingSince }) => servingSince !== undefined);
  const cold = (name: string): boolean => spec.pools.some((one) => one.cold && one.name === name);
  return serving ?? others.find(({ name, standby }) => cold(name) && standby === "asleep");
}

/** As long as ordered, and no longer than the other pool serves. */
async function stay({ clock, groups, signal }: StandbyTools, { group, to, forMs }: Plan) {
  const until = clock.now() + forMs;
  while (!signal.aborted && groups.find(group)?.active === to) {
    const leftMs = until - clock.now();
    if (leftMs <= 0) return;
    await pauseFor(clock, Math.min(LOOK_MS, leftMs), signal);
  }
}

function switchOrder({ by }: Plan, to: string) {
  const plain = { dryRun: false, ifActive: undefined, wait: false, guard: undefined };
  return { by: `${by} (drill)`, to, force: false, ...plain };
}

function inWords(pools: readonly PoolTraffic[]) {
  const [first, ...others] = pools;
  const all = others.reduce((sum, one) => (sum === undefined ? one : addTraffic(sum, one)), first);
  const { requests, failed } = countAnswers(all?.releases ?? []);
  const p99 = all && quantileMs(all.durations, 0.99);
  const byPool = Object.fromEntries(pools.map(({ pool, met }) => [pool, met]));
  const slow = p99 === undefined ? "" : `, p99 ${Math.round(p99)} ms`;
  const share = Object.entries(byPool).map(([pool, met]) => `${pool} ${met}`);
  return {
    words: `clients saw: ${requests} answers, ${failed} failed${slow}; ${share.join(", ")}`,
    facts: { requests, failed, by_pool: byPool, p99_ms: p99 ?? null },
  };
}
