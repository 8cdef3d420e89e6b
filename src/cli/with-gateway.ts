import type { Env } from "../config/interpolate.ts";
import { AdminClient, type Answered } from "../control/admin-client.ts";
import type { Outcome } from "../control/control.ts";
import { EXIT } from "./exit-codes.ts";
import { findGateway, type GatewayPlace } from "./find-gateway.ts";

/** What every command that speaks with a gateway is told. */
export interface GatewayOptions extends GatewayPlace {
  readonly json?: boolean | undefined;
}

/** Lets `command` speak with the gateway, `by` whom if it gives orders; gives its exit status. */
export async function withGateway(
  place: GatewayPlace,
  env: Env,
  command: (gateway: AdminClient) => Promise<number>,
  by?: string,
): Promise<number> {
  const found = findGateway(place, env);
  if (!found.ok) return complain(found.message, EXIT.usage);
  const { address, token } = found.value;
  const gateway = new AdminClient(address, { token, by });
  try {
    return await command(gateway);
  } finally {
    await gateway.close();
  }
}

/** Prints what an order came to; gives the exit status. */
export function printOutcome(answer: Answered<Outcome>, { json }: GatewayOptions): number {
  if (!answer.ok) return printProblem(answer);
  const outcome = answer.value;
  if (json === true) process.stdout.write(`${JSON.stringify(outcome)}\n`);
  else {
    const stream = outcome.ok ? process.stdout : process.stderr;
    for (const line of outcome.lines) stream.write(`${line}\n`);
  }
  return outcome.ok ? EXIT.done : EXIT_OF[outcome.kind];
}

/** Says why there is no answer; gives the exit status. */
export function printProblem(answer: Extract<Answered<unknown>, { ok: false }>): number {
  return complain(answer.problem, EXIT_OF[answer.kind]);
}

const EXIT_OF = {
  failed: EXIT.failed,
  refused: EXIT.refused,
  unknown: EXIT.usage,
  rolled_back: EXIT.rolledBack,
} as const;

function complain(problem: string, status: number): number {
  process.stderr.write(`understudy: ${problem}\n`);
  return status;
}
