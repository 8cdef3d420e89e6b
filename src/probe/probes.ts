import type { Cancel, Clock } from "../clock.ts";
import type { HealthConfig } from "../config/config.ts";
import type { GroupEvent } from "../failover/group.ts";
import type { GroupState, Standby } from "../failover/group-state.ts";
import type { Groups } from "../failover/groups.ts";
import { probePace } from "../failover/probe.ts";
import type { ServerState } from "../failover/server.ts";
import type { Identity } from "./check-server.ts";
import type { SetDeadline } from "./check-time.ts";
import type { FindAddress } from "./connect.ts";
import { probeServer } from "./probe-server.ts";
import type { ProbeResult } from "./probe-settings.ts";

/** The last probe of a server. */
export interface LastProbe {
  /** When it had its result, and how long it took; monotonic milliseconds. */
  readonly at: number;
  readonly tookMs: number;
  /** Why it failed; undefined where it passed. */
  readonly failure: string | undefined;
}

export interface ProbesSettings {
  readonly groups: Groups;
  readonly clock: Clock;
  /** From 0 up to 1, for jitter. */
  readonly random: () => number;
  readonly findAddress: FindAddress;
  readonly setDeadline: SetDeadline;
  /** These are as the configuration in service has them when a probe begins. */
  readonly healthOf: (group: string, pool: string) => HealthConfig | undefined;
  readonly expectedOf: (group: string, pool: string) => Identity | undefined;
  /** The longest head of an answer, in bytes. */
  readonly headBytes: () => number;
  /** Of programs that are run. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** One server that is probed. */
interface Probed {
  readonly group: string;
  readonly server: string;
  /** What the next probe is planned by; undefined where none is. */
  pace: number | undefined;
  cancel: Cancel;
  /** When the last one began. */
  beganAt: number | undefined;
  /** Of the one that runs. */
  aborter: AbortController | undefined;
  health: HealthConfig | undefined;
  last: LastProbe | undefined;
}

const NOTHING = (): void => {};

/** Probes every server that has `health`, at the pace that its state asks for, and tells the groups. */
export function startProbes(settings: ProbesSettings): Probes {
  const probes = new Probes(settings);
  probes.follow();
  return probes;
}

export class Probes {
  readonly #settings: ProbesSettings;
  readonly #probed = new Map<string, Probed>();
  readonly #unsubscribe: () => void;

  constructor(settings: ProbesSettings) {
    this.#settings = settings;
    this.#unsubscribe = settings.groups.subscribe(({ after }) => this.#planGroup(after));
  }

  /**
   * The groups were loaded: probes of what is gone end without a word, and what is to be asked in
   * another way is asked anew. Call it once their configuration is in service.
   */
  follow(): void {
    const known = new Set<string>();
    for (const group of this.#settings.groups) {
      const { name } = group.spec;
      for (const { spec } of group.servers) {
        const health = this.#settings.healthOf(name, spec.pool);
        const key = keyOf(name, spec.key);
        if (health !== undefined) known.add(key);
        const probed = this.#probed.get(key);
        if (probed !== undefined && probed.health !== health) forget(probed);
      }
    }
    for (const [key, probed] of this.#probed) {
      if (known.has(key)) continue;
      forget(probed);
      this.#probed.delete(key);
    }
    for (const group of this.#settings.groups) this.#planGroup(group);
  }

  /** Undefined where none has ended yet. */
  lastOf(group: string, serverKey: string): LastProbe | undefined {
    return this.#probed.get(keyOf(group, serverKey))?.last;
  }

  stop(): void {
    this.#unsubscribe();
    for (const probed of this.#probed.values()) forget(probed);
    this.#probed.clear();
  }

  #planGroup({ spec, pools }: GroupState): void {
    for (const { servers, standby } of pools) {
      for (const server of servers) {
        if (server.spec.probe === undefined) continue;
        this.#plan(this.#probedOf(spec.name, server), server, standby);
      }
    }
  }

  #probedOf(group: string, { spec }: ServerState): Probed {
    const key = keyOf(group, spec.key);
    const known = this.#probed.get(key);
    if (known !== undefined) return known;
    const created: Probed = {
      group,
      server: spec.key,
      pace: undefined,
      cancel: NOTHING,
      beganAt: undefined,
      aborter: undefined,
      health: this.#settings.healthOf(group, spec.pool),
      last: undefined,
    };
    this.#probed.set(key, created);
    return created;
  }

