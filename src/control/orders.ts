import type { Admin } from "../failover/server.ts";
import type { Outcome } from "./control.ts";

/** Who gives an order, in words for the event log and the lock: `cli ops@web1`, `api 127.0.0.1`. */
export interface Order {
  readonly by: string;
}

export interface SwitchOrder extends Order {
  readonly to: string;
  /** Also to a pool that does not serve. */
  readonly force: boolean;
  /** Tells what would happen; nothing does. */
  readonly dryRun: boolean;
  /** Only where this pool is active; undefined = whichever is. */
  readonly ifActive: string | undefined;
  /** Returns only once nobody is left on the pool that served before. */
  readonly wait: boolean;
  readonly guard: Guard | undefined;
}

/** The new pool is watched for a while, and left again where it does worse than this. */
export interface Guard {
  readonly forMs: number;
  /** Highest part of failed answers, 0 to 1; undefined = not looked at. */
  readonly maxErrorRatio: number | undefined;
  /** Highest p99 as a multiple of what the old pool had before; undefined = not looked at. */
  readonly maxP99Ratio: number | undefined;
}

export interface RollbackOrder extends Order {
  readonly force: boolean;
  readonly wait: boolean;
}

/** To a pool's servers, or to one of them by its address. */
export interface AdminOrder extends Order {
  readonly pool: string;
  readonly server: string | undefined;
  readonly admin: Admin;
  /** Also where nobody else serves. */
  readonly force: boolean;
  /** Returns only once nobody is left there. */
  readonly wait: boolean;
}

export interface HoldOrder extends Order {
  /** Undefined = as the group is configured. */
  readonly maxMs: number | undefined;
}

export interface SplitOrder extends Order {
  /** Weights of new clients by pool; undefined = as configured. */
  readonly split: Readonly<Record<string, number>> | undefined;
}

export interface StandbyOrder extends Order {
  readonly pool: string;
  /** `start`: ready before it is needed. `stop`: asleep again. */
  readonly action: "start" | "stop";
  readonly force: boolean;
}

/** A group given at run time, as it would stand in the file. */
export interface GroupOrder extends Order {
  readonly definition: unknown;
}

/**
 * What an operator can order of a group. Each resolves when every worker goes by it, and outlives a restart of the
 * gateway; one change at a time per group, whoever comes second is refused with who is first and since when.
 */
export interface Orders {
  switchTo(group: string, order: SwitchOrder): Promise<Outcome>;
  /** Undoes the last switch. */
  rollback(group: string, order: RollbackOrder): Promise<Outcome>;
  setAdmin(group: string, order: AdminOrder): Promise<Outcome>;
  /** Requests wait at the door, until resume() or the time is up. */
  hold(group: string, order: HoldOrder): Promise<Outcome>;
  resume(group: string, order: Order): Promise<Outcome>;
  /** Every request gets the group's page and 503. */
  setMaintenance(group: string, order: Order & { readonly on: boolean }): Promise<Outcome>;
  setSplit(group: string, order: SplitOrder): Promise<Outcome>;
  setStandby(group: string, order: StandbyOrder): Promise<Outcome>;
  /** Fails over on purpose and back; tells what clients saw. */
  drill(group: string, order: Order & { readonly forMs: number }): Promise<Outcome>;
  /** Forgets what was ordered: the configuration's values count again. */
  reset(group: string, order: Order): Promise<Outcome>;
  createGroup(group: string, order: GroupOrder): Promise<Outcome>;
  changeGroup(group: string, order: GroupOrder): Promise<Outcome>;
  deleteGroup(group: string, order: Order & { readonly force: boolean }): Promise<Outcome>;
}
