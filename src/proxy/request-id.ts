import { randomBytes } from "node:crypto";

const ACCEPTED = /^[\w.:+/=@-]{1,128}$/;
const prefix = randomBytes(8).toString("hex");
let count = 0;

/** The client's `X-Request-Id` where it can stand in a log as it is, else a new one. */
export function requestIdOf(offered: string | undefined): string {
  return offered !== undefined && ACCEPTED.test(offered) ? offered : newRequestId();
}

/** Unique among all gateways and restarts: 64 random bits of this process and a running number. */
export function newRequestId(): string {
  count += 1;
  return prefix + count.toString(16).padStart(8, "0");
}
