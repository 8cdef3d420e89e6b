import type { Clock } from "../clock.ts";
import type { Address } from "../config/config.ts";
import type { AdminServer } from "./admin-server.ts";

/** Milliseconds that an admin address is still served after a reload has moved it. */
const OLD_DOOR_MS = 2_000;

/** Where operators come in, over all reloads. */
export class AdminDoor {
  readonly #clock: Clock;
  readonly #startAt: (address: Address) => Promise<AdminServer>;
  #server: AdminServer | undefined;
  /** Closes, at once, the address that a reload has left. */
  #closeOld: () => Promise<void> = () => Promise.resolve();

  constructor(clock: Clock, startAt: (address: Address) => Promise<AdminServer>) {
    this.#clock = clock;
    this.#startAt = startAt;
  }

  /** Undefined where operators have no address. */
  get server(): AdminServer | undefined {
    return this.#server;
  }

  /** Opens another address; rejects with Node's error. Until serve() the one before is the door. */
  async open(address: Address | undefined): Promise<AdminServer | undefined> {
    // It may move back to where it is still served.
    await this.#closeOld();
    return address && (await this.#startAt(address));
  }

  /** Who has asked for this over the door before still gets the answer there. */
  serve(next: AdminServer | undefined): void {
    if (next === this.#server) return;
    const old = this.#server;
    this.#server = next;
    if (old === undefined) return;
    const cancel = this.#clock.after(OLD_DOOR_MS, () => void old.stop());
    this.#closeOld = () => {
      cancel();
      return old.stop();
    };
  }

  /** Closes what was opened and is not taken. */
  async discard(opened: AdminServer | undefined): Promise<void> {
    if (opened !== this.#server) await opened?.stop();
  }

  async close(): Promise<void> {
    await this.#closeOld();
    await this.#server?.stop();
  }
}
