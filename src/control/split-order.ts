import type { GroupState } from "../failover/group-state.ts";
import type { Share } from "../failover/group-orders.ts";
import type { ChangeTools } from "./change-group.ts";
import type { Outcome } from "./control.ts";
import { done, refused, unknownPool } from "./outcomes.ts";
import type { SplitOrder } from "./orders.ts";

/** New clients by weight; `{}`: all to the active pool. */
export function setSplit(
  { groups }: Pick<ChangeTools, "groups">,
  state: GroupState,
  { by, split }: SplitOrder,
): Outcome {
  const { name } = state.spec;
  const problem = split === undefined ? undefined : problemOf(state, split);
  if (problem !== undefined) return problem;
  const shares = split && Object.entries(split).map(([pool, weight]) => ({ pool, weight }));
  const words = inWords(shares ?? state.spec.split);
  const reason = `${words}${split ? "" : " (as configured)"}, ordered by ${by}`;
  groups.apply(name, { type: "split-set", split: shares, reason });
  return done([`new clients of ${name} go to: ${words}`], { group: name, split: split ?? null });
}

/** `blue 95, green 5`. */
export function inWords(split: readonly Share[]): string {
  if (split.length === 0) return "the active pool";
  return split.map(({ pool, weight }) => `${pool} ${weight}`).join(", ");
}

function problemOf(
  state: GroupState,
  split: Readonly<Record<string, number>>,
): Outcome | undefined {
  const stranger = Object.keys(split).find(
    (pool) => !state.pools.some(({ name }) => name === pool),
  );
  if (stranger !== undefined) return unknownPool(state, stranger);
  const wrong = Object.entries(split).find(([, weight]) => !isWeight(weight));
  if (wrong !== undefined) {
    return refused(`${wrong[1]} is no weight for ${wrong[0]}: a number from 0 to 1000000`);
  }
  const weights = Object.values(split);
  if (weights.length > 0 && weights.every((weight) => weight === 0)) {
    return refused("every weight is 0: some pool has to take the clients");
  }
  return undefined;
}

function isWeight(weight: number): boolean {
  return Number.isFinite(weight) && weight >= 0 && weight <= 1_000_000;
}
