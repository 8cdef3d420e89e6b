import { z } from "zod";
import type { Pool } from "./app-process.ts";

/** A client that sends messages, wants them back, and comes back itself where it is cut. */
export interface SocketClient {
  /** Resolves when nothing of it is left. */
  close(): Promise<void>;
}

/** Hears of one client, until that is told to close. */
export interface SocketListener {
  /** It is connected, and knows to whom; may be told again. */
  onOpen(pool: Pool): void;
  /** Its connection is gone, or an attempt to make one has failed. */
  onLost(): void;
  onEcho(): void;
  /** So many messages were lost with a connection, or their answers. */
  onUnanswered(messages: number): void;
}

/** Between two messages of a client. */
export const MESSAGE_MS = 500;
/** Before a client comes back, give or take a half. */
export const COME_BACK_MS = 200;
/** For a connection to be made, and to be closed, in order. */
export const OPEN_MS = 5_000;
export const CLOSE_MS = 1_000;

const SIGNATURE = z.object({ pool: z.enum(["blue", "green"]) });

/** What a demo app says first. */
export function poolOf(signature: unknown): Pool {
  return SIGNATURE.parse(signature).pool;
}
