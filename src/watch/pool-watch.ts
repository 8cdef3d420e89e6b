import type { PoolFacts } from "../alert/signals.ts";
import type { GatewayEvent } from "../events.ts";
import { isBad, type LineFacts } from "./line-facts.ts";

/** A change is believed after so many lines in a row, or when nothing has spoken against it for so long. */
const ENOUGH_LINES = 3;
const ENOUGH_MS = 1_000;

/** What outlives a restart. */
export interface KeptPools {
  readonly primary: string | undefined;
  readonly serving: string | undefined;
  /** Lines of requests that began before are of the time before. */
  readonly since: number;
  readonly isDown: boolean;
}

/** Lines that speak for another pool than the one that serves. */
interface Candidate {
  readonly pool: string;
  readonly lines: number;
  readonly first: LineFacts;
  readonly at: number;
}

/** Finds out from the lines of a group which of its pools serves, and whether any does. */
export class PoolWatch {
  readonly #group: string;
  #primary: string | undefined;
  #serving: string | undefined;
  #since: number;
  #isDown: boolean;
  #candidate: Candidate | undefined;
  /** Lines in a row to which no server gave an answer. */
  #failures = 0;
  readonly #pools = new Map<string, PoolFacts>();

  /** `primary`: the pool that should serve; undefined = the first one that does. */
  constructor(group: string, primary: string | undefined, kept?: KeptPools) {
    this.#group = group;
    this.#primary = primary ?? kept?.primary;
    this.#serving = kept?.serving ?? primary;
    this.#since = kept?.since ?? -Infinity;
    this.#isDown = kept?.isDown ?? false;
  }

  get kept(): KeptPools {
    return {
      primary: this.#primary,
      serving: this.#serving,
      since: Math.max(this.#since, 0),
      isDown: this.#isDown,
    };
  }

  /** What went on already when the watch began. */
  get goingOn(): readonly GatewayEvent[] {
    const [from, to] = [this.#primary, this.#serving];
    return [
      ...(from === undefined || to === undefined || from === to
        ? []
        : [this.#moved(from, to, `${to} still answers the requests`)]),
      ...(this.#isDown ? [this.#down("no server had answered when the watch began")] : []),
    ];
  }

  /** What was learnt of a pool. */
  factsOf(pool: string): PoolFacts {
    return this.#pools.get(pool) ?? { release: undefined, addresses: [] };
  }

  hear(line: LineFacts, now: number): readonly GatewayEvent[] {
    if (isUnanswered(line)) return this.#countFailure(line);
    this.#failures = 0;
    const recovered = this.#isDown ? [this.#recovered()] : [];
    this.#isDown = false;
    const { pool } = line;
    if (pool === undefined) return recovered;
    this.#learn(pool, line);
    this.#primary ??= pool;
    this.#serving ??= pool;
    this.#weigh(pool, line, now);
    return [...recovered, ...this.look(now)];
  }

  /** Whether what was doubtful can be believed by now. */
  look(now: number): readonly GatewayEvent[] {
    const candidate = this.#candidate;
    if (candidate === undefined) return [];
    const isSure = candidate.lines >= ENOUGH_LINES || now - candidate.at >= ENOUGH_MS;
    return isSure ? [this.#change(candidate)] : [];
  }

  #weigh(pool: string, line: LineFacts, now: number): void {
    const { at = now, requestTimeMs = 0 } = line;
    if (pool === this.#serving) {
      this.#candidate = undefined;
      return;
    }
    // A request that began before the last change and ends only now.
    if (at - requestTimeMs < this.#since) return;
    const before = this.#candidate?.pool === pool ? this.#candidate : undefined;
    const lines = (before?.lines ?? 0) + 1;
    this.#candidate = { pool, lines, first: before?.first ?? line, at: before?.at ?? now };
  }

  #change({ pool, first, at }: Candidate): GatewayEvent {
    const from = this.#serving ?? pool;
    this.#serving = pool;
    this.#since = first.at ?? at;
    this.#candidate = undefined;
    const reason = reasonOf(first);
    return this.#moved(from, pool, `${pool} answers the requests${reason && `: ${reason}`}`);
  }

  #moved(from: string, to: string, reason: string): GatewayEvent {
    const type = to === this.#primary ? "failback" : "failover";
    return { type, group: this.#group, from, to, reason };
  }

  #countFailure(line: LineFacts): readonly GatewayEvent[] {
    this.#failures += 1;
    if (this.#isDown || this.#failures < ENOUGH_LINES) return [];
    this.#isDown = true;
    const why = reasonOf(line) || `clients get ${line.status}`;
    return [this.#down(`${this.#failures} requests in a row had no answer: ${why}`)];
  }

  #down(reason: string): GatewayEvent {
    return { type: "all-down", group: this.#group, reason };
  }

  #recovered(): GatewayEvent {
    return { type: "group-recovered", group: this.#group, reason: "requests are answered again" };
  }

  #learn(pool: string, { release, attempts, requestTimeMs }: LineFacts): void {
    const known = this.factsOf(pool);
    const addr = attempts.at(-1)?.addr ?? "";
    this.#pools.set(pool, {
      release: release ?? known.release,
      addresses: addr === "" ? known.addresses : [addr],
      requestTimeMs: requestTimeMs ?? known.requestTimeMs,
    });
  }
}

/** No server gave an answer, but the one that stands before them. */
function isUnanswered({ status, pool, attempts }: LineFacts): boolean {
  if (status < 502 || status > 504) return false;
  return attempts.length === 0 ? pool === undefined : attempts.every(isBad);
}

/** `127.0.0.1:3001 gave 502`: as nginx has it also where it refused or hung. */
function reasonOf({ attempts }: LineFacts): string {
  return attempts
    .filter(isBad)
    .map(({ addr, status }) => `${addr || "a server"} gave ${status ?? "no answer"}`)
    .join(", ");
}
