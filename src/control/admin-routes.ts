import { z } from "zod";
import { didYouMean } from "../config/suggest.ts";
import type { GroupState } from "../failover/group-state.ts";
import type { Metrics } from "../observe/metrics.ts";
import { type AdminAnswer, answerOutcome, json, plain, problem } from "./admin-answer.ts";
import { readBody } from "./admin-body.ts";
import type { Route } from "./admin-router.ts";
import type { Control } from "./control.ts";
import type { EventStreams } from "./event-streams.ts";
import { type Moment, viewGroup } from "./group-view.ts";
import { type ReadyCheck, readyChecks } from "./readiness.ts";
import { viewHealth, viewStatus } from "./status-view.ts";

export interface AdminContext {
  readonly control: Control;
  readonly version: string;
  readonly metrics: Metrics;
  readonly streams: EventStreams;
  readonly moment: () => Moment;
}

/** Every path of the admin API. */
export function adminRoutes(context: AdminContext): readonly Route[] {
  return [...healthRoutes(context), ...questionRoutes(context), ...orderRoutes(context)];
}

/** For whatever watches the gateway. */
function healthRoutes({ control, version, metrics, moment }: AdminContext): readonly Route[] {
  return [
    { method: "GET", path: "/livez", handle: () => plain("alive\n") },
    {
      method: "GET",
      path: "/readyz",
      handle: ({ query }) =>
        answerReadiness(readyChecks(control, moment().now), query.has("verbose")),
    },
    {
      method: "GET",
      path: "/health",
      handle: () => {
        const health = viewHealth(control, version, moment());
        return json(health, health.status === "ready" ? 200 : 503);
      },
    },
    {
      method: "GET",
      path: "/metrics",
      handle: async () => ({ ...plain(await metrics.text()), type: metrics.contentType }),
    },
  ];
}

function questionRoutes({ control, version, streams, moment }: AdminContext): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/api/v1/status",
      handle: () => json(viewStatus(control, version, moment())),
    },
    {
      method: "GET",
      path: "/api/v1/groups",
      handle: () => {
        const at = moment();
        return json({
          groups: Array.from(control.groups, (group) => viewGroup(group, control, at)),
        });
      },
    },
    {
      method: "GET",
      path: "/api/v1/groups/{group}",
      handle: ({ group: name }) => {
        const group = findGroup(control, name);
        return group === undefined
          ? noGroup(control, name)
          : json(viewGroup(group, control, moment()));
      },
    },
    {
      method: "GET",
      path: "/api/v1/events",
      handle: ({ message }) => {
        if (message.method === "HEAD") return { ...plain(""), type: "text/event-stream" };
        if (streams.isFull) return problem("OVERLOADED", "too many follow the events already");
        return { stream: (response) => streams.add(response) };
      },
    },
  ];
}

function orderRoutes({ control }: AdminContext): readonly Route[] {
  return [
    {
      method: "POST",
      path: "/api/v1/reload",
      handle: async ({ message }) => {
        const body = await readBody(message, NOTHING);
        return body.ok ? answerOutcome(await control.reload()) : body.answer;
      },
    },
    {
      method: "POST",
      path: "/api/v1/restart",
      handle: async ({ message }) => {
        const body = await readBody(message, NOTHING);
        return body.ok ? answerOutcome(await control.restart()) : body.answer;
      },
    },
    {
      method: "POST",
      path: "/api/v1/groups/{group}/switch",
      handle: async ({ message, group }) => {
        const body = await readBody(message, SWITCH);
        return body.ok ? await switchPool(control, group, body.value.to) : body.answer;
      },
    },
  ];
}

const NOTHING = z.strictObject({});
const SWITCH = z.strictObject({ to: z.string({ error: "must be the name of a pool" }) });

function answerReadiness(checks: readonly ReadyCheck[], isVerbose: boolean): AdminAnswer {
  const failed = checks.filter(({ ok }) => !ok);
  const told = (isVerbose ? checks : failed).map(
    ({ name, ok, reason }) => `[${ok ? "+" : "-"}] ${name}: ${reason}\n`,
  );
  const isReady = failed.length === 0;
  return plain(`${told.join("")}${isReady ? "ready" : "not ready"}\n`, isReady ? 200 : 503);
}

async function switchPool(control: Control, name: string, to: string): Promise<AdminAnswer> {
  const group = findGroup(control, name);
  if (group === undefined) return noGroup(control, name);
  if (!group.pools.some((pool) => pool.name === to)) return noPool(group, to);
  return answerOutcome(await control.switchTo(name, to));
}

function findGroup({ groups }: Control, name: string): GroupState | undefined {
  return Array.from(groups).find(({ spec }) => spec.name === name);
}

function noGroup({ groups }: Control, name: string): AdminAnswer {
  const known = Array.from(groups, ({ spec }) => spec.name);
  return unknown(`no group ${JSON.stringify(name)}`, name, known);
}

function noPool({ spec, pools }: GroupState, pool: string): AdminAnswer {
  const names = pools.map(({ name }) => name);
  return unknown(`group "${spec.name}" has no pool ${JSON.stringify(pool)}`, pool, names);
}

function unknown(what: string, word: string, known: readonly string[]): AdminAnswer {
  const others = known.length > 0 ? `, known here: ${known.join(", ")}` : "";
  return problem("NOT_FOUND", `${what}${didYouMean(word, known) || others}`);
}
