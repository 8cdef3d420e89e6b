import { readFileSync } from "node:fs";
import type { Config } from "../config/config.ts";
import { countWorkers } from "../process/count-workers.ts";

/** A client's connection and one to its server. */
const FILES_A_CLIENT = 2;
/** For logs, listeners, checks, large bodies and what Node itself has open. */
const RESERVE = 100;

/**
 * What is wrong with the limit of open files, by the text of `/proc/self/limits`; undefined where it
 * is enough, is not known, or `limits.connections` is 0.
 */
export function openFilesWarning(config: Config, limits: string | undefined): string | undefined {
  const limit = Number(/^Max open files +(\d+)/m.exec(limits ?? "")?.[1] ?? Infinity);
  const { connections } = config.limits;
  const clients = connections * config.listen.length;
  const kept = RESERVE + idleConnections(config);
  const needed = clients * FILES_A_CLIENT + kept;
  if (connections === 0 || needed <= limit) return undefined;
  const room = Math.floor((limit - kept) / FILES_A_CLIENT / config.listen.length);
  const advice = room < 1 ? "" : `, or set limits.connections to ${room}`;
  const whose = countWorkers(config) > 1 ? " of a worker" : "";
  return (
    `the limit of open files is ${limit}, but ${clients} clients${whose} may need ${needed}: ` +
    `raise it (ulimit -n, LimitNOFILE=, --ulimit nofile=)${advice}`
  );
}

/** Node has raised the soft limit to the hard one by now. Undefined where the system tells nothing. */
export function readLimits(): string | undefined {
  try {
    return readFileSync("/proc/self/limits", "utf8");
  } catch {
    return undefined;
  }
}

/** Connections that are kept open to servers without a client. */
function idleConnections({ groups }: Config): number {
  const perGroup = groups.map(({ spec, keepalive }) => {
    const servers = spec.pools.reduce((sum, pool) => sum + pool.servers.length, 0);
    return servers * keepalive.maxIdle;
  });
  return perGroup.reduce((sum, idle) => sum + idle, 0);
}
