import type { Cancel, Clock } from "../clock.ts";
import { dueCheck, type GroupEvent, nextDue } from "../failover/group.ts";
import type { GroupState } from "../failover/group-state.ts";
import type { Groups } from "../failover/groups.ts";
import { mayStrike } from "../failover/judge.ts";
import type { DueCheck } from "../failover/recheck.ts";
import { counterpart, type ServerState } from "../failover/server.ts";
import type { SetDeadline } from "./check-time.ts";
import { checkServer, type CheckResult, type Identity } from "./check-server.ts";
import type { FindAddress } from "./connect.ts";

export interface CheckTimeouts {
  readonly connectMs: number;
  readonly readMs: number;
}

export interface RecheckSettings {
  readonly groups: Groups;
  readonly clock: Clock;
  readonly findAddress: FindAddress;
  readonly setDeadline: SetDeadline;
  /** These are as the configuration in service has them when a check begins. */
  readonly timeoutsOf: (group: string) => CheckTimeouts;
  readonly expectedOf: (group: string, pool: string) => Identity | undefined;
  /** The longest head of an answer, in bytes. */
  readonly headBytes: () => number;
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
 * request of a user has to find out; looks the name of every new server up; and tells groups when a
 * time they wait for has come.
 */
export function startRechecks(settings: RecheckSettings): Rechecks {
  const rechecks = new Rechecks(settings);
  rechecks.follow();
  return rechecks;
}

export class Rechecks {
  readonly #settings: RecheckSettings;
  /** The servers that there are. */
  #known: ReadonlySet<string> = new Set();
  readonly #plans = new Map<string, Plan>();
  /** Servers that are being asked. */
  readonly #running = new Map<string, AbortController>();
  readonly #unsubscribe: () => void;

  constructor(settings: RecheckSettings) {
    this.#settings = settings;
    this.#unsubscribe = settings.groups.subscribe((change) => this.#planGroup(change.after));
  }

  /**
   * The groups were loaded: what is planned or asked for servers and groups that are gone ends without
   * a word, names of new servers are looked up. Call it once their configuration is in service.
   */
  follow(): void {
    const groups = [...this.#settings.groups];
    const before = this.#known;
    this.#known = new Set(groups.flatMap((group) => group.servers.map((one) => keyOf(group, one))));
    this.#dropAllBut(new Set([...groups.map(({ spec }) => spec.name), ...this.#known]));
    for (const group of groups) {
      this.#planGroup(group);
      for (const server of group.servers) {
        if (!before.has(keyOf(group, server))) void this.#check(group, server, "resolve");
      }
    }
  }

  stop(): void {
    this.#unsubscribe();
    this.#dropAllBut(new Set());
  }

  #dropAllBut(keys: ReadonlySet<string>): void {
    for (const [key, { cancel }] of this.#plans) {
      if (keys.has(key)) continue;
      cancel();
      this.#plans.delete(key);
    }
    for (const [key, aborter] of this.#running) {
      if (keys.has(key)) continue;
      aborter.abort();
      this.#running.delete(key);
    }
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
        if (check !== undefined) this.#ask(group, server, check.kind);
      });
    }
  }

  #planAgain(group: string): void {
    const state = this.#settings.groups.find(group);
    if (state !== undefined) this.#planGroup(state);
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

  /** A check that was planned before a reload goes by what is configured now. */
  #ask({ spec }: GroupState, planned: ServerState, kind: DueCheck["kind"]): void {
    const group = this.#settings.groups.find(spec.name);
    const server = group && counterpart(group.servers, planned);
    if (group && server) void this.#check(group, server, kind);
  }

  async #check(group: GroupState, server: ServerState, kind: DueCheck["kind"]): Promise<void> {
    const key = keyOf(group, server);
    if (this.#running.has(key)) return;
    const aborter = new AbortController();
    this.#running.set(key, aborter);
    const { name, policy } = group.spec;
    const { groups, findAddress, setDeadline, timeoutsOf, expectedOf, headBytes } = this.#settings;
    const { connectMs, readMs } = timeoutsOf(name);
    const result = await checkServer(server.spec, kind, {
      connectMs: connectMs || LONGEST_CHECK_MS,
      answerMs: readMs || LONGEST_CHECK_MS,
      headBytes: headBytes(),
      findAddress,
      setDeadline,
      expected: expectedOf(name, server.spec.pool),
      isFailure: (status) => mayStrike(policy, status),
      signal: aborter.signal,
    });
    if (aborter.signal.aborted) return;
    this.#running.delete(key);
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
