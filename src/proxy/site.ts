import { BlockList, isIP, isIPv6 } from "node:net";
import type { Config } from "../config/config.ts";
import type { GroupStates } from "../failover/groups.ts";
import { createRouter, type Router } from "../routing/router.ts";
import type { ProxyContext } from "./context.ts";
import { DepartedServers } from "./departed.ts";
import { ServingGroup, type SiteRules, type SiteShared } from "./serving-group.ts";

/** One configuration in service. An exchange keeps the site it began with. */
export interface Site {
  readonly config: Config;
  readonly router: Router<ServingGroup>;
  readonly groups: readonly ServingGroup[];
  /** The same in all sites of a run. */
  readonly departed: DepartedServers;
  /** Are the `X-Forwarded-*` fields of this peer believed? */
  isTrusted(address: string): boolean;
  /** The gateway stops: long-lived connections leave within `spreadMs`. */
  stop(spreadMs: number): void;
  /** Another process takes over: they leave in the time that a drain gives them. */
  retire(): void;
  close(): void;
}

/**
 * Puts a configuration in service whose groups are loaded. It takes over from `previous`, which needs
 * no close(): a group whose `GroupConfig` is the very object that it was there stays as it is, a
 * changed one keeps what belongs to the servers that it still has, and the other servers depart.
 */
export function createSite(
  config: Config,
  states: GroupStates,
  context: ProxyContext,
  previous?: Site,
): Site {
  const departed = previous?.departed ?? new DepartedServers(context);
  departed.forgetDeserted();
  const rules = rulesOf(config);
  const groups = serve(config, { states, context, departed }, rules, previous);
  return {
    config,
    groups,
    departed,
    router: createRouter(
      groups.flatMap((group) => group.config.routes.map((route) => ({ route, target: group }))),
    ),
    isTrusted: rules.isTrusted,
    stop(spreadMs) {
      for (const group of groups) group.stop(spreadMs);
      departed.stop(spreadMs);
    },
    retire() {
      for (const group of groups) group.departInTime();
    },
    close() {
      for (const group of groups) group.close();
      departed.close();
    },
  };
}

/** The groups that serve from now on; those that are gone retire. */
function serve(
  config: Config,
  shared: SiteShared,
  rules: SiteRules,
  previous: Site | undefined,
): readonly ServingGroup[] {
  const left = new Map(previous?.groups.map((group) => [group.config.name, group]));
  const groups = config.groups.map((group) => {
    const known = left.get(group.name);
    left.delete(group.name);
    if (known?.config !== group) return new ServingGroup(group, shared, rules, known);
    known.goBy(rules);
    return known;
  });
  for (const gone of left.values()) gone.retire();
  return groups;
}

function rulesOf({ limits, trustedProxies }: Config): SiteRules {
  const answerLimits = {
    headBytes: limits.serverHeadBytes,
    targetBytes: limits.targetBytes,
    fieldCount: limits.fieldCount * 2,
  };
  return { answerLimits, isTrusted: trustChecker(trustedProxies) };
}

function trustChecker(blocks: readonly string[]): (address: string) => boolean {
  if (blocks.length === 0) return () => false;
  const list = new BlockList();
  for (const block of blocks) {
    const [address = "", bits] = block.split("/");
    const family = isIPv6(address) ? "ipv6" : "ipv4";
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return (address) => {
    const version = isIP(address);
    return version !== 0 && list.check(address, version === 6 ? "ipv6" : "ipv4");
  };
}
