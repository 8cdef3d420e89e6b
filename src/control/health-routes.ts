import { z } from "zod";
import { type AdminAnswer, json, plain, problem } from "./admin-answer.ts";
import type { AdminContext } from "./admin-context.ts";
import type { Route } from "./admin-route.ts";
import { healthView, viewHealth } from "./health-view.ts";
import { queryFlag } from "./query-flag.ts";
import { type ReadyCheck, readyChecks } from "./readiness.ts";

const TEXT = "text/plain";
const HEALTH = "application/health+json";

/** For whatever watches the gateway. */
export function healthRoutes({
  control,
  version,
  metrics,
  moment,
}: AdminContext): readonly Route[] {
  const common = { method: "GET", problems: [], isOpen: true } as const;
  return [
    {
      ...common,
      path: "/livez",
      id: "isAlive",
      summary: "Whether the process answers at all.",
      success: { says: "It does.", type: TEXT },
      handle: () => plain("alive\n"),
    },
    {
      ...common,
      path: "/readyz",
      id: "isReady",
      summary: "Whether clients may be sent here, and why not, one reason a line.",
      query: z.object({ verbose: queryFlag.describe("Tells every check.") }),
      success: { says: "They may.", type: TEXT },
      others: { 503: { says: "They may not.", type: TEXT } },
      problems: ["BAD_REQUEST"],
      handle: ({ query }) =>
        answerReadiness(readyChecks(control, moment().now), query["verbose"] === true),
    },
    {
      ...common,
      path: "/health",
      id: "health",
      summary: "The same as JSON, and whether less stands by than should.",
      query: z.object({ detailed: queryFlag.describe("Tells of each part; needs the token.") }),
      success: { says: "Clients may be sent here.", type: HEALTH, schema: healthView },
      others: { 503: { says: "They may not.", type: HEALTH, schema: healthView } },
      problems: ["BAD_REQUEST", "UNAUTHORIZED"],
      handle: ({ query, isTrusted }) => {
        const isDetailed = query["detailed"] === true;
        if (isDetailed && !isTrusted) return problem("UNAUTHORIZED", "the details need the token");
        const health = viewHealth(control, version, moment(), isDetailed);
        return { ...json(health, health.status === "fail" ? 503 : 200), type: HEALTH };
      },
    },
    {
      ...common,
      path: "/metrics",
      id: "metrics",
      summary: "What is so now and what was counted, in Prometheus' text format.",
      success: { says: "Metrics.", type: TEXT },
      handle: async () => ({ ...plain(await metrics.text()), type: metrics.contentType }),
    },
  ];
}

function answerReadiness(checks: readonly ReadyCheck[], isVerbose: boolean): AdminAnswer {
  const failed = checks.filter(({ ok }) => !ok);
  const told = (isVerbose ? checks : failed).map(
    ({ name, ok, reason }) => `[${ok ? "+" : "-"}] ${name}: ${reason}\n`,
  );
  const isReady = failed.length === 0;
  return plain(`${told.join("")}${isReady ? "ready" : "not ready"}\n`, isReady ? 200 : 503);
}
