import type { Finding } from "./issues.ts";
import type { ParsedConfig, ParsedGroup } from "./schema.ts";

/** What is allowed but hardly meant. */
export function warningsIn(config: ParsedConfig): Finding[] {
  return Object.entries(config.groups).flatMap(([name, group]) =>
    groupWarnings(group).map(({ key, message }) => finding(["groups", name, key], message)),
  );
}

function finding(path: readonly string[], message: string): Finding {
  return { path, at: "key", message };
}

function groupWarnings(group: ParsedGroup): { readonly key: string; readonly message: string }[] {
  const servers = Object.values(group.pools).flatMap((pool) => pool.servers);
  const warnings = [];
  if (group.routes.length === 0) {
    warnings.push({ key: "routes", message: "no request reaches a group without routes" });
  }
  if (servers.length > 0 && servers.every((server) => server.down)) {
    warnings.push({ key: "pools", message: "every server is `down`: all requests get 502" });
  }
  return warnings;
}
