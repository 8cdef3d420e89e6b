import { hostname, userInfo } from "node:os";
import type { Env } from "../config/interpolate.ts";
import { EXIT } from "./exit-codes.ts";
import type { OrderWords } from "./order-commands.ts";
import { withProgress } from "./progress.ts";
import { type GatewayOptions, printOutcome, withGateway } from "./with-gateway.ts";

/** Gives the order and prints what it came to; on a terminal also what would come next. Gives the exit status. */
export function giveOrder(
  { doing, next, ask }: OrderWords,
  options: GatewayOptions,
  env: Env,
): Promise<number> {
  const order = async (gateway: Parameters<typeof ask>[0]): Promise<number> => {
    const exit = printOutcome(await withProgress(doing, ask(gateway)), options);
    const isSeen = process.stdout.isTTY && options.json !== true;
    if (isSeen && exit === EXIT.done) process.stdout.write(`next: understudy ${next}\n`);
    return exit;
  };
  return withGateway(options, env, order, whoAsks());
}

/** `cli ops@web1`, as logs and locks name whoever gave an order. */
function whoAsks(): string {
  try {
    return `cli ${userInfo().username}@${hostname()}`;
  } catch {
    // A user without a name, as containers have.
    return `cli ${process.getuid?.() ?? "?"}@${hostname()}`;
  }
}
