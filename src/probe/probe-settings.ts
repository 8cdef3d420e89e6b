import type { HealthConfig } from "../config/config.ts";
import type { ProbeFailure } from "../failover/probe.ts";
import type { SetDeadline } from "./check-time.ts";
import type { Identity } from "./check-server.ts";
import type { FindAddress } from "./connect.ts";

/** What a probe found. */
export type ProbeResult = { readonly ok: true } | ({ readonly ok: false } & ProbeFailure);

export interface ProbeSettings {
  readonly group: string;
  readonly health: HealthConfig;
  /** Whether the server's pool is the active one of its group. */
  readonly isOnline: boolean;
  /** Who has to answer where an answer tells it. */
  readonly expected: Identity | undefined;
  readonly findAddress: FindAddress;
  readonly setDeadline: SetDeadline;
  /** The longest head of an answer, in bytes. */
  readonly headBytes: number;
  /** Of a program that is run. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** Whether a pool serves its group, in the word that applications are told. */
export function statusWord(isOnline: boolean): "online" | "offline" {
  return isOnline ? "online" : "offline";
}
