import type { Apps } from "../rig/stage.ts";
import { cpuTimeOf } from "../rig/process-accounts.ts";
import type { Peer } from "../rig/peer.ts";
import type { Load } from "./load.ts";

/** One round of one case against one peer. */
export interface Round extends Load {
  /** Microseconds of CPU that the proxy's processes took for each request, kernel included. */
  readonly cpuUs: number;
  /** The part of it that the kernel took, 0..1. */
  readonly kernelShare: number;
  /** Answers that the app gave and the load generator did not count; some were under way. */
  readonly uncounted: number;
}

/** Puts load on a peer and reads from the system what that cost the peer. */
export async function measure(peer: Peer, apps: Apps, load: () => Promise<Load>): Promise<Round> {
  peer.clearLogs();
  const servedBefore = await servedBy(apps);
  const before = cpuTimeOf(peer.pid);
  const done = await load();
  const after = cpuTimeOf(peer.pid);
  const served = (await servedBy(apps)) - servedBefore;
  const kernelMs = after.kernelMs - before.kernelMs;
  const cpuMs = after.userMs - before.userMs + kernelMs;
  return {
    ...done,
    // What was under way at the end was paid for too.
    cpuUs: (cpuMs * 1e3) / Math.max(done.requests, served),
    kernelShare: kernelMs / cpuMs,
    uncounted: served - done.requests,
  };
}

async function servedBy({ primary, backup }: Apps): Promise<number> {
  return (await primary.served()) + (await backup.served());
}
