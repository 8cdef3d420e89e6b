import { routeKey } from "../routing/router.ts";
import type { Config, GroupConfig } from "./config.ts";
import type { Finding } from "./issues.ts";
import { entriesOf, field } from "./raw.ts";

/**
 * The groups of `previous` that stay as they were: those that the findings are in. None without
 * findings; undefined where one is in no group, or in one that has no form to keep.
 */
export function groupsToKeep(
  findings: readonly Finding[],
  previous: Config | undefined,
): readonly GroupConfig[] | undefined {
  const names = new Set(
    findings.map(({ path: [top, name] }) => (top === "groups" ? name : undefined)),
  );
  const kept = (previous?.groups ?? []).filter((group) => names.has(group.name));
  return kept.length === names.size ? kept : undefined;
}

/** The raw data without these groups. */
export function withoutGroups(raw: unknown, left: readonly GroupConfig[]): unknown {
  if (left.length === 0) return raw;
  const names = new Set(left.map((group) => group.name));
  const groups = entriesOf(field(raw, "groups")).filter(([name]) => !names.has(name));
  return { ...Object.fromEntries(entriesOf(raw)), groups: Object.fromEntries(groups) };
}

/** These groups among the others, in the order of the raw data. */
export function withGroups(config: Config, kept: readonly GroupConfig[], raw: unknown): Config {
  if (kept.length === 0) return config;
  const forms = new Map([...config.groups, ...kept].map((group) => [group.name, group]));
  const names = entriesOf(field(raw, "groups")).map(([name]) => name);
  return { ...config, groups: names.flatMap((name) => forms.get(name) ?? []) };
}

/** Routes that a group of the new text shares with one that stays as it was. */
export function clashesWith(kept: readonly GroupConfig[], config: Config): Finding[] {
  const owners = new Map(
    kept.flatMap((group) => group.routes.map((route) => [routeKey(route), group] as const)),
  );
  return config.groups.flatMap((group) =>
    group.routes.flatMap((route, index) => {
      const owner = owners.get(routeKey(route)) ?? group;
      return owner === group ? [] : [clash(group.name, index, owner.name)];
    }),
  );
}

function clash(group: string, route: number, owner: string): Finding {
  const message = `this route belongs to group "${owner}", which is wrong here and stays as it was`;
  return { path: ["groups", group, "routes", route], at: "value", message };
}
