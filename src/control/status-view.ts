import { isoUtc } from "../observe/log-time.ts";
import type { StatusView } from "./api-schema.ts";
import type { WorkerFacts } from "../process/crew.ts";
import type { Control } from "./control.ts";
import type { Moment } from "./group-view.ts";

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

function viewWorker(facts: WorkerFacts): StatusView["workers"][number] {
  // What it uses is for the metrics.
  const { pid, since, use: _, ...worker } = facts;
  return { ...worker, ...(pid !== undefined && { pid }), since: isoUtc(since) };
}

function uptime({ startedAt }: Control, { wall }: Moment): number {
  return Math.max(0, Math.round(wall - startedAt) / 1000);
}
