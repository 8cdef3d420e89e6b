import type { Env } from "../config/interpolate.ts";
import { type GatewayOptions, printOutcome, withGateway } from "./with-gateway.ts";

/** `understudy reload`: waits until the new configuration serves, or says all that is wrong with it. */
export function reload(options: GatewayOptions, env: Env): Promise<number> {
  return withGateway(options, env, async (gateway) =>
    printOutcome(await gateway.reload(), options),
  );
}
