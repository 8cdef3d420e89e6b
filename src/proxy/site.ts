import { BlockList, isIP, isIPv6 } from "node:net";
import type { Config } from "../config/config.ts";
import type { Groups } from "../failover/groups.ts";
import { createRouter, type Router } from "../routing/router.ts";
import type { ProxyContext } from "./context.ts";
import { ServingGroup } from "./serving-group.ts";

/** One configuration in service. An exchange keeps the site it began with. */
export interface Site {
  readonly config: Config;
  readonly router: Router<ServingGroup>;
  readonly groups: readonly ServingGroup[];
  /** Are the `X-Forwarded-*` fields of this peer believed? */
  isTrusted(address: string): boolean;
  /** The gateway stops: long-lived connections leave within `spreadMs`. */
  stop(spreadMs: number): void;
  close(): void;
}

export function createSite(config: Config, groups: Groups, context: ProxyContext): Site {
  const { limits } = config;
  const answerLimits = {
    headBytes: limits.serverHeadBytes,
    targetBytes: limits.targetBytes,
    fieldCount: limits.fieldCount * 2,
  };
  const isTrusted = trustChecker(config.trustedProxies);
  const serving = config.groups.map(
    (group) => new ServingGroup(group, groups, context, { answerLimits, isTrusted }),
  );
  return {
    config,
    groups: serving,
    router: createRouter(
      serving.flatMap((group) => group.config.routes.map((route) => ({ route, target: group }))),
    ),
    stop(spreadMs) {
      for (const group of serving) group.stop(spreadMs);
    },
    isTrusted,
    close() {
      for (const group of serving) group.close();
    },
  };
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
