import type { GroupView, PoolView, ServerView, StatusView } from "../control/api-schema.ts";
import { table } from "./table.ts";

/** What the gateway is doing, for people. */
export function statusLines(status: StatusView, groups: readonly GroupView[]): readonly string[] {
  return [
    ...gatewayLines(status),
    ...groups.flatMap((group) => ["", ...groupLines(group, status.time)]),
  ];
}

function gatewayLines(status: StatusView): readonly string[] {
  const { version, stopping, addresses, connections, config, workers, time, started } = status;
  return [
    `understudy ${version}, running for ${ageOf(started, time)}${stopping ? ", STOPPING" : ""}`,
    ...table([
      ["configuration", `${config.number} (${config.hash}) since ${config.since}`],
      ["listens on", addresses.join(", ")],
      ["connections", `${connections}`],
      ...workers.map((worker) => [`worker ${worker.slot}`, workerText(worker, time)]),
    ]),
  ];
}

function workerText(worker: StatusView["workers"][number], time: string): string {
  const { pid, state, since, crashes, connections } = worker;
  const parts = [
    `${state} for ${ageOf(since, time)}`,
    ...(pid === undefined ? [] : [`pid ${pid}`]),
    `${connections} connections`,
    ...(crashes === 0 ? [] : [`${crashes} crashes`]),
  ];
  return parts.join(", ");
}

/** `time` is the gateway's. */
export function groupLines(group: GroupView, time: string): readonly string[] {
  const isProbed = group.pools.some(({ servers }) => servers.some((one) => one.last_probe));
  const rows = group.pools.flatMap((pool) =>
    pool.servers.map((server) => serverRow(pool, server, time, isProbed)),
  );
  const draining = group.pools.flatMap((pool) =>
    pool.draining_until === undefined ? [] : [drainLine(pool, pool.draining_until, time)],
  );
  return [
    `group ${group.name}: ${whoServes(group)}`,
    ...(rows.length === 0 ? [] : table([headings(isProbed), ...rows]).map((line) => `  ${line}`)),
    ...draining.map((line) => `  ${line}`),
  ];
}

/** Which release serves, and why. */
function whoServes({ primary, active, pools }: GroupView): string {
  const pool = pools.find(({ name }) => name === active);
  if (pool === undefined) return "nothing is deployed here yet";
  const who = pool.release === undefined ? pool.name : `${pool.name} (release ${pool.release})`;
  const first = pools.find(({ name }) => name === primary);
  if (pools.every(({ servers }) => servers.every(({ available }) => !available))) {
    return `NO SERVER IS AVAILABLE; ${who} is active`;
  }
  if (!pool.serving) return `${who} is active, but none of its servers is available`;
  if (first === undefined || first === pool) return `${who} serves: it is the primary`;
  const isBack = first.servers.some(({ available }) => available);
  const why = isBack ? "is available again" : "has no server available";
  return `${who} serves: the primary ${first.name} ${why}`;
}

function headings(isProbed: boolean): readonly string[] {
  const facts = ["HEALTH", "FOR", "STRIKES", ...(isProbed ? ["LAST PROBE"] : [])];
  return ["POOL", "ROLE", "SERVES", "RELEASE", "SERVER", ...facts, ...TRAFFIC, "REASON"];
}

const TRAFFIC = ["IN FLIGHT", "TUNNELS"];

function serverRow(
  pool: PoolView,
  server: ServerView,
  time: string,
  isProbed: boolean,
): readonly string[] {
  const { health, admin } = server;
  return [
    pool.name,
    pool.role,
    pool.serving && server.available ? "yes" : "no",
    pool.release ?? "-",
    server.address,
    admin === "ready" ? health : `${health}, ${admin}`,
    ageOf(server.since, time),
    `${server.strikes}`,
    ...(isProbed ? [probeText(server.last_probe, time)] : []),
    `${server.in_flight}`,
    `${server.tunnels}`,
    server.reason,
  ];
}

function probeText(last: ServerView["last_probe"], time: string): string {
  if (last === undefined) return "-";
  return `${last.passed ? "passed" : "failed"} ${ageOf(last.time, time)} ago`;
}

function drainLine({ name, tunnels }: PoolView, until: string, time: string): string {
  return `${name} drains for another ${ageOf(time, until)}: ${tunnels} tunnels`;
}

/** From one ISO time to another: `12s`, `5m 3s`, `3h 12m`, `2d 4h`. */
function ageOf(since: string, until: string): string {
  const seconds = Math.max(0, Math.floor((Date.parse(until) - Date.parse(since)) / 1000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (minutes === 0) return `${seconds}s`;
  if (hours === 0) return `${minutes}m ${seconds % 60}s`;
  const days = Math.floor(hours / 24);
  return days === 0 ? `${hours}h ${minutes % 60}m` : `${days}d ${hours % 24}h`;
}
