import { z } from "zod";
import type { GroupState } from "../failover/group-state.ts";
import type { Control } from "./control.ts";
import type { Moment } from "./group-view.ts";
import { isGroupAvailable, type ReadyCheck, readyChecks } from "./readiness.ts";
import { whyNotServing } from "./switch-target.ts";

const status = z
  .enum(["pass", "warn", "fail"])
  .describe("`warn`: clients are served, but with less behind them than there should be.");

const checkView = z.object({
  status,
  componentType: z.enum(["system", "component"]),
  observedValue: z.union([z.string(), z.number()]).optional(),
  observedUnit: z.string().optional(),
  output: z.string().optional().describe("Why it is not well."),
});

/** draft-inadarei-api-health-check-06. */
export const healthView = z
  .object({
    status,
    version: z.string(),
    description: z.string(),
    output: z.string().optional().describe("What is not well, in words."),
    checks: z
      .record(z.string(), z.array(checkView))
      .optional()
      .describe(
        "With `?detailed`: `uptime`, `workers`, `config`, and `group:NAME` for each group.",
      ),
  })
  .meta({ id: "Health" });

export type HealthView = z.infer<typeof healthView>;
type Check = z.infer<typeof checkView>;

/** Whether the gateway is well. */
export function viewHealth(
  control: Control,
  version: string,
  at: Moment,
  isDetailed: boolean,
): HealthView {
  const failed = readyChecks(control, at.now).filter(({ ok }) => !ok);
  const groups = Array.from(control.groups, (group) => [group, weaknessOf(group)] as const);
  const weak = groups.flatMap(([, weakness]) => (weakness === undefined ? [] : [weakness]));
  const output = [...failed.map(inWords), ...weak].join("; ");
  return {
    status: failed.length > 0 ? "fail" : weak.length > 0 ? "warn" : "pass",
    version,
    description: "Understudy, a failover gateway",
    ...(output !== "" && { output }),
    ...(isDetailed && { checks: checksOf(control, failed, at) }),
  };
}

function checksOf(control: Control, failed: readonly ReadyCheck[], at: Moment) {
  const { config, startedAt, workers } = control;
  const seconds = Math.max(0, Math.round(at.wall - startedAt) / 1000);
  const serving = workers.filter(({ state }) => state === "serving").length;
  const broken = failed.find(({ name }) => name === "workers");
  const system = { componentType: "system" } as const;
  const groups = Array.from(control.groups, (group) => [
    `group:${group.spec.name}`,
    [groupCheck(group, at.now)],
  ]);
  return {
    uptime: [{ ...system, status: "pass", observedValue: seconds, observedUnit: "s" }],
    workers: [
      {
        ...system,
        status: broken === undefined ? "pass" : "fail",
        observedValue: Math.max(1, serving),
        ...(broken !== undefined && { observedValue: 0, output: broken.reason }),
      },
    ],
    config: [{ ...system, status: "pass", observedValue: `${config.number} (${config.hash})` }],
    ...Object.fromEntries(groups),
  } satisfies Record<string, readonly Check[]>;
}

function groupCheck(group: GroupState, now: number): Check {
  const component = { componentType: "component", observedValue: group.active } as const;
  if (group.servers.length > 0 && !isGroupAvailable(group, now)) {
    return { ...component, status: "fail", output: "no server is available" };
  }
  const output = weaknessOf(group);
  return output === undefined
    ? { ...component, status: "pass" }
    : { ...component, status: "warn", output };
}

/** Which pools could not serve that should, in words; one that sleeps need not. */
function weaknessOf({ spec, pools, primary, active }: GroupState): string | undefined {
  const dead = pools.filter(({ standby }) => standby === "awake").map(whyNotServing);
  const reasons = [
    ...(primary === active ? [] : [`${active} serves in place of ${primary}`]),
    ...dead.filter((why) => why !== undefined),
  ];
  return reasons.length === 0 ? undefined : `group ${spec.name}: ${reasons.join(", ")}`;
}

function inWords({ name, reason }: ReadyCheck): string {
  return `${name}: ${reason}`;
}
