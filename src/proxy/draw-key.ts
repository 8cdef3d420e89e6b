import type { RequestHead } from "../http1/request-head.ts";
import type { ClientFacts } from "./exchange-notes.ts";
import { hashKeyOf } from "./hash-key.ts";
import type { ServingGroup } from "./serving-group.ts";

/** What a server is drawn by; empty where the balance of the group knows no key. */
export function drawKeyOf(group: ServingGroup, head: RequestHead, client: ClientFacts): string {
  const { affinity, spec } = group.config;
  if (affinity.kind === "ip") return originOf(head, client, group.isTrusted);
  // Without the header any server will do.
  const value = affinity.kind === "header" ? (head.field(affinity.name) ?? "") : "";
  if (value !== "" || spec.balance.kind !== "hash") return value;
  return hashKeyOf(spec.balance.key, head, client.address);
}

/** A client's address: behind trusted proxies the one that the outermost of them saw: what is left of it is hearsay. */
export function originOf(
  { fields }: RequestHead,
  { address, trusted }: ClientFacts,
  isTrusted: (address: string) => boolean,
): string {
  if (!trusted || fields.forwardedFor === undefined) return address;
  const path = fields.forwardedFor.split(",").map((one) => one.trim());
  return path.findLast((one) => !isTrusted(one)) ?? path[0] ?? address;
}
