import type { DrainSpec } from "../failover/spec.ts";
import type { ProxyContext } from "./context.ts";
import type { Endpoint } from "./endpoint.ts";

interface Departed {
  readonly endpoint: Endpoint;
  /** As it was when its server was taken out. */
  readonly drain: DrainSpec;
}

/** Servers that a reload has taken out, while somebody is still there. One for all sites of a run. */
export class DepartedServers {
  readonly #context: ProxyContext;
  /** By the names of their groups and their keys. */
  readonly #servers = new Map<string, Departed>();

  constructor(context: ProxyContext) {
    this.#context = context;
  }

  /** What is in flight may end; what is long-lived may stay until `until` (monotonic ms). */
  add(group: string, endpoint: Endpoint, drain: DrainSpec, until: number): void {
    const { clock, random } = this.#context;
    endpoint.retire();
    endpoint.longLived.close(until, drain.spreadMs, clock.now(), random);
    this.#servers.set(keyOf(group, endpoint.key), { endpoint, drain });
  }

  /** The endpoint of a server that the configuration has again, where somebody is still there. */
  takeBack(group: string, key: string): Endpoint | undefined {
    const endpoint = this.#servers.get(keyOf(group, key))?.endpoint;
    this.#servers.delete(keyOf(group, key));
    endpoint?.longLived.reopen();
    return endpoint;
  }

  forgetDeserted(): void {
    for (const [key, { endpoint }] of this.#servers) {
      if (endpoint.isDeserted) this.#servers.delete(key);
    }
  }

  /** The gateway stops: long-lived connections leave within `spreadMs`, or within `drain.spread`. */
  stop(spreadMs: number): void {
    for (const { endpoint, drain } of this.#servers.values()) {
      endpoint.longLived.stop(Math.min(spreadMs, drain.spreadMs), this.#context.random);
    }
  }

  /** Leaves nothing of a gateway behind that has stopped. */
  close(): void {
    for (const { endpoint } of this.#servers.values()) endpoint.longLived.destroy();
    this.#servers.clear();
  }
}

/** Names of groups have no space. */
function keyOf(group: string, server: string): string {
  return `${group} ${server}`;
}
