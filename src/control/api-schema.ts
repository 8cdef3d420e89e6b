import { z } from "zod";

/** What the admin API answers: the server writes it, the client checks it, both by these. */

/** ISO 8601, UTC. */
const time = z.string().meta({ format: "date-time" });
const count = z.number();

const lastProbe = z
  .object({
    passed: z.boolean(),
    time,
    took_ms: z.number(),
    passes: count.describe(
      "In a row since the server began or ceased to serve, up to `rise` and `fall`.",
    ),
    fails: count,
    reason: z.string().optional().describe("Why it failed."),
  })
  .meta({ id: "LastProbe" });

const serverView = z
  .object({
    address: z.string(),
    admin: z.enum(["ready", "drain", "maint"]).describe("What the operator wants of it."),
    health: z.enum(["starting", "up", "suspect", "down", "unresolved"]),
    available: z.boolean().describe("Whether a request may be sent to it."),
    reason: z.string().describe("In words and numbers."),
    since: time.describe("Since when it has this health."),
    strikes: count.describe("Failures of requests that count now."),
    last_probe: lastProbe
      .optional()
      .describe("What the last probe found; missing where none has ended yet."),
    in_flight: count,
    tunnels: count,
  })
  .meta({ id: "Server" });

export const poolView = z
  .object({
    name: z.string(),
    role: z.enum(["primary", "backup"]),
    standby: z
      .enum(["asleep", "booting", "awake"])
      .describe("Whether a cold standby runs; every other pool is awake."),
    release: z.string().optional(),
    serving: z.boolean().describe("It is the active pool and one of its servers is available."),
    draining_until: time
      .optional()
      .describe("Until when what is bound to it may stay after a switch."),
    in_flight: count,
    tunnels: count,
    servers: z.array(serverView),
  })
  .meta({ id: "Pool" });

/** What an operator has put before a group. */
const doorView = z
  .object({
    state: z.enum(["open", "held", "maintenance"]),
    since: time.optional(),
    until: time.optional().describe("When a hold ends by itself."),
  })
  .meta({ id: "Door" });

const sloView = z
  .object({
    objective: z.enum(["availability", "latency"]),
    target: z.number().describe("The part of the requests that has to be good, 0 to 1."),
    under_ms: z.number().optional().describe("Of `latency`: the longest that a good one takes."),
    requests: count.describe("Of the last 30 days."),
    bad: count,
    budget_left: z
      .number()
      .describe("The part of the error budget that is left; below 0 the promise is broken."),
    burning: z.enum(["fast", "slow"]).optional().describe("Whether it burns too fast now."),
  })
  .meta({ id: "ServiceLevel" });

export const groupView = z
  .object({
    name: z.string(),
    primary: z.string().describe("Empty for a group without pools, as is `active`."),
    configured_primary: z
      .string()
      .describe("What the file says of it; another one than `primary` after a switch."),
    active: z.string(),
    door: doorView,
    waiting: count.describe("Requests that wait for a server, or for the door to open."),
    split: z
      .record(z.string(), z.number())
      .optional()
      .describe(
        "Weights of new clients that an operator has ordered, by pool; missing = as configured.",
      ),
    ordered: z
      .array(z.string())
      .describe("In what it differs from the configuration by somebody's order, in words."),
    slo: z
      .array(sloView)
      .optional()
      .describe("How it keeps what it promises; missing = nothing is."),
    pools: z.array(poolView).describe("In order of preference."),
  })
  .meta({ id: "Group" });

export const groupsView = z.object({ groups: z.array(groupView) }).meta({ id: "Groups" });

const workerView = z
  .object({
    slot: count,
    pid: count.optional().describe("Missing while its successor waits to be started."),
    state: z.enum(["starting", "serving", "draining", "waiting"]),
    since: time,
    crashes: count,
    connections: count,
  })
  .meta({ id: "Worker" });

export const statusView = z
  .object({
    version: z.string(),
    time: time.describe("The gateway's own."),
    started: time,
    uptime_seconds: z.number(),
    stopping: z.boolean(),
    addresses: z.array(z.string()).describe("Where clients connect."),
    connections: count,
    config: z.object({ number: count, hash: z.string(), since: time }),
    workers: z.array(workerView).describe("Empty where everything is in one process."),
  })
  .meta({ id: "Status" });

/** Data of one server-sent event; beside these whatever a later version tells of it. */
export const eventView = z
  .looseObject({
    number: count,
    time,
    type: z.string(),
    trigger: z.enum(["auto", "manual", "reload"]).optional().describe("What set it off."),
    config: count.optional().describe("Number of the configuration in service."),
    group: z.string().optional(),
    pool: z.string().optional(),
    server: z.string().optional(),
    from: z.string().optional(),
    to: z.string().optional(),
    reason: z.string().optional(),
  })
  .meta({ id: "Event" });

export const alertsView = z
  .object({
    active: z
      .array(
        z.object({
          rule: z.string(),
          group: z.string().optional(),
          level: z.enum(["critical", "warning", "info", "good"]),
          title: z.string(),
          since: time,
          facts: z.record(z.string(), z.string()),
        }),
      )
      .describe("What goes on."),
    channels: z.array(
      z.object({
        name: z.string(),
        sent: count.describe("Since the gateway started."),
        failed: count.describe("Given up."),
        waiting: count,
        trouble: z.string().optional().describe("Why the last try came to nothing."),
      }),
    ),
  })
  .meta({ id: "Alerts" });

export const eventsView = z.object({ events: z.array(eventView) }).meta({ id: "Events" });

/** What an order did; beside `lines` its facts. */
export const orderView = z
  .looseObject({
    lines: z.array(z.string()).describe("For people; what else there is are facts for scripts."),
  })
  .meta({ id: "Done" });

/** Every answer that is no success (RFC 9457); `lines` and facts where an order came to nothing. */
export const problemView = z
  .looseObject({
    type: z.string().describe("A name, nothing to be fetched."),
    title: z.string(),
    status: count,
    detail: z.string().describe("What is wrong here, and what would be right."),
    code: z.string().describe("The same as `type`, in short: `REFUSED`."),
    lines: z
      .array(z.string())
      .optional()
      .describe("Where an order came to nothing: all there is to say."),
  })
  .meta({ id: "Problem" });

/** An OpenAPI document, as far as it is looked into here. */
export const documentView = z.looseObject({
  openapi: z.string(),
  paths: z.record(z.string(), z.record(z.string(), z.unknown())),
});

export type GroupView = z.infer<typeof groupView>;
export type SloView = z.infer<typeof sloView>;
export type PoolView = z.infer<typeof poolView>;
export type ServerView = z.infer<typeof serverView>;
export type LastProbeView = z.infer<typeof lastProbe>;
export type StatusView = z.infer<typeof statusView>;
export type AlertsView = z.infer<typeof alertsView>;
export type EventView = z.infer<typeof eventView>;
