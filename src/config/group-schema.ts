import { z } from "zod";
import { DEFAULT_POLICY, NGINX_POLICY, type Condition } from "../failover/policy.ts";
import type { Balance } from "../failover/spec.ts";
import { affinity } from "./affinity-schema.ts";
import { health } from "./health-schema.ts";
import { bad, good, quote, type Parsed } from "./parsed.ts";
import { pool } from "./pool-schema.ts";
import { parseProtocol, PROTOCOL_PATTERN } from "./protocol.ts";
import { routes } from "./route-schema.ts";
import { choice, count, duration, name, object, size } from "./schema-parts.ts";
import { someDuration, text, word } from "./schema-parts.ts";
import { slo } from "./slo-schema.ts";
import { rule, split } from "./split-schema.ts";
import { didYouMean } from "./suggest.ts";

const CONDITIONS = [
  "error",
  "timeout",
  "invalid_header",
  "http_403",
  "http_404",
  "http_429",
  "http_500",
  "http_502",
  "http_503",
  "http_504",
  "non_idempotent",
] as const satisfies readonly Condition[];

/** How many requests may wait, per worker, where nobody says. */
const HELD_REQUESTS = 1_000;

const hold = z.union(
  [
    someDuration.transform((max) => ({ max, requests: HELD_REQUESTS })),
    object({
      max: someDuration.describe("How long one may wait."),
      requests: count(1)
        .prefault(HELD_REQUESTS)
        .describe("How many may wait, per worker; further ones get 503 at once."),
    }),
  ],
  { error: "must be a duration, or a map with `max` and `requests`" },
);

const condition = choice(CONDITIONS).meta({
  id: "condition",
  description: `A failure by nginx's name: ${CONDITIONS.join(", ")}.`,
  examples: ["error", "timeout", "http_503"],
});

const conditions = z.union([z.literal("off").transform(() => []), z.array(condition)], {
  error: `must be a list of ${CONDITIONS.join(", ")}, or off`,
});

const nextUpstream = z.union(
  [
    conditions.transform((on) => ({ on, tries: undefined, timeout: undefined })),
    object({
      on: conditions.optional().meta({
        default: [...DEFAULT_POLICY.nextUpstream],
        description:
          "Failures that move a request to the next server, by nginx's names; `[]` or `off` = none. " +
          `\`compat: nginx\` begins with ${[...NGINX_POLICY.nextUpstream].join(", ")}.`,
      }),
      tries: count(0).optional().meta({
        default: DEFAULT_POLICY.tries,
        description: "Attempts in all; 0 = every server once.",
      }),
      timeout: duration.optional().meta({
        default: "0s",
        description: "After this time no further attempt begins, and a running one ends; 0 = none.",
      }),
    }),
  ],
  { error: `must be a map, off, or a list of ${CONDITIONS.join(", ")}` },
);

const balance = word(parseBalance, {
  id: "balance",
  type: "string",
  pattern: "^(round_robin|least_conn|hash \\$\\w+)$",
  description: "`round_robin`, `least_conn` or `hash $remote_addr`.",
  examples: ["round_robin", "least_conn", "hash $remote_addr"],
});

const protocol = word(parseProtocol, {
  id: "protocol",
  type: "string",
  pattern: PROTOCOL_PATTERN,
  description: "A protocol as `Upgrade` names it; never `h2c`, `TLS` or `HTTP`.",
  examples: ["websocket", "irc/6.9"],
});

const errorPages = z
  .record(
    z.string().regex(/^[45]\d\d$/, {
      error: (issue) => `${quote(issue.input)} is no status of an error: 400 to 599`,
    }),
    text,
  )
  .prefault({});

