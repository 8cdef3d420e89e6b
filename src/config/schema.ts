import { alerts } from "./alert-schema.ts";
import { hooks } from "./hook-schema.ts";
import { isIP } from "node:net";
import { z } from "zod";
import { parseAddress } from "./address.ts";
import { group } from "./group-schema.ts";
import { accessLog } from "./log-schema.ts";
import { bad, good, quote, type Parsed } from "./parsed.ts";
import { choice, count, duration, name, object, size, someSize, text } from "./schema-parts.ts";
import { word } from "./schema-parts.ts";
import { tracing } from "./tracing-schema.ts";

const address = word(parseAddress, {
  id: "address",
  type: "string",
  description: "`0.0.0.0:8080`, `[::1]:8080`, `localhost:8080` or `unix:/run/understudy.sock`.",
  examples: ["127.0.0.1:8080", "0.0.0.0:8080", "unix:/run/understudy.sock"],
});

const listener = z.union(
  [
    address,
    object({ address: address.describe("Where to listen.") }).transform((map) => map.address),
  ],
  {
    error: "must be an address or a map with an `address`",
  },
);

/** Also read alone, to compare the addresses. */
export const listen = z.union(
  [address.transform((only) => [only]), z.array(listener).min(1, { error: "needs an address" })],
  { error: "must be an address or a list of them, for example 127.0.0.1:8080" },
);

export const admin = object({
  address: address.describe("Where operators reach the gateway."),
  token_file: text
    .optional()
    .describe(
      "A file whose word every request needs as `Authorization: Bearer`, but for `/livez`, `/readyz`, `/health` and `/metrics`; relative to this file. Default: none is needed.",
    ),
  insecure: z
    .boolean()
    .prefault(false)
    .describe(
      "Allows an address that is not loopback without a token: for a container whose port is published to loopback alone.",
    ),
});

const proxyAddress = word(parseProxyAddress, {
  id: "address-range",
  type: "string",
  description: "An IP address or a CIDR block.",
  examples: ["10.0.0.0/8", "::1", "192.168.1.10"],
});

const limits = object({
  head: someSize.prefault("16k").describe("Request line and fields together; 431 above."),
  target: someSize.prefault("8k").describe("Request target; 414 above."),
  headers: count(1).prefault(100).describe("Number of fields; 431 above."),
  head_time: duration.prefault("10s").describe("First byte of a head to its last; 408 above."),
  body: size.prefault("1g").describe("Request body; 413 above."),
  body_idle: duration.prefault("60s").describe("Between two reads of a request body; 408 above."),
  send_idle: duration.prefault("60s").describe("Between two writes that a client takes in."),
  idle: duration.prefault("75s").describe("A kept-alive client connection without a request."),
  requests_per_connection: count(0).prefault(10_000).describe("Then the connection is closed."),
  connections: count(0).prefault(10_000).describe("Per address and worker; further ones get 503."),
  loop_delay: duration
    .prefault("500ms")
    .describe("How late the event loop may be, again and again; new requests get 503 above."),
  server_head: someSize.prefault("64k").describe("Head of a server's answer; a failure above."),
});

export const configSchema = object({
  version: z
    .literal(1, { error: (issue) => `this gateway reads version 1, not ${quote(issue.input)}` })
    .prefault(1)
    .describe("Of this file's form."),
  listen: listen.describe("Addresses for clients: one, or a list."),
  admin: admin.optional().describe("The operators' door. Default: none."),
  workers: z
    .union([choice(["auto"]), count(0, 64)], { error: "must be auto or a number from 0 to 64" })
    .prefault("auto")
    .describe("Processes that serve; `auto` = one for each core, 0 = all in one process."),
  access_log: accessLog
    .prefault({})
    .describe("One line for each request: `off`, a format, or a map. Default: JSON to stdout."),
  event_log: object({
    file: text.prefault("stderr").describe("`stdout`, `stderr` or a path."),
    level: choice(["debug", "info", "warn", "error"]).prefault("info").describe("The least level."),
  })
    .prefault({})
    .describe("What happens to servers, pools and the gateway."),
  hooks: hooks
    .prefault([])
    .describe("Programs and webhooks that run when something happens, beside all traffic."),
  tracing: tracing
    .optional()
    .describe("Spans of requests and their attempts, for OpenTelemetry. Default: none."),
  alerts: alerts
    .prefault({})
    .describe("Messages to people, and what is told. Default: none, but to `SLACK_WEBHOOK_URL`."),
  limits: limits
    .prefault({})
    .describe("What a client may cost; 0 = no limit, but heads always have one."),
  shutdown_timeout: duration
    .prefault("30s")
    .describe("What requests in flight get to end when the gateway stops."),
  trusted_proxies: z
    .array(proxyAddress)
    .prefault([])
    .describe("Peers whose `X-Forwarded-*` is believed and appended to."),
  served_by: z
    .boolean()
    .prefault(false)
    .describe("Sends `X-Served-By` and `X-Gateway-Attempts` to clients."),
  log_upgrade_start: z
    .boolean()
    .prefault(false)
    .describe("A line in the access log also when an upgrade begins, not only when it ends."),
  state_dir: text
    .optional()
    .describe(
      "Folder of the state file, in which orders survive a restart; relative to this file. Default: beside it.",
    ),
  failover_status_dir: text
    .optional()
    .describe(
      "Folder in which the file `GROUP/POOL` is kept at `online` or `offline`, for apps that mount it; relative to this file. Default: none.",
    ),
  isolate: z
    .boolean()
    .prefault(false)
    .describe(
      "At a reload a group that is wrong stays as it was while the rest is taken; otherwise nothing is.",
    ),
  groups: z.record(name, group.prefault({})).describe("The applications, by name."),
});

export type ParsedConfig = z.output<typeof configSchema>;
export type ParsedGroup = z.output<typeof group>;

function parseProxyAddress(input: unknown): Parsed<string> {
  const [ip = "", bits, more] = typeof input === "string" ? input.split("/") : [];
  const version = isIP(ip);
  const mask =
    bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
  if (typeof input === "string" && version !== 0 && mask && more === undefined) return good(input);
  return bad(`${quote(input)} is no address: write 10.0.0.1 or 10.0.0.0/8`);
}
