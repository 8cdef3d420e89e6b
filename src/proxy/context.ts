import type { Clock } from "../clock.ts";
import type { ExchangeRecord } from "../events.ts";
import type { DeadlineWheel } from "./deadline-wheel.ts";
import type { LoopDelay } from "./loop-delay.ts";
import type { Resolver } from "./resolver.ts";
import type { SessionStore } from "./session-bindings.ts";

/** What every part of the data path shares: time, names, and the one way out for its news. */
export interface ProxyContext {
  readonly clock: Clock;
  readonly wheel: DeadlineWheel;
  readonly loopDelay: LoopDelay;
  readonly resolver: Resolver;
  /** From 0 up to 1. */
  readonly random: () => number;
  /** Signs the cookies of groups that have no secret; all workers have the same. */
  readonly cookieKey: Uint8Array;
  readonly sessions: SessionStore;
  /** Whether the gateway itself asks, to prove a switch. */
  readonly isProof: (requestId: string) => boolean;
  /** Called once for every exchange, when its last byte was handed to the client's socket. */
  readonly onExchange: (record: ExchangeRecord) => void;
  /** Called when an exchange has become a tunnel, with its record as it stands. */
  readonly onUpgrade: (record: ExchangeRecord) => void;
}
