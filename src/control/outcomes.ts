import { didYouMean } from "../config/suggest.ts";
import type { GroupState } from "../failover/group-state.ts";
import type { Groups } from "../failover/groups.ts";
import type { Outcome } from "./control.ts";
import type { StateStore } from "./state-store.ts";

type Facts = NonNullable<Outcome["facts"]>;

export function done(lines: readonly string[], facts: Facts = {}): Outcome {
  return { ok: true, lines, facts };
}

/** Nothing was tried. */
export function refused(reason: string, facts: Facts = {}): Outcome {
  return { ok: false, kind: "refused", lines: [reason], facts };
}

export function unknownGroup(groups: Groups, name: string): Outcome {
  const known = Array.from(groups, ({ spec }) => spec.name);
  return unknown(`no group ${JSON.stringify(name)}`, name, known);
}

export function unknownPool({ spec, pools }: GroupState, name: string): Outcome {
  const what = `group "${spec.name}" has no pool ${JSON.stringify(name)}`;
  return unknown(
    what,
    name,
    pools.map((pool) => pool.name),
  );
}

/** By its address. */
export function unknownServer({ spec, servers }: GroupState, pool: string, name: string): Outcome {
  const what = `pool "${pool}" of group "${spec.name}" has no server ${JSON.stringify(name)}`;
  const ofPool = servers.filter((server) => server.spec.pool === pool);
  return unknown(
    what,
    name,
    ofPool.map((server) => server.spec.address),
  );
}

/** The outcome, with a word where it will not outlive a restart of the gateway. */
export function withKept(outcome: Outcome, kept: Awaited<ReturnType<StateStore["save"]>>): Outcome {
  const facts = { ...outcome.facts, saved: kept.ok };
  if (kept.ok) return { ...outcome, facts };
  const line = `this will not outlive a restart of the gateway: ${kept.reason}`;
  return { ...outcome, lines: [...outcome.lines, line], facts };
}

function unknown(what: string, word: string, known: readonly string[]): Outcome {
  const others = known.length > 0 ? `, known here: ${known.join(", ")}` : "";
  const line = `${what}${didYouMean(word, known) || others}`;
  return { ok: false, kind: "unknown", lines: [line] };
}
