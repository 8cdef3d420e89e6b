import { setTimeout as after } from "node:timers/promises";
import { openFiles } from "../rig/open-files.ts";
import { type Peer, startPeer } from "../rig/peer.ts";
import type { PeerDescription } from "../rig/peer-description.ts";
import { memoryOf, socketsOf } from "../rig/process-accounts.ts";
import type { Apps } from "../rig/stage.ts";
import { EchoTunnel } from "./echo-tunnel.ts";

/** KB that a tunnel may take more than one of nginx's. */
export const TUNNEL_GOAL_KB = 12;
/** A proxy has two for each tunnel. */
const SOCKETS = 2;
/** Files that a proxy has open besides. */
const RESERVE = 200;
const MESSAGE_BYTES = 64;
/** For the sockets of a proxy to close once its clients have gone, in milliseconds. */
const CLOSING_MS = 10_000;

/** What idle tunnels take of one peer's processes, in bytes (PSS). */
export interface TunnelMemory {
  readonly tunnels: number;
  readonly perTunnel: number;
  /** Tunnels that carried no message any more when they had been idle. */
  readonly lost: number;
  /** Sockets that the proxy still had open when all tunnels had been closed. */
  readonly left: number;
}

/** As many of `wanted` tunnels as a proxy with this process's limit can hold. */
export function possibleTunnels(wanted: number): number {
  return Math.min(wanted, Math.floor((openFiles() - RESERVE) / SOCKETS));
}

/** The open files that so many tunnels need. */
export function filesFor(tunnels: number): number {
  return tunnels * SOCKETS + RESERVE;
}

/** Of a peer that has served nobody before. Each tunnel has carried one message. */
export async function measureTunnelMemory(
  description: PeerDescription,
  apps: Apps,
  folder: string,
  plan: { readonly tunnels: number; readonly settleMs: number },
): Promise<TunnelMemory> {
  await using peer = await startPeer(description, { servers: apps.ports, folder });
  await after(plan.settleMs);
  const [atRest, socketsAtRest] = [memoryOf(peer.pid), socketsOf(peer.pid)];
  const tunnels = await EchoTunnel.openMany(peer.port, plan.tunnels, MESSAGE_BYTES);
  await countSilent(tunnels);
  await after(plan.settleMs);
  const perTunnel = (memoryOf(peer.pid) - atRest) / plan.tunnels;
  const lost = await countSilent(tunnels);
  await Promise.all(tunnels.map((tunnel) => tunnel.close()));
  return { tunnels: plan.tunnels, perTunnel, lost, left: await leftOpen(peer, socketsAtRest) };
}

async function countSilent(tunnels: readonly EchoTunnel[]): Promise<number> {
  const answers = await Promise.all(tunnels.map((tunnel) => tunnel.echo()));
  return answers.filter((isRight) => !isRight).length;
}

async function leftOpen(peer: Peer, atRest: number): Promise<number> {
  const giveUpAt = performance.now() + CLOSING_MS;
  for (;;) {
    const left = Math.max(0, socketsOf(peer.pid) - atRest);
    if (left === 0 || performance.now() > giveUpAt) return left;
    await after(100);
  }
}
