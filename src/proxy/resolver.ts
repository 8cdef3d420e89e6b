import { lookup as dnsLookup } from "node:dns";
import { isIP } from "node:net";
import type { Cancel, Clock } from "../clock.ts";

/** Milliseconds for which an answer of the name service is used again. */
const CACHE_MS = 5_000;
/** Milliseconds after which a lookup is not waited for where the last good answer can serve. */
const PATIENCE_MS = 500;

export type Lookup = (
  host: string,
  done: (error: Error | null, addresses: readonly string[]) => void,
) => void;

export type Resolved =
  | { readonly ok: true; readonly addresses: readonly string[] }
  | { readonly ok: false; readonly error: Error };

interface Name {
  addresses: readonly string[];
  readAt: number;
  waiting: ((resolved: Resolved) => void)[];
  isAsked: boolean;
  /** The lookup that is under way takes too long. */
  isOverdue: boolean;
  cancelPatience: Cancel;
}

/**
 * Names to addresses. An answer is cached for 5 s; several who ask at once share one lookup; where
 * a lookup fails or hangs the last good addresses stay in use, so a name service that is down takes
 * nobody else down.
 */
export class Resolver {
  readonly #clock: Clock;
  readonly #lookup: Lookup;
  readonly #names = new Map<string, Name>();

  constructor(clock: Clock, lookup: Lookup = systemLookup) {
    this.#clock = clock;
    this.#lookup = lookup;
  }

  /** Calls back at once where the answer is known; `fresh` asks the name service in any case. */
  resolve(host: string, fresh: boolean, done: (resolved: Resolved) => void): void {
    if (isIP(host) !== 0) return done({ ok: true, addresses: [host] });
    const name = this.#name(host);
    const age = this.#clock.now() - name.readAt;
    if (!fresh && age <= CACHE_MS) return done({ ok: true, addresses: name.addresses });
    if (name.isOverdue && name.addresses.length > 0) return done(lastGood(name));
    name.waiting.push(done);
    if (!name.isAsked) this.#ask(host, name);
  }

  /** One address of a name, asked for anew; rejects where it has none. */
  findAddress(host: string): Promise<string> {
    return new Promise((resolve, reject) => {
      this.resolve(host, true, (resolved) => {
        const [address] = resolved.ok ? resolved.addresses : [];
        if (address !== undefined) resolve(address);
        else reject(resolved.ok ? new Error("the name has no address") : resolved.error);
      });
    });
  }

  /** Waits for nothing any more. */
  stop(): void {
    for (const name of this.#names.values()) name.cancelPatience();
  }

  #name(host: string): Name {
    const known = this.#names.get(host);
    if (known !== undefined) return known;
    const name: Name = {
      addresses: [],
      readAt: -Infinity,
      waiting: [],
      isAsked: false,
      isOverdue: false,
      cancelPatience: () => {},
    };
    this.#names.set(host, name);
    return name;
  }

  #ask(host: string, name: Name): void {
    name.isAsked = true;
    name.cancelPatience = this.#clock.after(PATIENCE_MS, () => {
      name.isOverdue = true;
      if (name.addresses.length > 0) tell(name, lastGood(name));
    });
    this.#lookup(host, (error, addresses) => this.#answer(name, error, addresses));
  }

  #answer(name: Name, error: Error | null, addresses: readonly string[]): void {
    name.cancelPatience();
    name.isAsked = false;
    name.isOverdue = false;
    if (error === null && addresses.length > 0) {
      name.addresses = addresses;
      name.readAt = this.#clock.now();
    }
    if (name.addresses.length > 0) tell(name, lastGood(name));
    else tell(name, { ok: false, error: error ?? new Error("the name has no address") });
  }
}

function lastGood({ addresses }: Name): Resolved {
  return { ok: true, addresses };
}

function tell(name: Name, resolved: Resolved): void {
  const { waiting } = name;
  name.waiting = [];
  for (const done of waiting) done(resolved);
}

const systemLookup: Lookup = (host, done) => {
  dnsLookup(host, { all: true }, (error, found) => {
    done(error, error === null ? found.map((entry) => entry.address) : []);
  });
};
