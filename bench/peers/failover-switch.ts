/** How long a server that failed is left alone, in milliseconds. */
const FAIL_TIMEOUT_MS = 2_000;

export interface Server {
  readonly port: number;
  downUntil: number;
}

/** The failover that a user of a proxy library would write: passive, with one backup. */
export class FailoverSwitch {
  readonly #servers: readonly [Server, Server];

  constructor(primary: number, backup: number) {
    this.#servers = [
      { port: primary, downUntil: 0 },
      { port: backup, downUntil: 0 },
    ];
  }

  /** The primary, unless it failed a moment ago. */
  choose(): Server {
    const [primary, backup] = this.#servers;
    return performance.now() < primary.downUntil ? backup : primary;
  }

  /** Tells that a server failed; returns the one to ask instead, if there is another. */
  failed(server: Server): Server | undefined {
    server.downUntil = performance.now() + FAIL_TIMEOUT_MS;
    const [primary, backup] = this.#servers;
    return server === primary ? backup : undefined;
  }
}
