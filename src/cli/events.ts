import type { Env } from "../config/interpolate.ts";
import type { EventView } from "../control/api-schema.ts";
import { EXIT } from "./exit-codes.ts";
import { type GatewayOptions, printProblem, withGateway } from "./with-gateway.ts";

/** `understudy events`: a line for each event, until it is interrupted, nobody reads, or the gateway ends. */
export function events(options: GatewayOptions, env: Env): Promise<number> {
  const line = options.json === true ? JSON.stringify : eventLine;
  return withGateway(options, env, async (gateway) => {
    const unread = new AbortController();
    process.stdout.on("error", () => unread.abort());
    const answer = await gateway.follow(
      (event) => process.stdout.write(`${line(event)}\n`),
      unread.signal,
    );
    return answer.ok ? EXIT.done : printProblem(answer);
  });
}

/** `2026-11-21T03:10:08.123Z  app  failover  blue -> green: no server of blue serves`. */
function eventLine({ time, type, group, pool, server, from, to, reason }: EventView): string {
  const place = from === undefined ? [pool, server] : [from, "->", to];
  const words = place.filter((word) => word !== undefined).join(" ");
  const what = [words, reason].filter((part) => part !== undefined && part !== "").join(": ");
  return [time, group, type, what].filter((part) => part !== undefined).join("  ");
}
