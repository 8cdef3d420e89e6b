import type { GroupView, PoolView, ServerView, StatusView } from "../control/api-schema.ts";
import { table } from "./table.ts";

/** What the gateway is doing, for people. */
export function statusLines(
  status: StatusView,
  groups: readonly GroupView[],
  show = PLAIN,
): readonly string[] {
  return [
    ...gatewayLines(status),
    ...groups.flatMap((group) => ["", ...groupLines(group, status.time, show)]),
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

/** How the words of a status are shown: how wide, and in which colours. */
export interface Show {
  /** Columns; longer lines go on below. */
  readonly width: number;
  readonly paint: (style: Style, text: string) => string;
}

export type Style = "bold" | "green" | "red" | "yellow" | "dim";

export const PLAIN: Show = { width: Infinity, paint: (_, text) => text };

/** A tree: the group, its pools, their servers. `time` is the gateway's. */
export function groupLines(group: GroupView, time: string, show = PLAIN): readonly string[] {
  const { paint, width } = show;
  const [first = "", ...rest] = wrap(`group ${group.name}: ${whoServes(group)}`, width, 2);
  return [
    paint("bold", first),
    ...rest,
    ...notesOf(group).flatMap((note) => wrap(`  ${note}`, width, 4)),
    ...group.pools.flatMap((pool) => poolLines(group, pool, time, show)),
  ];
}

/** What somebody has ordered, and who waits for what. */
function notesOf({ ordered, waiting, door, slo = [] }: GroupView): readonly string[] {
  const cause = door.state === "held" ? "the door to open" : "a server";
  return [
    ...ordered.map((words) => `by order: ${words}`),
    ...(waiting === 0 ? [] : [`${waiting} requests wait for ${cause}`]),
    ...slo.map(promiseText),
  ];
}

/** `promises 99.9 % available: 99.98 % of 30 days, 80 % of the error budget left`. */
function promiseText(slo: NonNullable<GroupView["slo"]>[number]): string {
  const { objective, target, under_ms: under, requests, bad, budget_left: left, burning } = slo;
  const what = objective === "availability" ? "available" : `within ${under} ms`;
  const kept = requests === 0 ? "no requests yet" : `${percent(1 - bad / requests)} of 30 days`;
  const budget = left < 0 ? "BROKEN" : `${Math.floor(left * 100)} % of the error budget left`;
  const burns = burning === undefined ? "" : `, burns ${burning === "fast" ? "FAST" : "slowly"}`;
  return `promises ${percent(target)} ${what}: ${kept}, ${budget}${burns}`;
}

function percent(part: number): string {
  return `${Math.floor(part * 1e5) / 1e3} %`;
}

function poolLines(
  group: GroupView,
  pool: PoolView,
  time: string,
  { width, paint }: Show,
): readonly string[] {
  const { name, role, release, servers, draining_until: until } = pool;
  const column = widest(group.pools.map((one) => one.name));
  const facts = [
    ...(release === undefined ? [] : [`release ${release}`]),
    ...(pool.standby === "awake" ? [] : [`cold standby, ${pool.standby}`]),
    ...(until === undefined ? [] : [drainText(pool, until, time)]),
  ];
  const serves = pool.serving ? paint("green", "SERVES") : "      ";
  const head = `  ${name.padEnd(column)}  ${role.padEnd(7)}  ${serves}  ${facts.join(", ")}`;
  const addresses = widest(group.pools.flatMap((one) => one.servers.map(({ address }) => address)));
  const states = widest(group.pools.flatMap((one) => one.servers.map((s) => stateOf(s, time))));
  const lines = [head.trimEnd()];
  for (const server of servers) {
    const state = stateOf(server, time).padEnd(states);
    const place = `    ${server.address.padEnd(addresses)}  ${paint(colourOf(server), state)}`;
    lines.push(`${place}  ${factsOf(server, time)}`, ...reasonLines(server, width));
  }
  return lines;
}

function factsOf(server: ServerView, time: string): string {
  const { in_flight, tunnels, strikes, last_probe: last } = server;
  return [
    `${in_flight} in flight`,
    ...(tunnels === 0 ? [] : [`${tunnels} tunnels`]),
    ...(strikes === 0 ? [] : [`${strikes} ${strikes === 1 ? "strike" : "strikes"}`]),
    ...(last === undefined ? [] : [`probe ${probeText(last, time)}`]),
  ].join(", ");
}

function reasonLines({ health, reason, last_probe: last }: ServerView, width: number) {
  const reasons = [
    ...(health === "up" ? [] : [reason]),
    ...(last?.reason === undefined || reason.includes(last.reason)
      ? []
      : [`probe: ${last.reason}`]),
  ];
  return reasons.flatMap((one) => wrap(`      ${one}`, width, 6));
}

function colourOf({ health, admin, available }: ServerView): Style {
  if (admin !== "ready") return "dim";
  if (health === "up") return "green";
  return available ? "yellow" : "red";
}

function stateOf(server: ServerView, time: string): string {
  return `${server.health} ${ageOf(server.since, time)}${adminText(server)}`;
}

function adminText({ admin }: ServerView): string {
  return admin === "ready" ? "" : `, ${admin} by order`;
}

function widest(words: readonly string[]): number {
  return Math.max(0, ...words.map(({ length }) => length));
}

/** Lines of at most `width` columns where words allow it; further ones stand `indent` to the right. */
function wrap(line: string, width: number, indent: number): readonly string[] {
  if (line.length <= width) return [line];
  const at = line.lastIndexOf(" ", width);
  if (line.slice(0, at).trim() === "") return [line];
  return [line.slice(0, at), ...wrap(" ".repeat(indent) + line.slice(at + 1), width, indent)];
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

function probeText(last: NonNullable<ServerView["last_probe"]>, time: string): string {
  return `${last.passed ? "passed" : "failed"} ${ageOf(last.time, time)} ago`;
}

function drainText({ tunnels }: PoolView, until: string, time: string): string {
  return `drains for another ${ageOf(time, until)}: ${tunnels} tunnels`;
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
