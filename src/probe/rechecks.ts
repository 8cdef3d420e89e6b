import type { Cancel, Clock } from "../clock.ts";
import { dueCheck, type GroupEvent, nextDue } from "../failover/group.ts";
import type { GroupState } from "../failover/group-state.ts";
import type { Groups } from "../failover/groups.ts";
import { mayStrike } from "../failover/judge.ts";
import type { DueCheck } from "../failover/recheck.ts";
import type { ServerState } from "../failover/server.ts";
import { checkServer, type CheckResult, type FindAddress, type Identity } from "./check-server.ts";

export interface CheckTimeouts {
  readonly connectMs: number;
  readonly readMs: number;
}

export interface RecheckSettings {
  readonly groups: Groups;
  readonly clock: Clock;
  readonly findAddress: FindAddress;
  readonly timeoutsOf: (group: string) => CheckTimeouts;
  readonly expectedOf: (group: string, pool: string) => Identity | undefined;
  /** The longest head of an answer, in bytes. */
  readonly headBytes: number;
}

/** Where a limit is switched off a check still ends, after this many milliseconds. */
const LONGEST_CHECK_MS = 10_000;

/** What is planned for one server, or for a group as a whole. */
interface Plan {
  readonly at: number;
  readonly kind: DueCheck["kind"] | "time";
  readonly cancel: Cancel;
}

/**
 * Asks servers that are out whether they are back, when `failover/` says it is due, so that no
 * request of a user has to find out; looks every name up at the start; and tells groups when a time
 * they wait for has come. Returns its end.
 */
export function startRechecks(settings: RecheckSettings): () => void {
  const rechecks = new Rechecks(settings);
  return () => rechecks.stop();
}

class Rechecks {
  readonly #settings: RecheckSettings;
  readonly #plans = new Map<string, Plan>();
  /** Servers that are being asked. */
  readonly #running = new Set<string>();
  readonly #aborter = new AbortController();
  readonly #unsubscribe: () => void;

  constructor(settings: RecheckSettings) {
    this.#settings = settings;
    this.#unsubscribe = settings.groups.subscribe((change) => this.#planGroup(change.after));
    for (const group of settings.groups.all()) {
      this.#planGroup(group);
      for (const server of group.servers) void this.#check(group, server, "resolve");
    }
  }

  stop(): void {
    this.#unsubscribe();
    this.#aborter.abort();
    for (const { cancel } of this.#plans.values()) cancel();
  }

  #planGroup(group: GroupState): void {
    const { name } = group.spec;
    const due = nextDue(group);
    this.#plan(name, due === undefined ? undefined : { at: due, kind: "time" }, () => {
      this.#settings.groups.apply(name, { type: "time-passed" });
      this.#planAgain(name);
    });
    for (const server of group.servers) {
      const key = keyOf(group, server);
      if (this.#running.has(key)) continue;
      const check = dueCheck(group, server);
      this.#plan(key, check, () => {
        if (check !== undefined) void this.#check(group, server, check.kind);
      });
    }
  }

  #planAgain(group: string): void {
    this.#planGroup(this.#settings.groups.get(group));
  }

  #plan(key: string, due: Pick<Plan, "at" | "kind"> | undefined, run: () => void): void {
    const planned = this.#plans.get(key);
    if (planned?.at === due?.at && planned?.kind === due?.kind) return;
    planned?.cancel();
    this.#plans.delete(key);
    if (due === undefined) return;
    const { clock } = this.#settings;
    const cancel = clock.after(Math.max(0, due.at - clock.now()), () => {
      this.#plans.delete(key);
      run();
    });
    this.#plans.set(key, { ...due, cancel });
  }

  async #check(group: GroupState, server: ServerState, kind: DueCheck["kind"]): Promise<void> {
    const key = keyOf(group, server);
    if (this.#running.has(key)) return;
    this.#running.add(key);
    const { name, policy } = group.spec;
    const { groups, findAddress, timeoutsOf, expectedOf, headBytes } = this.#settings;
    const { connectMs, readMs } = timeoutsOf(name);
    const result = await checkServer(server.spec, kind, {
      connectMs: connectMs || LONGEST_CHECK_MS,
      answerMs: readMs || LONGEST_CHECK_MS,
      headBytes,
      findAddress,
      expected: expectedOf(name, server.spec.pool),
      isFailure: (status) => mayStrike(policy, status),
      signal: this.#aborter.signal,
    });
    this.#running.delete(key);
    if (this.#aborter.signal.aborted) return;
    groups.apply(name, eventOf(server.index, kind, result), group);
    this.#planAgain(name);
  }
}

function keyOf(group: GroupState, server: ServerState): string {
  return `${group.spec.name} ${server.spec.key}`;
}

function eventOf(server: number, kind: DueCheck["kind"], result: CheckResult): GroupEvent {
  if (kind === "resolve") {
    if (result.ok) return { type: "resolved", server };
    return { type: "resolve-failed", server, reason: result.reason };
  }
  if (result.ok) return { type: "check-passed", server };
  return { type: "check-failed", server, reason: result.reason };
}
