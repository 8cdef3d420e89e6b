import type { Env } from "../config/interpolate.ts";
import { type GatewayOptions, printOutcome, withGateway } from "./with-gateway.ts";

/** `understudy switch GROUP POOL`: waits until every worker sends new requests to the pool. */
export function switchPool(
  group: string,
  pool: string,
  options: GatewayOptions,
  env: Env,
): Promise<number> {
  return withGateway(options, env, async (gateway) =>
    printOutcome(await gateway.switchTo(group, pool), options),
  );
}
