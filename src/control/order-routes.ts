import type { z } from "zod";
import { answerOutcome, type WholeAnswer } from "./admin-answer.ts";
import type { AdminContext } from "./admin-context.ts";
import { type Call, type Route, taking } from "./admin-route.ts";
import { orderView } from "./api-schema.ts";
import type { Control, Outcome } from "./control.ts";
import { findGroupToChange, findPool, findServer } from "./find-in-group.ts";
import * as schema from "./order-schema.ts";
import type { Guard } from "./orders.ts";
import type { GroupState } from "../failover/group-state.ts";

const GROUP = "/api/v1/groups/{group}";
const POOL = `${GROUP}/pools/{pool}`;

const DONE = { says: "Done.", type: "application/json", schema: orderView } as const;

const COMMON = {
  method: "POST",
  success: DONE,
  problems: ["BAD_REQUEST", "NOT_FOUND", "REFUSED", "CHANGED", "BODY_TOO_LARGE", "FAILED"],
} as const;

/** What an operator can order; each is answered once it is done. */
export function orderRoutes({ control }: AdminContext): readonly Route[] {
  return [
    ...gatewayOrders(control),
    ...switchOrders(control),
    ...doorOrders(control),
    ...adminOrders(control),
    ...standbyOrders(control),
  ];
}

function gatewayOrders(control: Control): readonly Route[] {
  const order = (id: "reload" | "restart", summary: string): Route => ({
    ...COMMON,
    path: `/api/v1/${id}`,
    id,
    summary,
    problems: ["BAD_REQUEST", "REFUSED", "BODY_TOO_LARGE", "FAILED"],
    ...taking(schema.nothingOrder, async () => answerOutcome(await control[id]())),
  });
  return [
    order("reload", "Reads the configuration again."),
    order(
      "restart",
      "Replaces the workers; where a new one does not become ready, the old ones stay.",
    ),
  ];
}

function switchOrders(control: Control): readonly Route[] {
  const { orders } = control;
  return [
    {
      ...COMMON,
      path: `${GROUP}/switch`,
      id: "switchPool",
      summary: "Makes a pool the primary, on every worker at once.",
      problems: [...COMMON.problems, "ROLLED_BACK"],
      ...taking(schema.switchOrder, (call, body) =>
        inGroup(control, call, (group) => {
          const pool = findPool(group, body.to);
          if (!pool.ok) return pool.answer;
          return orders.switchTo(group.spec.name, {
            by: call.by,
            to: body.to,
            force: body.force ?? false,
            dryRun: body.dry_run ?? false,
            ifActive: body.if_active,
            wait: body.wait ?? false,
            guard: body.guard && guardOf(body.guard),
          });
        }),
      ),
    },
    {
      ...COMMON,
      path: `${GROUP}/rollback`,
      id: "rollback",
      summary: "Undoes the last switch.",
      ...taking(schema.rollbackOrder, (call, { force = false, wait = false }) =>
        inGroup(control, call, ({ spec }) =>
          orders.rollback(spec.name, { by: call.by, force, wait }),
        ),
      ),
    },
    {
      ...COMMON,
      path: `${GROUP}/split`,
      id: "setSplit",
      summary: "Spreads new clients over pools by weights.",
      ...taking(schema.splitOrder, (call, { split }) =>
        inGroup(control, call, (group) => {
          const missing = Object.keys(split ?? {}).map((name) => findPool(group, name));
          const wrong = missing.find((found) => !found.ok);
          if (wrong !== undefined && !wrong.ok) return wrong.answer;
          return orders.setSplit(group.spec.name, { by: call.by, split: split ?? undefined });
        }),
      ),
    },
    {
      ...COMMON,
      path: `${GROUP}/drill`,
      id: "drill",
      summary: "Fails over on purpose and back, and reports what clients saw.",
      ...taking(schema.drillOrder, (call, body) =>
        inGroup(control, call, ({ spec }) =>
          orders.drill(spec.name, { by: call.by, forMs: body.for }),
        ),
      ),
    },
    {
      ...COMMON,
      path: `${GROUP}/reset`,
      id: "reset",
      summary: "Forgets what was ordered: the configuration's values count again.",
      ...taking(schema.nothingOrder, (call) =>
        inGroup(control, call, ({ spec }) => orders.reset(spec.name, { by: call.by })),
      ),
    },
  ];
}

