import type { Env } from "../config/interpolate.ts";
import type { AdminClient, Answered } from "../control/admin-client.ts";
import type { GroupView } from "../control/api-schema.ts";
import { EXIT } from "./exit-codes.ts";
import { groupLines, statusLines } from "./status-text.ts";
import { type GatewayOptions, printProblem, withGateway } from "./with-gateway.ts";

/** `understudy status [GROUP]`: which release serves and why. */
export function status(
  group: string | undefined,
  options: GatewayOptions,
  env: Env,
): Promise<number> {
  return withGateway(options, env, async (gateway) => {
    const groups = await askGroups(gateway, group);
    if (!groups.ok) return printProblem(groups);
    const about = await gateway.status();
    if (!about.ok) return printProblem(about);
    if (options.json === true) {
      process.stdout.write(`${JSON.stringify({ ...about.value, groups: groups.value })}\n`);
      return EXIT.done;
    }
    const lines =
      group === undefined
        ? statusLines(about.value, groups.value)
        : groups.value.flatMap((one) => groupLines(one, about.value.time));
    process.stdout.write(`${lines.join("\n")}\n`);
    return EXIT.done;
  });
}

async function askGroups(
  gateway: AdminClient,
  name: string | undefined,
): Promise<Answered<readonly GroupView[]>> {
  if (name === undefined) return await gateway.groups();
  const answer = await gateway.group(name);
  return answer.ok ? { ok: true, value: [answer.value] } : answer;
}
