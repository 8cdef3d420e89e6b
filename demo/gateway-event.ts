import { z } from "zod";

const SERVER_EVENT = z.object({
  event: z.enum(["server-suspect", "server-down", "server-up", "server-unresolved"]),
  pool: z.string(),
  reason: z.string(),
});

const MOVE_EVENT = z.object({
  event: z.enum(["failover", "failback", "switched"]),
  from: z.string(),
  to: z.string(),
  reason: z.string(),
});

const GROUP_EVENT = z.object({
  event: z.enum(["all-down", "group-recovered"]),
  reason: z.string(),
});

const EVENT = z.discriminatedUnion("event", [SERVER_EVENT, MOVE_EVENT, GROUP_EVENT]);

/** What the gateway's event log tells of servers and pools, as far as the demo shows it. */
export type LoggedEvent = z.infer<typeof EVENT>;

/** Undefined for a line that tells something else. */
export function readEvent(line: string): LoggedEvent | undefined {
  if (!line.startsWith("{")) return undefined;
  return EVENT.safeParse(JSON.parse(line)).data;
}

export function inWords(event: LoggedEvent): string {
  switch (event.event) {
    case "server-suspect":
    case "server-down":
    case "server-up":
    case "server-unresolved":
      return `${event.pool} is ${event.event.slice("server-".length)}: ${event.reason}`;
    case "failover":
    case "failback":
    case "switched":
      return `${event.event} from ${event.from} to ${event.to}`;
    case "all-down":
      return "no server is available";
    case "group-recovered":
      return "a server is available again";
  }
}
