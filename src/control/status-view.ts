import { isoUtc } from "../observe/log-time.ts";
import type { HealthView, StatusView } from "./api-schema.ts";
import type { WorkerFacts } from "../process/crew.ts";
import type { Control } from "./control.ts";
import type { Moment } from "./group-view.ts";
import { isGroupAvailable, readyChecks } from "./readiness.ts";

/** The gateway itself as operators see it. */
export function viewStatus(control: Control, version: string, at: Moment): StatusView {
  const { number, hash, since } = control.config;
  return {
    version,
    time: isoUtc(at.wall),
    started: isoUtc(control.startedAt),
    uptime_seconds: uptime(control, at),
    stopping: control.isStopping,
    addresses: [...control.addresses],
    connections: control.connections,
    config: { number, hash, since: isoUtc(since) },
    workers: control.workers.map(viewWorker),
  };
}

/** Whether it is well, in short. */
export function viewHealth(control: Control, version: string, at: Moment): HealthView {
  const failed = readyChecks(control, at.now).filter(({ ok }) => !ok);
  return {
    status: failed.length === 0 ? "ready" : "not_ready",
    reasons: failed.map(({ name, reason }) => `${name}: ${reason}`),
    version,
    uptime_seconds: uptime(control, at),
    groups: Array.from(control.groups, (group) => ({
      name: group.spec.name,
      primary: group.primary,
      active: group.active,
      available: isGroupAvailable(group, at.now),
    })),
  };
}

function viewWorker({ pid, since, ...worker }: WorkerFacts): StatusView["workers"][number] {
  return { ...worker, ...(pid !== undefined && { pid }), since: isoUtc(since) };
}

function uptime({ startedAt }: Control, { wall }: Moment): number {
  return Math.max(0, Math.round(wall - startedAt) / 1000);
}