function doorOrders(control: Control): readonly Route[] {
  const { orders } = control;
  return [
    {
      ...COMMON,
      path: `${GROUP}/hold`,
      id: "hold",
      summary: "Lets requests wait at the door, until a resume or the time is up.",
      ...taking(schema.holdOrder, (call, { max }) =>
        inGroup(control, call, ({ spec }) => orders.hold(spec.name, { by: call.by, maxMs: max })),
      ),
    },
    {
      ...COMMON,
      path: `${GROUP}/resume`,
      id: "resume",
      summary: "Ends a hold.",
      ...taking(schema.nothingOrder, (call) =>
        inGroup(control, call, ({ spec }) => orders.resume(spec.name, { by: call.by })),
      ),
    },
    {
      ...COMMON,
      path: `${GROUP}/maintenance`,
      id: "setMaintenance",
      summary: "Answers every request with the group's page and 503, or ends that.",
      ...taking(schema.maintenanceOrder, (call, { on }) =>
        inGroup(control, call, ({ spec }) => orders.setMaintenance(spec.name, { by: call.by, on })),
      ),
    },
  ];
}

function adminOrders(control: Control): readonly Route[] {
  const set = (path: string, id: string, summary: string): Route => ({
    ...COMMON,
    method: "PATCH",
    path,
    id,
    summary,
    ...taking(schema.adminOrder, (call, { admin, force = false, wait = false }) =>
      inGroup(control, call, (group) => {
        const pool = findPool(group, call.param("pool"));
        if (!pool.ok) return pool.answer;
        const server = path.endsWith("{server}")
          ? findServer(pool.value, call.param("server"))
          : undefined;
        if (server !== undefined && !server.ok) return server.answer;
        return control.orders.setAdmin(group.spec.name, {
          by: call.by,
          pool: pool.value.name,
          server: server?.value.spec.address,
          admin,
          force,
          wait,
        });
      }),
    ),
  });
  return [
    set(POOL, "setPoolAdmin", "Says what you want of a pool's servers."),
    set(
      `${POOL}/servers/{server}`,
      "setServerAdmin",
      "Says what you want of one server, by its address.",
    ),
  ];
}

function standbyOrders(control: Control): readonly Route[] {
  const order = (action: "start" | "stop", summary: string): Route => ({
    ...COMMON,
    path: `${POOL}/${action}`,
    id: `${action}Standby`,
    summary,
    ...taking(schema.startOrder, (call, { force = false }) =>
      inGroup(control, call, (group) => {
        const pool = findPool(group, call.param("pool"));
        if (!pool.ok) return pool.answer;
        const { name } = pool.value;
        return control.orders.setStandby(group.spec.name, {
          by: call.by,
          pool: name,
          action,
          force,
        });
      }),
    ),
  });
  return [
    order("start", "Starts a cold standby before it is needed."),
    order("stop", "Stops a cold standby."),
  ];
}

/** Gives the order that `act` makes of the path's group, where there is one. */
async function inGroup(
  control: Control,
  call: Call,
  act: (group: GroupState) => WholeAnswer | Promise<Outcome>,
): Promise<WholeAnswer> {
  const group = findGroupToChange(control, call);
  if (!group.ok) return group.answer;
  const result = await act(group.value);
  return "status" in result ? result : answerOutcome(result);
}

function guardOf(guard: NonNullable<z.output<typeof schema.switchOrder>["guard"]>): Guard {
  return { forMs: guard.for, maxErrorRatio: guard.max_errors, maxP99Ratio: guard.max_p99 };
}
