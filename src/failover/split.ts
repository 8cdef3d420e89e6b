import type { Share } from "./group-orders.ts";
import type { GroupState } from "./group-state.ts";
import { draw } from "./rendezvous.ts";

/** How new clients are spread over the pools: as ordered, else as configured; empty = all to the active pool. */
export function splitOf({ orders, spec }: GroupState): readonly Share[] {
  return orders.split ?? spec.split;
}

/**
 * The pool whose share a client is in, by its key: the same for as long as the weights are, and a pool whose weight
 * grows takes clients of the others and gives none away. Undefined where nothing is shared.
 */
export function drawPool(shares: readonly Share[], clientKey: string): string | undefined {
  let chosen: string | undefined;
  let highest = 0;
  for (const { pool, weight } of shares) {
    const drawn = weight === 0 ? 0 : draw(clientKey, pool, weight);
    if (drawn <= highest) continue;
    chosen = pool;
    highest = drawn;
  }
  return chosen;
}

/** Whether a client is among the first so many percent, by its key. */
export function isWithin(percent: number, clientKey: string): boolean {
  const inside = { pool: "in", weight: percent };
  return drawPool([inside, { pool: "out", weight: 100 - percent }], clientKey) === "in";
}
