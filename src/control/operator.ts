import { changeGroup } from "./change-group.ts";
import { orderedServers, setAdmin } from "./admin-order.ts";
import type { Outcome } from "./control.ts";
import { drill, type DrillOrder } from "./drill.ts";
import { hold, resume, setMaintenance } from "./door-orders.ts";
import { OrderLock } from "./order-lock.ts";
import type {
  AdminOrder,
  GroupOrder,
  HoldOrder,
  Order,
  Orders,
  RollbackOrder,
  SplitOrder,
  StandbyOrder,
  SwitchOrder,
} from "./orders.ts";
import { reset } from "./reset-order.ts";
import { RuntimeGroups, type RuntimeGroupsTools } from "./runtime-groups.ts";
import { setSplit } from "./split-order.ts";
import { setStandby } from "./standby-order.ts";
import { Switches, type SwitchTools } from "./switch.ts";
import { leftInWords, waitIdle } from "./wait-idle.ts";

type Tools = SwitchTools;

export interface OperatorTools extends Omit<Tools, "lock"> {
  /** Of groups that are made, changed and deleted at run time. */
  readonly runtime: Omit<RuntimeGroupsTools, "lock">;
}

/** Does what is ordered of groups, one change at a time for each. */
export class Operator implements Orders {
  readonly #tools: Tools;
  readonly #switches: Switches;
  readonly #runtime: RuntimeGroups;

  constructor(tools: OperatorTools) {
    this.#tools = { ...tools, lock: new OrderLock(tools.clock) };
    this.#switches = new Switches(this.#tools);
    this.#runtime = new RuntimeGroups({ ...tools.runtime, lock: this.#tools.lock });
  }

  switchTo(group: string, order: SwitchOrder): Promise<Outcome> {
    return this.#switches.switchTo(group, order);
  }

  rollback(group: string, order: RollbackOrder): Promise<Outcome> {
    return this.#switches.rollback(group, order);
  }

  async setAdmin(group: string, order: AdminOrder): Promise<Outcome> {
    const { by, pool, server = pool, admin, wait } = order;
    const outcome = await changeGroup(
      this.#tools,
      group,
      { by, what: `${admin} ${server}` },
      (state) => setAdmin(this.#tools, state, order),
    );
    return outcome.ok && wait && admin !== "ready"
      ? await this.#drain(group, order, outcome)
      : outcome;
  }

  hold(group: string, order: HoldOrder): Promise<Outcome> {
    return changeGroup(this.#tools, group, { by: order.by, what: "hold" }, (state) =>
      hold(this.#tools, state, order),
    );
  }

  resume(group: string, order: Order): Promise<Outcome> {
    return changeGroup(this.#tools, group, { by: order.by, what: "resume" }, (state) =>
      resume(this.#tools, state, order),
    );
  }

  setMaintenance(group: string, order: Order & { readonly on: boolean }): Promise<Outcome> {
    const what = `maintenance ${order.on ? "on" : "off"}`;
    return changeGroup(this.#tools, group, { by: order.by, what }, (state) =>
      setMaintenance(this.#tools, state, order),
    );
  }

  setSplit(group: string, order: SplitOrder): Promise<Outcome> {
    return changeGroup(this.#tools, group, { by: order.by, what: "split" }, (state) =>
      setSplit(this.#tools, state, order),
    );
  }

  setStandby(group: string, order: StandbyOrder): Promise<Outcome> {
    return setStandby(this.#tools, group, order);
  }

  drill(group: string, order: DrillOrder): Promise<Outcome> {
    return drill(this.#tools, this.#switches, group, order);
  }

  reset(group: string, order: Order): Promise<Outcome> {
    const { clock } = this.#tools;
    return changeGroup(this.#tools, group, { by: order.by, what: "reset" }, (state) => {
      this.#switches.endGuard(group);
      return reset(this.#tools, state, order, { now: clock.now(), wall: clock.wall() });
    });
  }

  createGroup(group: string, order: GroupOrder): Promise<Outcome> {
    return this.#runtime.create(group, order);
  }

  changeGroup(group: string, order: GroupOrder): Promise<Outcome> {
    return this.#runtime.change(group, order);
  }

  deleteGroup(group: string, order: Order & { readonly force: boolean }): Promise<Outcome> {
    return this.#runtime.remove(group, order);
  }

  /** Until nobody is left on servers that were taken out, for as long as their group gives them. */
  async #drain(group: string, order: AdminOrder, outcome: Outcome): Promise<Outcome> {
    const state = this.#tools.groups.find(group);
    const found = state && orderedServers(state, order);
    if (state === undefined || !found?.ok) return outcome;
    const keys = found.servers.map(({ spec }) => spec.key);
    const { tunnelsMs, spreadMs, graceMs } = state.spec.drain;
    const { ms, left } = await waitIdle(this.#tools, {
      group,
      keys,
      limitMs: tunnelsMs + spreadMs + graceMs,
      isOut: () => this.#areOut(group, keys),
    });
    const isDrained = left.inFlight + left.tunnels === 0;
    const line = isDrained ? `drained in ${ms} ms` : `${leftInWords(left)} left after ${ms} ms`;
    const facts = { ...outcome.facts, drain_ms: ms, drained: isDrained };
    return { ...outcome, lines: [...outcome.lines, line], facts };
  }

  #areOut(group: string, keys: readonly string[]): boolean {
    const servers = this.#tools.groups.find(group)?.servers ?? [];
    return servers.some(({ spec, admin }) => keys.includes(spec.key) && admin !== "ready");
  }
}
