import type { Env } from "../config/interpolate.ts";
import type { AttemptView, ExchangeView } from "../control/exchange-view.ts";
import { EXIT } from "./exit-codes.ts";
import { type GatewayOptions, printProblem, withGateway } from "./with-gateway.ts";

/** `understudy explain REQUEST-ID`: every attempt of a recent exchange that failed or was retried, and why. */
export function explain(requestId: string, options: GatewayOptions, env: Env): Promise<number> {
  return withGateway(options, env, async (gateway) => {
    const answer = await gateway.exchange(requestId);
    if (!answer.ok) return printProblem(answer);
    const text =
      options.json === true ? JSON.stringify(answer.value) : linesOf(answer.value).join("\n");
    process.stdout.write(`${text}\n`);
    return EXIT.done;
  });
}

export function linesOf(exchange: ExchangeView): readonly string[] {
  const { time, method, path, status, total_ms: ms, held_ms: heldMs, attempts } = exchange;
  return [
    `${method} ${path} at ${time}`,
    ...attempts.flatMap(attemptLines),
    ...(heldMs === 0 ? [] : [`it waited ${heldMs} ms for a server, or for the door to open`]),
    `answered with ${status} by ${answeredBy(exchange)} after ${ms} ms`,
  ];
}

function attemptLines(attempt: AttemptView): readonly string[] {
  const { n, pool, release, server, addr, reused, cause, phase, status } = attempt;
  const who = `${pool}${release === undefined ? "" : ` (release ${release})`}`;
  const where = addr === server ? server : `${server} at ${addr}`;
  const how = reused ? ", on a connection kept alive" : "";
  const what =
    cause === undefined || cause === "status"
      ? `answered ${status}`
      : `${cause} in phase ${phase}, ${attempt.sent_bytes} bytes sent, ${attempt.received_bytes} received`;
  const strike = attempt.counted ? "; a strike" : "";
  const why = attempt.why === "" ? "" : `: ${attempt.why}`;
  return [
    `${n}. ${who} ${where}${how}: ${what}, ${tenths(attempt.total_ms)} ms${strike}`,
    ...(cause === undefined ? [] : [`   ${attempt.decision}${why}`]),
  ];
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}

function answeredBy({ pool, release, error, why }: ExchangeView): string {
  if (error !== undefined)
    return `the gateway itself: ${error}${why === undefined ? "" : `, ${why}`}`;
  return `${pool ?? "nobody"}${release === undefined ? "" : ` (release ${release})`}`;
}
