import type { z } from "zod";
import { routeKey } from "../routing/router.ts";
import { isLoopback, parseAddress } from "./address.ts";
import type { Address } from "./config.ts";
import { healthContradictions } from "./health-contradictions.ts";
import type { Finding } from "./issues.ts";
import { quote } from "./parsed.ts";
import { entriesOf, field, isRecord } from "./raw.ts";
import { routes } from "./route-schema.ts";
import { admin, listen } from "./schema.ts";
import { parseServerUrl } from "./server-url.ts";
import { splitContradictions } from "./split-contradictions.ts";
import { standbyContradictions } from "./standby-contradictions.ts";
import { didYouMean } from "./suggest.ts";

type Path = readonly PropertyKey[];

/**
 * What is right piece by piece but not together. It looks at the raw data, so that these mistakes
 * are told together with all the others; whatever is not of its right form is skipped here.
 */
export function contradictionsIn(raw: unknown): Finding[] {
  const groups = entriesOf(field(raw, "groups"));
  const isMap = field(raw, "groups") !== undefined;
  return [
    ...(isMap && groups.length === 0
      ? [wrong(["groups"], "needs at least one group, for example app")]
      : []),
    ...sharedAddresses(raw),
    ...openAdmin(field(raw, "admin")),
    ...sharedRoutes(groups),
    ...groups.flatMap(([name, group]) => groupContradictions(["groups", name], group)),
    ...groups.flatMap(([name, group]) => standbyContradictions(name, group)),
    ...groups.flatMap(([name, group]) => splitContradictions(name, group)),
  ];
}

function groupContradictions(path: Path, group: unknown): Finding[] {
  const pools = entriesOf(field(group, "pools"));
  return [
    ...unknownPrimary(
      path,
      field(group, "primary"),
      pools.map(([name]) => name),
    ),
    ...healthContradictions([...path, "health"], field(group, "health")),
    ...pools.flatMap(([name, pool]) => poolContradictions([...path, "pools", name], pool)),
    ...pools.flatMap(([name, pool]) =>
      healthContradictions([...path, "pools", name, "health"], field(pool, "health")),
    ),
  ];
}

function unknownPrimary(path: Path, primary: unknown, pools: readonly string[]): Finding[] {
  if (typeof primary !== "string" || pools.includes(primary)) return [];
  const known = pools.length === 0 ? "the group has none" : `there is ${pools.join(", ")}`;
  const hint = didYouMean(primary, pools);
  return [wrong([...path, "primary"], `no pool is named ${quote(primary)}: ${known}${hint}`)];
}

const SERVER_KEYS = ["url", "weight", "max_fails", "fail_timeout", "max_conns", "down"] as const;

function poolContradictions(path: Path, pool: unknown): Finding[] {
  const servers = Array.isArray(pool) ? pool : field(pool, "servers");
  const below = Array.isArray(pool) ? path : [...path, "servers"];
  if (Array.isArray(servers)) {
    return [...misplacedKeys(path, pool), ...repeatedServers(below, servers)];
  }
  const isEmpty = isRecord(pool) && field(pool, "url") === undefined && servers === undefined;
  return isEmpty ? [wrong(path, "needs `servers` or a `url`")] : [];
}

function misplacedKeys(path: Path, pool: unknown): Finding[] {
  return SERVER_KEYS.filter((key) => field(pool, key) !== undefined).map((key) => ({
    path: [...path, key],
    at: "key",
    message: "belongs to a server: write it into each of `servers`",
  }));
}

function repeatedServers(path: Path, servers: readonly unknown[]): Finding[] {
  const seen = new Set<string>();
  return servers.flatMap((server, index) => {
    const isShort = typeof server === "string";
    const url = parseServerUrl(isShort ? server : field(server, "url"));
    if (!url.ok || !seen.has(url.value.address)) {
      if (url.ok) seen.add(url.value.address);
      return [];
    }
    const message = `${url.value.address} is in this pool already: give it a \`weight\` instead`;
    return [wrong([...path, index, ...(isShort ? [] : ["url"])], message)];
  });
}

function sharedRoutes(groups: readonly (readonly [string, unknown])[]): Finding[] {
  const owners = new Map<string, string>();
  return groups.flatMap(([name, group]) => {
    const written = field(group, "routes");
    const parsed = routes.safeParse(written);
    if (!parsed.success) return [];
    return parsed.data.flatMap((route, index) => {
      const key = routeKey({ host: route.host, path: route.path });
      const owner = owners.get(key);
      owners.set(key, owner ?? name);
      if (owner === undefined) return [];
      const place = written === undefined ? [] : ["routes", index];
      return [wrong(["groups", name, ...place], sharedRoute(key, owner, name))];
    });
  });
}

function sharedRoute(key: string, owner: string, name: string): string {
  const route = key.startsWith("*/") ? `any host, path ${key.slice(1)}` : key;
  if (owner === name) return `the route "${route}" is in group "${name}" twice`;
  return `the route "${route}" belongs to group "${owner}" already: give "${name}" another host or path`;
}

function sharedAddresses(raw: unknown): Finding[] {
  const listening = places(listen, field(raw, "listen"), ["listen"]);
  const operators = places(
    admin.transform((found) => [found.address]),
    field(raw, "admin"),
    ["admin", "address"],
  );
  const seen = new Set<string>();
  return [...listening, ...operators].flatMap(({ path, address }) => {
    const key = address.kind === "unix" ? address.path : `${address.host}:${address.port}`;
    // There is one free port for clients, and another one for operators.
    if (path[0] === "admin" && address.kind === "tcp" && address.port === 0) return [];
    if (seen.has(key)) return [wrong(path, `${key} is listened on already`)];
    seen.add(key);
    return [];
  });
}

/** Whoever reaches the operators' address may give orders. */
function openAdmin(written: unknown): Finding[] {
  const address = parseAddress(field(written, "address"));
  const isGuarded = field(written, "token_file") !== undefined;
  if (!address.ok || isGuarded || field(written, "insecure") === true) return [];
  if (isLoopback(address.value)) return [];
  const ways = "give it a `token_file`, or write `insecure: true` where others cannot reach it";
  return [
    wrong(["admin", "address"], `is open to other machines, and no token is needed: ${ways}`),
  ];
}

function places(schema: z.ZodType<readonly Address[]>, written: unknown, path: Path) {
  const parsed = schema.safeParse(written);
  const isList = Array.isArray(written);
  return (parsed.data ?? []).map((address, index) => ({
    address,
    path: isList ? [...path, index] : path,
  }));
}

function wrong(path: Path, message: string): Finding {
  return { path, at: "value", message };
}
