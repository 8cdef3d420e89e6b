import type { GroupState } from "../failover/group-state.ts";
import { available, describeServer } from "../failover/server.ts";
import type { WorkerFacts } from "../process/crew.ts";
import type { Control } from "./control.ts";

/** One of the things that must be so for the gateway to be ready. */
export interface ReadyCheck {
  /** `running`, `workers`, `group app`. */
  readonly name: string;
  readonly ok: boolean;
  /** In words, also where it is well. */
  readonly reason: string;
}

/** What is asked before clients are sent here; a group without servers is no reason against it. */
export function readyChecks(
  control: Pick<Control, "isStopping" | "workers" | "groups">,
  now: number,
): readonly ReadyCheck[] {
  const withServers = Array.from(control.groups).filter(({ servers }) => servers.length > 0);
  return [
    control.isStopping
      ? { name: "running", ok: false, reason: "the gateway is stopping" }
      : { name: "running", ok: true, reason: "the gateway is not stopping" },
    checkWorkers(control.workers),
    ...withServers.map((group) => checkGroup(group, now)),
  ];
}

/** Whether a request may be sent to any of its servers. */
export function isGroupAvailable({ servers, spec }: GroupState, now: number): boolean {
  return servers.some((server) => available(server, spec.policy, now));
}

function checkWorkers(workers: readonly WorkerFacts[]): ReadyCheck {
  const name = "workers";
  if (workers.length === 0) return { name, ok: true, reason: "one process does everything" };
  // Those that drain have successors.
  const present = workers.filter(({ state }) => state !== "draining");
  const serving = present.filter(({ state }) => state === "serving").length;
  return { name, ok: serving > 0, reason: `${serving} of ${present.length} serve` };
}

function checkGroup(group: GroupState, now: number): ReadyCheck {
  const name = `group ${group.spec.name}`;
  if (isGroupAvailable(group, now)) return { name, ok: true, reason: `${group.active} is active` };
  const why = group.servers.map(describeServer).join(", ");
  return { name, ok: false, reason: `no server is available: ${why}` };
}
