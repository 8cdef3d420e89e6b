import { cpus, release, totalmem } from "node:os";
import { canPin, coreCount } from "./cores.ts";
import type { Cast } from "./cast.ts";

/** What the figures of a run depend on besides the code. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly kernel: string;
  readonly node: string;
  /** Whether the proxy had a core of its own. */
  readonly pinned: boolean;
  /** Peer -> version. */
  readonly versions: Readonly<Record<string, string>>;
}

export function describeMachine(cast: Cast): Machine {
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: coreCount,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.versions.node,
    pinned: canPin,
    versions: Object.fromEntries(
      cast.present.map(({ description, version }) => [description.name, version]),
    ),
  };
}

export function machineLine(machine: Machine): string {
  const { cpu, cores, memoryGb, kernel, node, pinned, versions } = machine;
  const peers = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const pinning = pinned ? "the proxy pinned to one of them" : "NOTHING PINNED";
  return (
    `${cpu}, ${cores} cores (${pinning}), ${memoryGb} GB, Linux ${kernel}, Node ${node}. ` +
    `${peers.join(", ")}.`
  );
}
