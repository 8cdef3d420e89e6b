import type { Config, GroupConfig } from "../config/config.ts";
import { parseGroup } from "../config/parse-group.ts";
import type { GatewayEvent } from "../events.ts";
import { routeKey } from "../routing/router.ts";
import type { Outcome } from "./control.ts";
import type { OrderLock } from "./order-lock.ts";
import type { GroupOrder, Order } from "./orders.ts";
import { done, refused, withKept } from "./outcomes.ts";
import type { SavedState, StateStore } from "./state-store.ts";

export interface RuntimeGroupsTools {
  readonly store: StateStore;
  readonly lock: OrderLock;
  /** Names of the groups in service. */
  readonly names: () => readonly string[];
  /** Serves the file's configuration as merge() makes it now. */
  readonly serve: () => Promise<Outcome>;
  /** The configuration as its file has it. */
  readonly file: () => Config;
  /** Whether somebody is on its servers, or waits for one. */
  readonly isBusy: (group: string) => boolean;
  readonly tell: (event: GatewayEvent) => void;
}

/** Groups that are made, changed and deleted while the gateway runs: kept in its state, not in its user's file. */
export class RuntimeGroups {
  readonly #tools: RuntimeGroupsTools;

  constructor(tools: RuntimeGroupsTools) {
    this.#tools = tools;
  }

  create(name: string, { by, definition }: GroupOrder): Promise<Outcome> {
    if (this.#tools.names().includes(name)) {
      return Promise.resolve(refused(`there is a group ${JSON.stringify(name)} already`));
    }
    return this.#define(name, by, definition, "group-created");
  }

  change(name: string, { by, definition }: GroupOrder): Promise<Outcome> {
    return this.#define(name, by, definition, "group-changed");
  }

  remove(name: string, { by, force }: Order & { readonly force: boolean }): Promise<Outcome> {
    const { names, isBusy, file } = this.#tools;
    const isInFile = file().groups.some((group) => group.name === name);
    if (names().length === 1) {
      return Promise.resolve(refused(`${name} is the only group: a gateway needs one`));
    }
    if (isBusy(name) && !force) {
      return Promise.resolve(refused(`${name} still has requests or tunnels on its servers`));
    }
    return this.#change(name, by, "group-deleted", ({ defined, deleted, ...rest }) => ({
      ...rest,
      defined: without(defined, name),
      deleted: isInFile ? [...deleted.filter((one) => one !== name), name] : deleted,
    }));
  }

  async #define(
    name: string,
    by: string,
    definition: unknown,
    type: "group-created" | "group-changed",
  ): Promise<Outcome> {
    const parsed = parseGroup(name, definition);
    if (!parsed.ok) return { ok: false, kind: "failed", lines: parsed.message.split("; ") };
    return await this.#change(name, by, type, ({ defined, deleted, ...rest }) => ({
      ...rest,
      defined: { ...defined, [name]: definition },
      deleted: deleted.filter((one) => one !== name),
    }));
  }

  #change(
    name: string,
    by: string,
    type: "group-created" | "group-changed" | "group-deleted",
    change: (saved: SavedState) => SavedState,
  ): Promise<Outcome> {
    const { lock, store, serve, tell, file } = this.#tools;
    return lock.run(name, { by, what: type.replace("-", " ") }, async () => {
      const { defined, deleted } = store.saved;
      const { problems } = mergeGroups(file(), change(store.saved));
      const mine = problems.filter((problem) => problem.startsWith(beginning(name)));
      if (mine.length > 0) return { ok: false, kind: "failed", lines: mine };
      const kept = await store.save(change);
      const outcome = await serve();
      if (!outcome.ok) {
        await store.save((saved) => ({ ...saved, defined, deleted }));
        return outcome;
      }
      tell({ type, group: name, reason: `ordered by ${by}` });
      return withKept(done(outcome.lines, { group: name }), kept);
    });
  }
}

/**
 * What is to be served: the groups of the file but for those that were deleted, in place of others what they were changed
 * to, and those that were made. `problems`: what is left out, since it does not fit any more.
 */
export function mergeGroups(
  file: Config,
  { defined, deleted }: SavedState,
): { readonly config: Config; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const groups: GroupConfig[] = file.groups.filter(({ name }) => !deleted.includes(name));
  for (const [name, definition] of Object.entries(defined)) {
    const parsed = parseGroup(name, definition);
    const others = groups.filter((one) => one.name !== name);
    const clash = parsed.ok ? clashOf(parsed.value, others) : parsed.message;
    if (clash !== undefined) problems.push(beginning(name) + clash);
    if (!parsed.ok || clash !== undefined) continue;
    const at = groups.findIndex((one) => one.name === name);
    if (at === -1) groups.push(parsed.value);
    else groups[at] = parsed.value;
  }
  return { config: { ...file, groups }, problems };
}

function beginning(name: string): string {
  return `group ${name}, as it was given at run time: `;
}

/** Which route another group has already, in words. */
function clashOf(group: GroupConfig, others: readonly GroupConfig[]): string | undefined {
  for (const route of group.routes) {
    const key = routeKey(route);
    const owner = others.find(({ routes }) => routes.some((one) => routeKey(one) === key));
    if (owner === undefined) continue;
    const { host = "any host", path } = route;
    return `the route ${JSON.stringify(`${host}${path}`)} belongs to group ${JSON.stringify(owner.name)} already`;
  }
  return undefined;
}

function without(
  map: Readonly<Record<string, unknown>>,
  name: string,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(map).filter(([key]) => key !== name));
}
