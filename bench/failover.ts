/**
 * What clients see when something fails, with Understudy and with what one would pick instead:
 * `npm run bench:failover`, with `--quick`, `--only S1,S3`, `--peers nginx,understudy`, `--json`,
 * `--report`. Ends with 1 where a promise of Understudy is broken, never because a machine is slow.
 */
import { failoverTables, failoverVerdict } from "./failover/failover-tables.ts";
import { type FailoverPlan, runFailover } from "./failover/run-failover.ts";
import { SCENARIOS } from "./failover/scenarios.ts";
import { writeReport } from "./failover/write-report.ts";
import { castOf, tellMissing } from "./rig/cast.ts";
import { leaveProxyCore } from "./rig/cores.ts";
import { machineLine } from "./rig/machine.ts";
import { type Options, pickNamed, readOptions } from "./rig/options.ts";

const options = readOptions(process.argv.slice(2));
const plan = planOf(options);
leaveProxyCore();
const cast = castOf(options.peers, []);
if (tellMissing(cast)) process.exitCode = 1;

const result = await runFailover(cast, plan, (line) => console.error(line));
if (options.json) console.log(JSON.stringify(result, undefined, 2));
else {
  const parts = [machineLine(result.machine), failoverTables(result), failoverVerdict(result)];
  console.log([...parts, `${result.seconds} s`].join("\n\n"));
}
if (options.report) writeReport(result, options.quick);
for (const sentence of result.broken) console.error(`BROKEN PROMISE: ${sentence}`);
if (result.broken.length > 0) process.exitCode = 1;

function planOf({ quick, only }: Options): FailoverPlan {
  return {
    scenarios: pickNamed(SCENARIOS, only, ({ id }) => id),
    // Six peers at a time on two cores: the rates must leave room.
    pressure: quick
      ? { strictPerSecond: 50, autocannonPerSecond: 160, autocannonConnections: 8 }
      : { strictPerSecond: 100, autocannonPerSecond: undefined, autocannonConnections: 16 },
    together: quick,
  };
}
