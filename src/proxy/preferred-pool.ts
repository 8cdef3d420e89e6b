import type { PoolRule } from "../config/config.ts";
import { drawPool, isWithin, splitOf } from "../failover/split.ts";
import { cookieValues } from "../http1/cookies.ts";
import type { RequestHead } from "../http1/request-head.ts";
import { drawKeyOf, originOf } from "./draw-key.ts";
import type { ClientFacts } from "./exchange-notes.ts";
import type { ServingGroup } from "./serving-group.ts";

/** The pool that a request is sent to first, by a rule of its group or its client's share; undefined: the active one. */
export function preferredPool(
  group: ServingGroup,
  head: RequestHead,
  client: ClientFacts,
  requestId: string,
): string | undefined {
  const { rules } = group.config;
  const shares = splitOf(group.state);
  if (rules.length === 0 && shares.length === 0) return undefined;
  // It has to meet the active pool.
  if (group.context.isProof(requestId)) return undefined;
  const key = (): string =>
    drawKeyOf(group, head, client) || originOf(head, client, group.isTrusted);
  const rule = rules.find((one) => fits(one, head, key));
  if (rule !== undefined) return rule.pool;
  return shares.length === 0 ? undefined : drawPool(shares, key());
}

function fits(rule: PoolRule, head: RequestHead, key: () => string): boolean {
  switch (rule.kind) {
    case "header":
      return isWanted(rule.value, head.field(rule.name));
    case "cookie":
      return isWanted(rule.value, cookieValues(head.field("cookie") ?? "", rule.name)[0]);
    case "clients":
      return isWithin(rule.percent, key());
  }
}

/** Without a wanted value any will do. */
function isWanted(wanted: string | undefined, found: string | undefined): boolean {
  return found !== undefined && (wanted === undefined || wanted === found);
}
