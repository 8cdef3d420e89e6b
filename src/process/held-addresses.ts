import { addressText } from "../config/address.ts";
import type { Address } from "../config/config.ts";
import { bindAddress, type BoundAddress, release, surplusSockets, widen } from "./bound-address.ts";
import { PassedSockets } from "./passed-sockets.ts";

/** The addresses where clients come in, over all reloads. */
export class HeldAddresses {
  readonly #passed: PassedSockets;
  #inService: readonly BoundAddress[] = [];

  /** `passed`: descriptors of sockets from a service manager. Throws Node's error where one is no socket. */
  constructor(passed: readonly number[]) {
    this.#passed = new PassedSockets(passed);
  }

  get inService(): readonly BoundAddress[] {
    return this.#inService;
  }

  /** Sockets of the service manager that serve no address, in words. */
  get unused(): readonly string[] {
    return this.#passed.unusedBy(this.#inService);
  }

  /**
   * Binds what is not held yet, all or nothing, with `count` sockets for each address. Nothing is in
   * service of it before serve(). Rejects with Node's error.
   */
  async bind(listen: readonly Address[], count: number): Promise<readonly BoundAddress[]> {
    const bound: BoundAddress[] = [];
    try {
      for (const address of listen) bound.push(await this.#bindOne(address, count));
      return bound;
    } catch (error) {
      this.discard(bound);
      throw error;
    }
  }

  /** Closes what was bound and is not in service. */
  discard(bound: readonly BoundAddress[]): void {
    this.#release(this.#inService, bound);
  }

  /** Puts these in service; the function that it gives closes those before that are not among them. */
  serve(bound: readonly BoundAddress[]): () => void {
    const before = this.#inService;
    this.#inService = bound;
    return () => this.#release(bound, before);
  }

  close(): void {
    for (const bound of this.#inService) release(bound);
  }

  async #bindOne(address: Address, count: number): Promise<BoundAddress> {
    const held = this.#inService.find(({ key }) => key === addressText(address));
    if (held !== undefined) return widen(held, count);
    return (await this.#passed.find(address)) ?? (await bindAddress(address, count));
  }

  /** A socket that was passed stays: a later configuration may want it again. */
  #release(kept: readonly BoundAddress[], all: readonly BoundAddress[]): void {
    for (const socket of surplusSockets(kept, all)) {
      if (!this.#passed.isOwnerOf(socket)) socket.close();
    }
  }
}
