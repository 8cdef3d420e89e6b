import type { Clock } from "../clock.ts";
import type { GatewayEvent } from "../events.ts";
import type { GroupState } from "../failover/group-state.ts";
import type { Groups } from "../failover/groups.ts";
import type { Outcome } from "./control.ts";
import type { OrderLock } from "./order-lock.ts";
import { unknownGroup, withKept } from "./outcomes.ts";
import type { StateKeeper } from "./state-keeper.ts";

export interface ChangeTools {
  readonly clock: Clock;
  readonly groups: Groups;
  readonly keeper: StateKeeper;
  readonly lock: OrderLock;
  /** Resolves when all workers go by the states of now, and loads are those of a moment since. */
  readonly settled: () => Promise<void>;
  readonly tell: (event: GatewayEvent) => void;
  /** Milliseconds that a hold lasts where nobody says how long. */
  readonly holdMsOf: (group: string) => number;
}

/** Makes one change of a group; resolves when every worker goes by it and it is kept. */
export function changeGroup(
  { groups, keeper, lock, settled }: ChangeTools,
  group: string,
  holder: { readonly by: string; readonly what: string },
  change: (state: GroupState) => Outcome,
): Promise<Outcome> {
  return lock.run(group, holder, async () => {
    const state = groups.find(group);
    if (state === undefined) return unknownGroup(groups, group);
    const outcome = change(state);
    if (!outcome.ok) return outcome;
    await settled();
    return withKept(outcome, await keeper.kept());
  });
}
