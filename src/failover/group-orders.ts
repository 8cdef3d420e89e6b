/** What stands before a group: nothing, or what an operator put there. */
export type Door =
  | { readonly kind: "open" }
  /** Requests wait; it opens by itself at `until`. Monotonic milliseconds. */
  | { readonly kind: "held"; readonly since: number; readonly until: number }
  /** Requests get the group's page. */
  | { readonly kind: "maintenance"; readonly since: number };

/** A pool's part of new clients, by weight. */
export interface Share {
  readonly pool: string;
  /** At least 0; not all of them 0. */
  readonly weight: number;
}

/** What an operator has ordered of a group as a whole, until told otherwise. */
export interface GroupOrders {
  readonly door: Door;
  /** In place of the configured one; undefined = as configured. */
  readonly split: readonly Share[] | undefined;
}

export const NO_ORDERS: GroupOrders = { door: { kind: "open" }, split: undefined };
