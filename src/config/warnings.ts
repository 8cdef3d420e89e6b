import type { Finding } from "./issues.ts";
import type { ParsedConfig, ParsedGroup } from "./schema.ts";

/** What is allowed but hardly meant. */
export function warningsIn(config: ParsedConfig): Finding[] {
  const groups = Object.entries(config.groups).flatMap(([name, group]) =>
    groupWarnings(group).map(({ key, message }) => finding(["groups", name, key], message)),
  );
  return [...withoutEffect(config), ...groups];
}

/** Keys of the contract that this version reads and checks, no more. */
function withoutEffect({ admin, workers }: ParsedConfig): Finding[] {
  const found = [];
  if (admin !== undefined) {
    found.push(finding(["admin"], "has no effect yet: this version has no door for operators"));
  }
  if (workers !== "auto" && workers > 1) {
    found.push(finding(["workers"], "has no effect yet: this version serves in one process"));
  }
  return found;
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
