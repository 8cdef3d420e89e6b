import type { Env } from "../config/interpolate.ts";
import { EXIT } from "./exit-codes.ts";
import { type GatewayOptions, printProblem, withGateway } from "./with-gateway.ts";

/** `understudy failover-status GROUP POOL`: `online`, `offline` or `none`; 0 only where it is online. */
export function failoverStatus(
  group: string,
  pool: string,
  options: GatewayOptions,
  env: Env,
): Promise<number> {
  return withGateway(options, env, async (gateway) => {
    const answer = await gateway.failoverStatus(group, pool);
    if (!answer.ok) return printProblem(answer);
    const word = answer.value;
    process.stdout.write(`${options.json === true ? JSON.stringify({ status: word }) : word}\n`);
    return word === "online" ? EXIT.done : EXIT.failed;
  });
}
