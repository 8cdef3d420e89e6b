import type { Cause } from "../failover/attempt.ts";

/** Node's error codes, known in this file only. */
const CAUSES: Readonly<Record<string, Cause>> = {
  ECONNREFUSED: "refused",
  EHOSTUNREACH: "refused",
  EHOSTDOWN: "refused",
  ENETUNREACH: "refused",
  ENETDOWN: "refused",
  ENOTFOUND: "refused",
  EAI_AGAIN: "refused",
  EAI_NODATA: "refused",
  ENOENT: "refused",
  EACCES: "refused",
  ETIMEDOUT: "timeout",
  ECONNRESET: "reset",
  ECONNABORTED: "reset",
  EPIPE: "reset",
  EMFILE: "local",
  ENFILE: "local",
  ENOBUFS: "local",
  ENOMEM: "local",
  EADDRNOTAVAIL: "local",
};

/** What an error of a socket or of a name lookup says about the server. */
export function causeOf(error: Error): Cause {
  return CAUSES[errorCode(error)] ?? "reset";
}

/** `ECONNREFUSED` and the like; the message where the error has no code. */
export function errorCode(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : error.message;
}
