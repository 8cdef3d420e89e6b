import { didYouMean } from "../config/suggest.ts";
import type { GroupState, PoolState } from "../failover/group-state.ts";
import type { ServerState } from "../failover/server.ts";
import { problem, type WholeAnswer } from "./admin-answer.ts";
import type { Call } from "./admin-route.ts";
import type { Control } from "./control.ts";
import { fits, tagOf } from "./group-tag.ts";

export type Found<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly answer: WholeAnswer };

/** The group that stands in the path, or 404 with what would be right. */
export function findGroup({ groups }: Control, call: Call): Found<GroupState> {
  const name = call.param("group");
  const all = Array.from(groups);
  const found = all.find(({ spec }) => spec.name === name);
  if (found !== undefined) return { ok: true, value: found };
  return unknown(
    "no group",
    name,
    all.map(({ spec }) => spec.name),
  );
}

/** The same for a request that changes it: not where it has changed since its sender has looked. */
export function findGroupToChange(control: Control, call: Call): Found<GroupState> {
  const found = findGroup(control, call);
  if (!found.ok || fits(call.headers["if-match"], found.value)) return found;
  const detail = `group "${found.value.spec.name}" is not what If-Match names any more: look again, its ETag is ${tagOf(found.value)}`;
  return { ok: false, answer: problem("CHANGED", detail) };
}

export function findPool(group: GroupState, name: string): Found<PoolState> {
  const found = group.pools.find((pool) => pool.name === name);
  if (found !== undefined) return { ok: true, value: found };
  return unknown(
    `group "${group.spec.name}" has no pool`,
    name,
    group.pools.map((pool) => pool.name),
  );
}

/** By its address. */
export function findServer(pool: PoolState, address: string): Found<ServerState> {
  const found = pool.servers.find(({ spec }) => spec.address === address);
  if (found !== undefined) return { ok: true, value: found };
  return unknown(
    `pool "${pool.name}" has no server`,
    address,
    pool.servers.map(({ spec }) => spec.address),
  );
}

function unknown(what: string, word: string, known: readonly string[]): Found<never> {
  const others = known.length > 0 ? `, known here: ${known.join(", ")}` : "";
  const hint = didYouMean(word, known) || others;
  return { ok: false, answer: problem("NOT_FOUND", `${what} ${JSON.stringify(word)}${hint}`) };
}
