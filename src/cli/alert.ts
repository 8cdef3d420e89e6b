import type { Env } from "../config/interpolate.ts";
import type { AlertsView } from "../control/api-schema.ts";
import { EXIT } from "./exit-codes.ts";
import { type GatewayOptions, printProblem, withGateway } from "./with-gateway.ts";

/** `understudy alert`: what goes on that people are told of, and how messages get through. */
export function alert(options: GatewayOptions, env: Env): Promise<number> {
  return withGateway(options, env, async (gateway) => {
    const answer = await gateway.alerts();
    if (!answer.ok) return printProblem(answer);
    const text =
      options.json === true ? JSON.stringify(answer.value) : linesOf(answer.value).join("\n");
    process.stdout.write(`${text}\n`);
    return EXIT.done;
  });
}

function linesOf({ active, channels }: AlertsView): readonly string[] {
  const alerts = active.flatMap(({ level, title, since, facts }) => [
    `${level}: ${title}, since ${since}`,
    ...Object.entries(facts).map(([label, value]) => `  ${label}: ${value}`),
  ]);
  const places = channels.map(({ name, sent, failed, waiting, trouble }) => {
    const counts = `${sent} sent, ${waiting} waiting, ${failed} given up`;
    return `${name}: ${counts}${trouble === undefined ? "" : `; ${trouble}`}`;
  });
  return [
    ...(alerts.length === 0 ? ["nothing goes on"] : alerts),
    ...(places.length === 0 ? ["no channel is configured: nobody is told"] : places),
  ];
}
