import tab from "@bomb.sh/tab/commander";
import type { Command } from "commander";
import type { Env } from "../config/interpolate.ts";
import { AdminClient } from "../control/admin-client.ts";
import { findGateway } from "./find-gateway.ts";

/** The command that the scripts for shells ask, behind whose `--` stand the words of the line so far. */
const ASKED = "complete";

type Names = readonly { readonly name: string; readonly pools: readonly string[] }[];

/** Adds `completion SHELL`, whose script asks for what may come next: commands, options, groups and pools. */
export async function addCompletion(
  program: Command,
  argv: readonly string[],
  env: Env,
): Promise<void> {
  const root = tab(program, { completionCommandName: "completion" });
  if (argv[0] !== ASKED) return;
  const groups = await askNames(env);
  const meant = groups.find(({ name }) => argv.includes(name));
  const known: Readonly<Record<string, readonly string[]>> = {
    group: groups.map(({ name }) => name),
    pool: meant?.pools ?? [],
    "pool[/server]": meant?.pools ?? [],
    "on|off": ["on", "off"],
    test: ["test"],
  };
  for (const { arguments: places } of root.commands.values()) {
    for (const [place, argument] of places) {
      const names = known[place];
      if (names === undefined) continue;
      argument.handler = (offer) => {
        for (const name of names) offer(name, "");
      };
    }
  }
}

/** None where no gateway answers: nobody wants to read of that while typing. */
async function askNames(env: Env): Promise<Names> {
  const found = findGateway({}, env);
  if (!found.ok) return [];
  const { address, token } = found.value;
  const gateway = new AdminClient(address, { token });
  try {
    const answer = await gateway.groups();
    if (!answer.ok) return [];
    return answer.value.map(({ name, pools }) => ({
      name,
      pools: pools.map((pool) => pool.name),
    }));
  } finally {
    await gateway.close();
  }
}
