import type { Env } from "../config/interpolate.ts";
import { type GatewayOptions, printOutcome, withGateway } from "./with-gateway.ts";

/** `understudy restart`: waits until new workers have taken the place of the old. */
export function restart(options: GatewayOptions, env: Env): Promise<number> {
  return withGateway(options, env, async (gateway) =>
    printOutcome(await gateway.restart(), options),
  );
}
