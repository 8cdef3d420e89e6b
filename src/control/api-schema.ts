import { z } from "zod";

/** What the admin API answers: the server writes it, the client checks it, both by these. */

/** ISO 8601, UTC. */
const time = z.string();
const count = z.number();

const lastProbe = z.object({
  passed: z.boolean(),
  time,
  took_ms: z.number(),
  /** In a row since the server began or ceased to serve, up to `rise` and `fall`. */
  passes: count,
  fails: count,
  /** Why it failed. */
  reason: z.string().optional(),
});

const serverView = z.object({
  address: z.string(),
  /** What the operator wants of it. */
  admin: z.enum(["ready", "drain", "maint"]),
  health: z.enum(["starting", "up", "suspect", "down", "unresolved"]),
  /** Whether a request may be sent to it. */
  available: z.boolean(),
  /** In words and numbers. */
  reason: z.string(),
  /** Since when it has this health. */
  since: time,
  /** Failures of requests that count now. */
  strikes: count,
  /** What the last probe found; missing where none has ended yet. */
  last_probe: lastProbe.optional(),
  in_flight: count,
  tunnels: count,
});

const poolView = z.object({
  name: z.string(),
  role: z.enum(["primary", "backup"]),
  release: z.string().optional(),
  /** It is the active pool and one of its servers is available. */
  serving: z.boolean(),
  /** Until when what is bound to it may stay after a switch. */
  draining_until: time.optional(),
  in_flight: count,
  tunnels: count,
  servers: z.array(serverView),
});

export const groupView = z.object({
  name: z.string(),
  /** Empty for a group without pools, as is `active`. */
  primary: z.string(),
  active: z.string(),
  /** In order of preference. */
  pools: z.array(poolView),
});

export const groupsView = z.object({ groups: z.array(groupView) });

const workerView = z.object({
  slot: count,
  /** Missing while its successor waits to be started. */
  pid: count.optional(),
  state: z.enum(["starting", "serving", "draining", "waiting"]),
  since: time,
  crashes: count,
  connections: count,
});

export const statusView = z.object({
  version: z.string(),
  /** The gateway's own. */
  time,
  started: time,
  uptime_seconds: z.number(),
  stopping: z.boolean(),
  /** Where clients connect. */
  addresses: z.array(z.string()),
  connections: count,
  config: z.object({ number: count, hash: z.string(), since: time }),
  /** Empty where everything is in one process. */
  workers: z.array(workerView),
});

export const healthView = z.object({
  status: z.enum(["ready", "not_ready"]),
  reasons: z.array(z.string()),
  version: z.string(),
  uptime_seconds: z.number(),
  groups: z.array(
    z.object({
      name: z.string(),
      primary: z.string(),
      active: z.string(),
      /** Whether any of its servers is available. */
      available: z.boolean(),
    }),
  ),
});

/** Data of one server-sent event; beside these whatever a later version tells of it. */
export const eventView = z.looseObject({
  number: count,
  time,
  type: z.string(),
  group: z.string().optional(),
  pool: z.string().optional(),
  server: z.string().optional(),
  from: z.string().optional(),
  to: z.string().optional(),
  reason: z.string().optional(),
});

/** What an order did, for people. */
export const orderView = z.object({ lines: z.array(z.string()) });

/** Every answer that is no success; `lines` where an order came to nothing. */
export const errorView = z.object({
  error: z.string(),
  status: count,
  message: z.string(),
  lines: z.array(z.string()).optional(),
});

export type GroupView = z.infer<typeof groupView>;
export type PoolView = z.infer<typeof poolView>;
export type ServerView = z.infer<typeof serverView>;
export type LastProbeView = z.infer<typeof lastProbe>;
export type StatusView = z.infer<typeof statusView>;
export type HealthView = z.infer<typeof healthView>;
export type EventView = z.infer<typeof eventView>;
