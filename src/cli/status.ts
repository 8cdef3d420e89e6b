import { styleText } from "node:util";
import type { Env } from "../config/interpolate.ts";
import type { AdminClient, Answered } from "../control/admin-client.ts";
import type { GroupView, StatusView } from "../control/api-schema.ts";
import { EXIT } from "./exit-codes.ts";
import { groupLines, type Show, statusLines } from "./status-text.ts";
import { watch } from "./watch.ts";
import { type GatewayOptions, printProblem, withGateway } from "./with-gateway.ts";

export interface StatusOptions extends GatewayOptions {
  /** Again and again, until interrupted. */
  readonly watch?: boolean | undefined;
}

/** `understudy status [GROUP]`: which release serves and why. */
export function status(
  group: string | undefined,
  options: StatusOptions,
  env: Env,
): Promise<number> {
  return withGateway(options, env, async (gateway) => {
    const ask = async (): Promise<Answered<string>> => {
      const found = await askAll(gateway, group);
      return found.ok ? { ok: true, value: textOf(found.value, group, options) } : found;
    };
    if (options.watch === true) return await watch(ask);
    const answer = await ask();
    if (!answer.ok) return printProblem(answer);
    process.stdout.write(`${answer.value}\n`);
    return EXIT.done;
  });
}

interface Found {
  readonly about: StatusView;
  readonly groups: readonly GroupView[];
}

function textOf({ about, groups }: Found, group: string | undefined, { json }: GatewayOptions) {
  if (json === true) return JSON.stringify({ ...about, groups });
  const { stdout } = process;
  const show: Show = {
    width: stdout.columns ?? Infinity,
    paint: (style, text) => styleText(style, text, { stream: stdout }),
  };
  const lines =
    group === undefined
      ? statusLines(about, groups, show)
      : groups.flatMap((one) => groupLines(one, about.time, show));
  return lines.join("\n");
}

async function askAll(gateway: AdminClient, group: string | undefined): Promise<Answered<Found>> {
  const groups = await askGroups(gateway, group);
  if (!groups.ok) return groups;
  const about = await gateway.status();
  return about.ok ? { ok: true, value: { about: about.value, groups: groups.value } } : about;
}

async function askGroups(
  gateway: AdminClient,
  name: string | undefined,
): Promise<Answered<readonly GroupView[]>> {
  if (name === undefined) return await gateway.groups();
  const answer = await gateway.group(name);
  return answer.ok ? { ok: true, value: [answer.value] } : answer;
}