export const group = object({
  routes: routes.describe("Requests that this group answers. Default: all."),
  primary: name.optional().describe("The preferred pool. Default: the first one."),
  pools: z
    .record(name, pool)
    .prefault({})
    .describe("By name; after the primary in the order written. None: every request gets 503."),
  next_upstream: nextUpstream.prefault({}).describe("When a request moves to the next server."),
  timeouts: object({
    connect: duration.prefault("2s").describe("Until the connection to a server stands."),
    send: duration.prefault("3s").describe("Between two writes that a server takes in."),
    read: duration
      .prefault("3s")
      .describe("Between two reads from a server; event streams have `tunnel` for it."),
    total: duration
      .prefault("0s")
      .describe("From request to the end of the answer; to its head for event streams."),
    tunnel: duration
      .prefault("1h")
      .describe("Without a byte either way after an upgrade, or of an event stream."),
  })
    .prefault({})
    .describe("Towards the servers; 0 = none."),
  upgrade: z
    .array(protocol)
    .prefault(["websocket"])
    .describe("Protocols that a client may upgrade to; any other `Upgrade` is left out."),
  drain: object({
    tunnels: duration
      .prefault("5m")
      .describe("How long WebSockets and streams may stay where an operator took the pool away."),
    spread: duration
      .prefault("30s")
      .describe("Over this time the rest is closed, so that not all come back at once."),
    grace: duration
      .prefault("2s")
      .describe("What a client gets to answer the goodbye before its connection is closed."),
  })
    .prefault({})
    .describe("How long-lived connections leave a pool after a switch; 0 = at once."),
  health: health
    .optional()
    .describe(
      "Probes in the background that tell which servers are up: a path, a map, or `off` (default).",
    ),
  flap: object({
    changes: count(0, 1000)
      .prefault(DEFAULT_POLICY.flap.changes)
      .describe("Changes between serving and not, above which it is held down; 0 = never."),
    within: someDuration.prefault("60s").describe("The time in which they count."),
    hold: someDuration.prefault("60s").describe("How long it is then down at least."),
  })
    .optional()
    .describe(
      "A server that comes and goes is left out for a while, as long as another one serves " +
        "(`compat: nginx`: never).",
    ),
  recheck: choice(["auto", "connect", "live"])
    .optional()
    .meta({
      default: DEFAULT_POLICY.recheck,
      description:
        "How a failed server without `health` is found to be back: `auto` repeats what failed (a connection, or a " +
        "`HEAD /`), `connect` only connects, `live` lets a request try, as nginx does " +
        `(\`compat: nginx\`: ${NGINX_POLICY.recheck}).`,
    }),
  failback: choice(["auto", "manual", "never"])
    .optional()
    .meta({
      default: DEFAULT_POLICY.failback,
      description:
        "When the primary is back: `auto` uses it again, `manual` waits for an operator's switch, " +
        "`never` makes the pool that took over the primary.",
    }),
  hold_down: duration.optional().meta({
    default: "0s",
    description: "From the recovery of the primary to the automatic failback.",
  }),
  balance: balance.prefault("round_robin").describe("Choice among the servers of a pool."),
  affinity: affinity
    .prefault("none")
    .describe(
      "What keeps a client on its server: `cookie`, signed and set by the gateway, or `socketio`, the `sid` that " +
        "the server issued, until the server fails or the drain behind a switch ends; a failback moves nobody. `ip` (behind `trusted_proxies` the " +
        "address in `X-Forwarded-For`) and `header NAME` draw a server of the active pool and remember " +
        "nothing, so a failover or switch moves all.",
    ),
  keepalive: object({
    max_idle: count(0)
      .prefault(64)
      .describe("Connections kept open to each server, per worker; 0 = none."),
    idle: someDuration.prefault("4s").describe("How long a connection without a request is kept."),
  })
    .prefault({})
    .describe("Connections to the servers that are used again."),
  replay: object({
    memory: size
      .prefault("1m")
      .describe("Kept in memory; what is beyond goes to a temporary file."),
    limit: size.prefault("64m").describe("Kept in all; a longer body cannot be sent again."),
  })
    .prefault({})
    .describe("How much of a request body is kept to send it to another server."),
  split: split
    .optional()
    .describe(
      "Weights of new clients by pool: `{ blue: 95, green: 5 }`. A client stays where it is for as long as the weights do; " +
        "the part of a pool that cannot serve goes to the active one. A switch ends it. Default: all to the active pool.",
    ),
  slo: slo
    .optional()
    .describe(
      "What the group promises its clients over 30 days: measured, shown by `status`, and told while it is broken too fast.",
    ),
  rules: z
    .array(rule)
    .prefault([])
    .describe(
      "Requests that go to another pool first, before `split`: by `header`, `cookie` or a part of the `clients`.",
    ),
  hold: hold
    .optional()
    .describe(
      "Requests wait that long where no server can take them, then get 503; of a body no more than 256k is read " +
        "meanwhile. Default: they do not wait, and an operator's `hold` lasts 30s for 1000 of them.",
    ),
  maintenance: object({
    page: text
      .optional()
      .describe(
        "A file of type .html, .json or .txt, beside this file; default: the gateway's own answer.",
      ),
    retry_after: someDuration.prefault("1m").describe("When clients are told to come back."),
  })
    .prefault({})
    .describe("What every request gets, with 503, while an operator has the group in maintenance."),
  trust_idempotency_key: z.boolean().optional().meta({
    default: DEFAULT_POLICY.trustIdempotencyKey,
    description: "Repeats requests of any method that carry an `Idempotency-Key`.",
  }),
  respect_retry_after: z.boolean().optional().meta({
    default: DEFAULT_POLICY.respectRetryAfter,
    description: "Passes on a 503 with `Retry-After` and does not count it as a failure.",
  }),
  host_header: choice(["preserve", "server"])
    .prefault("preserve")
    .describe("The `Host` that servers see: the client's, or the server's own name."),
  error_pages: errorPages.describe(
    "Bodies of the gateway's own answers by status: files of type .html, .json or .txt, beside this file.",
  ),
  compat: choice(["none", "nginx"])
    .prefault("none")
    .describe("`nginx` sets every rule of failover as nginx has it; keys written here still win."),
});

/** What `hash` may be over. */
const HASH_KEY = /^\$(remote_addr|request_uri|uri|host|http_\w+|cookie_\w+|arg_\w+)$/;

function parseBalance(input: unknown): Parsed<Balance> {
  if (input === "round_robin" || input === "least_conn") return good({ kind: input });
  const key = typeof input === "string" ? /^hash +(\S+)$/.exec(input)?.[1] : undefined;
  if (key !== undefined && HASH_KEY.test(key)) return good({ kind: "hash", key });
  const keys = "$remote_addr, $request_uri, $uri, $host, $http_NAME, $cookie_NAME, $arg_NAME";
  if (key !== undefined) return bad(`${quote(key)} is no key to hash, known are ${keys}`);
  const hint = typeof input === "string" ? didYouMean(input, ["round_robin", "least_conn"]) : "";
  return bad(`${quote(input)} is none of round_robin, least_conn, hash KEY${hint}`);
}
