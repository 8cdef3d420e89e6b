import type { GatewayEvent } from "../events.ts";
import type { GroupOrders } from "./group-orders.ts";
import type { ServerState } from "./server.ts";
import type { GroupSpec } from "./spec.ts";

/** Whether a cold standby runs; every other pool is `awake`. */
export type Standby = "asleep" | "booting" | "awake";

export interface PoolState {
  readonly name: string;
  readonly servers: readonly ServerState[];
  /** Since when one of its servers serves without a gap; undefined while none does. */
  readonly servingSince: number | undefined;
  /**
   * Until when what is bound to a pool that an operator took out of service may stay (monotonic
   * ms); undefined while it is active, where no switch took it out, and after that time.
   */
  readonly drainUntil: number | undefined;
  /** Its drain has ended and it is not active since: nobody stays bound to it. */
  readonly isDrained: boolean;
  /** `booting`: started, but none of its servers serves yet. */
  readonly standby: Standby;
}

/** One snapshot of a group; never changed, only replaced. */
export interface GroupState {
  readonly spec: GroupSpec;
  /** The preferred pool: as configured, until a switch (or `failback: never`) makes it another. */
  readonly primary: string;
  /** The pool that serves; it stays while nothing serves. Empty for a group without pools. */
  readonly active: string;
  readonly orders: GroupOrders;
  /** All servers by index, pools in the order written. */
  readonly servers: readonly ServerState[];
  /** In order of preference: the primary, then the others as written. */
  readonly pools: readonly PoolState[];
  /** The order in which the chooser asks the pools. */
  readonly turns: readonly PoolState[];
  /** How many of `turns`, from the first, are asked for a trial only. */
  readonly ahead: number;
  /** True where there are servers and none of them serves. */
  readonly allDown: boolean;
}

export interface Step {
  readonly state: GroupState;
  readonly happened: readonly GatewayEvent[];
}
