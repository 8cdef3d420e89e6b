import type { Env } from "../config/interpolate.ts";
import type { EventView } from "../control/api-schema.ts";
import { EXIT } from "./exit-codes.ts";
import { type GatewayOptions, printProblem, withGateway } from "./with-gateway.ts";

export interface EventsOptions extends GatewayOptions {
  /** On and on, from now. */
  readonly follow?: boolean | undefined;
  /** Without it: so long ago. */
  readonly since?: string | undefined;
  /** With it: those behind this number first. */
  readonly sinceId?: number | undefined;
  readonly group?: string | undefined;
}

/**
 * `understudy events`: a line for each of the last events; with `--follow` for each from now on, until it is interrupted,
 * nobody reads, or the gateway ends.
 */
export function events(options: EventsOptions, env: Env): Promise<number> {
  const line = options.json === true ? JSON.stringify : eventLine;
  const { group, sinceId } = options;
  const print = (event: EventView): boolean => process.stdout.write(`${line(event)}\n`);
  return withGateway(options, env, async (gateway) => {
    if (options.follow !== true) {
      const recent = await gateway.recentEvents({ since: options.since, group });
      if (!recent.ok) return printProblem(recent);
      for (const event of recent.value) if (event.number > (sinceId ?? 0)) print(event);
      return EXIT.done;
    }
    const unread = new AbortController();
    process.stdout.on("error", () => unread.abort());
    const answer = await gateway.follow(print, unread.signal, { since: sinceId, group });
    return answer.ok ? EXIT.done : printProblem(answer);
  });
}

/** What a line tells of an event. */
interface EventWords {
  readonly time: string;
  readonly type: string;
  readonly group?: string | undefined;
  readonly pool?: string | undefined;
  readonly server?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly reason?: string | undefined;
}

/** `2026-11-21T03:10:08.123Z  app  failover  blue -> green: no server of blue serves`. */
export function eventLine(event: EventWords): string {
  const { time, type, group, pool, server, from, to, reason } = event;
  const place = from === undefined ? [pool, server] : [from, "->", to];
  const words = place.filter((word) => word !== undefined).join(" ");
  const what = [words, reason].filter((part) => part !== undefined && part !== "").join(": ");
  return [time, group, type, what].filter((part) => part !== undefined).join("  ");
}
