/**
 * Zero downtime with the containers of docker-compose.yml: `npm run bench:compose`, with `--quick`, `--only stop,kill`,
 * `--json`. Starts the rig under a name and on ports of its own and takes it down again. Ends with 1 where a GET failed
 * while one pool lived.
 */
import { docker, Rig } from "../test/docker/rig.ts";
import { describeMachine } from "./rig/machine.ts";
import { pickNamed, readOptions } from "./rig/options.ts";
import { freePort } from "./rig/ports.ts";
import { figure, table } from "./rig/table.ts";
import { CASES } from "./zero-downtime/cases.ts";
import { type CaseResult, playCase, type Pressure } from "./zero-downtime/play-case.ts";

const options = readOptions(process.argv.slice(2));
const cases = pickNamed(CASES, options.only, ({ name }) => name);
const pressure: Pressure = {
  perSecond: 100,
  besidePerSecond: 200,
  besideConnections: 8,
  stepMs: options.quick ? 1_000 : 4_000,
};

const HEAD = [
  "what happens",
  "requests",
  "GETs failed",
  "POSTs failed",
  "slowest s",
  "other pool answers after s",
  "back after s",
  "autocannon: answered",
  "errors",
  "lost",
];

if (await hasEngine()) process.exitCode = await bench();
else {
  console.error("no Docker engine answers: start one, or say where it is with DOCKER_HOST");
  process.exitCode = 1;
}

async function bench(): Promise<number> {
  // They come and go as often as no container should: none of them is to be held down for that.
  const ports = { gateway: await freePort(), admin: await freePort() };
  await using rig = new Rig("bench", (config) => `${config}\n    flap: { changes: 0 }\n`, ports);
  const interrupted = new Promise<never>((_, reject) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.once(signal, () => reject(new Error(`interrupted by ${signal}`)));
    }
  });
  const results = await Promise.race([play(rig), interrupted]);
  if (options.json) console.log(JSON.stringify(results, undefined, 2));
  else console.log([whereLine(), tableOf(results)].join("\n\n"));
  const broken = results.filter(({ isBroken }) => isBroken);
  for (const { title, summary } of broken) {
    console.error(`BROKEN PROMISE: ${title}: ${summary.byMethod.GET.failed} GETs failed`);
  }
  return broken.length === 0 ? 0 : 1;
}

async function play(rig: Rig): Promise<readonly CaseResult[]> {
  await rig.compose(["build"]);
  await rig.up();
  const results: CaseResult[] = [];
  for (const one of cases) {
    console.error(one.title);
    results.push(await playCase(rig, one, pressure));
  }
  return results;
}

async function hasEngine(): Promise<boolean> {
  return await docker(["info"]).then(
    () => true,
    () => false,
  );
}

function whereLine(): string {
  const { cpu, cores, memoryGb, kernel } = describeMachine({ present: [], missing: [] });
  const { perSecond, besidePerSecond } = pressure;
  return (
    `${cpu}, ${cores} cores, ${memoryGb} GB, Linux ${kernel}; the strict client asks ${perSecond} times a ` +
    `second, a fifth of it POSTs, autocannon beside it ${besidePerSecond} times`
  );
}

function tableOf(results: readonly CaseResult[]): string {
  return table(
    HEAD,
    results.map(({ title, summary, autocannon, takenOverMs, backMs }) => [
      title,
      summary.issued.toLocaleString("en"),
      `${summary.byMethod.GET.failed}`,
      `${summary.byMethod.POST.failed}`,
      figure(summary.latencyMs.max / 1_000),
      figure(takenOverMs && takenOverMs / 1_000),
      figure(backMs && backMs / 1_000),
      autocannon.answered.toLocaleString("en"),
      `${autocannon.errors + autocannon.non2xx + autocannon.mismatches}`,
      `${autocannon.lost}`,
    ]),
  );
}
