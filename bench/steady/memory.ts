import { setTimeout as after } from "node:timers/promises";
import { type Peer, startPeer } from "../rig/peer.ts";
import type { PeerDescription } from "../rig/peer-description.ts";
import { memoryOf } from "../rig/process-accounts.ts";
import type { Apps } from "../rig/stage.ts";
import type { Case } from "./cases.ts";
import { IdleClients } from "./idle-clients.ts";
import { runWrk } from "./wrk.ts";

/** Memory of one peer's processes in bytes (PSS; the kernel's part of a connection is not in it). */
export interface Memory {
  readonly atRest: number;
  readonly clients: number;
  /** With so many idle keep-alive clients. */
  readonly withClients: number;
  /** For each of them, above what it took at rest. */
  readonly perClient: number;
  /** Clients that the proxy did not keep. */
  readonly lostClients: number;
  readonly afterSoak: number;
}

export interface MemoryPlan {
  readonly clients: number;
  readonly soak: Case;
  readonly soakSeconds: number;
  /** Between the end of the work and the measurement, in milliseconds. */
  readonly settleMs: number;
}

/** Of a peer that has served nobody before. */
export async function measureMemory(
  description: PeerDescription,
  apps: Apps,
  folder: string,
  plan: MemoryPlan,
): Promise<Memory> {
  await using peer = await startPeer(description, { servers: apps.ports, folder });
  const atRest = await settledMemory(peer, plan.settleMs);
  const idle = await withIdleClients(peer, plan);
  await runWrk(peer.port, plan.soak, plan.soakSeconds);
  const perClient = (idle.memory - atRest) / plan.clients;
  return {
    atRest,
    clients: plan.clients,
    withClients: idle.memory,
    perClient,
    lostClients: idle.lost,
    afterSoak: await settledMemory(peer, plan.settleMs),
  };
}

async function withIdleClients(peer: Peer, plan: MemoryPlan) {
  using clients = await IdleClients.open(peer.port, plan.clients);
  const memory = await settledMemory(peer, plan.settleMs);
  return { memory, lost: clients.lost };
}

async function settledMemory(peer: Peer, settleMs: number): Promise<number> {
  await after(settleMs);
  return memoryOf(peer.pid);
}