  #plan(probed: Probed, server: ServerState, standby: Standby): void {
    const pace = probePace(server, standby);
    if (probed.aborter !== undefined || probed.pace === pace) return;
    probed.cancel();
    probed.cancel = NOTHING;
    probed.pace = pace;
    if (pace === undefined) return;
    const { clock } = this.#settings;
    const delay = Math.max(0, this.#nextAt(probed, server, pace) - clock.now());
    probed.cancel = clock.after(delay, () => void this.#probe(probed));
  }

  /** The first ones are spread, but for those that nobody can use before. */
  #nextAt({ beganAt }: Probed, { health, spec }: ServerState, pace: number): number {
    const { clock, random } = this.#settings;
    const { jitter = 0, fastIntervalMs = 0 } = spec.probe ?? {};
    if (beganAt !== undefined) return beganAt + pace * (1 + jitter * (2 * random() - 1));
    const spread = health.status === "starting" ? 0 : Math.min(pace, fastIntervalMs);
    return clock.now() + spread * random();
  }

  async #probe(probed: Probed): Promise<void> {
    const { groups, clock, healthOf } = this.#settings;
    const group = groups.find(probed.group);
    const server = group && serverOf(group, probed);
    const health = server && healthOf(probed.group, server.spec.pool);
    if (group === undefined || server === undefined || health === undefined) return;
    const began = clock.now();
    const { signal } = begin(probed, health, began);
    const result = await this.#ask(group, server, health, signal);
    if (signal.aborted) return;
    const failure = result.ok ? undefined : result.reason;
    probed.last = { at: clock.now(), tookMs: clock.now() - began, failure };
    probed.aborter = undefined;
    groups.applyTo(probed.group, probed.server, eventOf(server.generation, result));
    // Most results change nothing, and then nobody else plans the next one.
    const now = groups.find(probed.group);
    if (now !== undefined) this.#planGroup(now);
  }

  #ask(group: GroupState, server: ServerState, health: HealthConfig, signal: AbortSignal) {
    const { expectedOf, findAddress, setDeadline, headBytes, env } = this.#settings;
    const { spec } = server;
    return probeServer(spec, {
      group: group.spec.name,
      health,
      isOnline: spec.pool === group.active,
      expected: expectedOf(group.spec.name, spec.pool),
      findAddress,
      setDeadline,
      headBytes: headBytes(),
      env,
      signal,
    });
  }
}

function serverOf({ servers }: GroupState, { server }: Probed): ServerState | undefined {
  return servers.find(({ spec }) => spec.key === server);
}

function begin(probed: Probed, health: HealthConfig, now: number): AbortController {
  const aborter = new AbortController();
  probed.aborter = aborter;
  probed.beganAt = now;
  probed.health = health;
  probed.pace = undefined;
  return aborter;
}

function keyOf(group: string, serverKey: string): string {
  return `${group} ${serverKey}`;
}

function forget(probed: Probed): void {
  probed.cancel();
  probed.aborter?.abort();
  probed.cancel = NOTHING;
  probed.pace = undefined;
  probed.beganAt = undefined;
  probed.aborter = undefined;
}

function eventOf(generation: number, result: ProbeResult): GroupEvent {
  // Its place is found by its key.
  const server = 0;
  if (result.ok) return { type: "probe-passed", server, generation };
  const { reason, silent } = result;
  return { type: "probe-failed", server, generation, reason, silent };
}
