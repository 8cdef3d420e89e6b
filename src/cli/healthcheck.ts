import type { Env } from "../config/interpolate.ts";
import { EXIT } from "./exit-codes.ts";
import { type GatewayOptions, printProblem, withGateway } from "./with-gateway.ts";

/** Docker's own limit is 30 s; whoever needs that long is not well. */
const TIMEOUT_MS = 3_000;

/** `understudy healthcheck`: 0 where clients may be sent to the gateway, else 1 and why. */
export function healthcheck(options: GatewayOptions, env: Env): Promise<number> {
  return withGateway(options, env, async (gateway) => {
    const answer = await gateway.readiness(TIMEOUT_MS);
    if (!answer.ok) return printProblem(answer);
    const { isReady, text } = answer.value;
    if (options.json === true) {
      const reasons = Array.from(text.matchAll(/^\[-\] (.*)$/gm), ([, reason]) => reason);
      process.stdout.write(`${JSON.stringify({ ready: isReady, reasons })}\n`);
    } else process.stdout.write(text);
    return isReady ? EXIT.done : EXIT.failed;
  });
}
