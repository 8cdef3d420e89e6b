import { z } from "zod";

const TIMEOUTS = new Set([
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
]);

const BROKEN = new Set(["UND_ERR_SOCKET", "ECONNRESET", "EPIPE", "HPE_INVALID_EOF_STATE"]);

/** Why the gateway at `where` was not reached: undici's and Node's errors; the only place that knows their names. */
export function failureInWords(error: unknown, where: string): string {
  const code = z.object({ code: z.string() }).safeParse(error).data?.code ?? "";
  const name = error instanceof Error ? error.name : "";
  if (code === "ECONNREFUSED" || code === "ENOENT") {
    return `no gateway answers at ${where}: is it running, and does its configuration have \`admin:\`?`;
  }
  if (code === "EACCES") return `${where} may not be used by this user: permission denied`;
  if (TIMEOUTS.has(code) || name === "TimeoutError") {
    return `the gateway at ${where} does not answer in time`;
  }
  if (BROKEN.has(code)) {
    return `the gateway at ${where} ended the connection: it may be stopping`;
  }
  const reason = error instanceof Error ? error.message : String(error);
  return `the gateway at ${where} cannot be asked: ${reason}`;
}
