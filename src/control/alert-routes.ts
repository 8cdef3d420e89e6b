import { isoUtc } from "../observe/log-time.ts";
import { answerOutcome, json } from "./admin-answer.ts";
import type { AdminContext } from "./admin-context.ts";
import { type Route, taking } from "./admin-route.ts";
import { alertsView, orderView } from "./api-schema.ts";
import type { Control, Outcome } from "./control.ts";
import { nothingOrder } from "./order-schema.ts";
import { done, refused } from "./outcomes.ts";

/** Paths of what people are told. */
export function alertRoutes({ control }: AdminContext): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/api/v1/alerts",
      id: "alerts",
      summary: "What goes on that people are told of, and how messages get through.",
      success: { says: "The alerts.", type: "application/json", schema: alertsView },
      problems: [],
      handle: () => json(viewAlerts(control)),
    },
    {
      method: "POST",
      path: "/api/v1/alerts/test",
      id: "testAlerts",
      summary: "Sends a message through every channel, and tells what came of it.",
      success: { says: "All were taken.", type: "application/json", schema: orderView },
      problems: ["BAD_REQUEST", "REFUSED", "BODY_TOO_LARGE", "FAILED"],
      ...taking(nothingOrder, async () => answerOutcome(await test(control))),
    },
  ];
}

function viewAlerts({ alerts }: Control) {
  return {
    active: alerts.active.map(({ signal: { rule, group, level, title, facts }, since }) => ({
      rule,
      ...(group !== undefined && { group }),
      level,
      title,
      since: isoUtc(since),
      facts: Object.fromEntries(facts.map(({ label, value }) => [label, value])),
    })),
    channels: alerts.channels.map(({ trouble, ...channel }) => ({
      ...channel,
      ...(trouble !== undefined && { trouble }),
    })),
  };
}

async function test({ alerts }: Control): Promise<Outcome> {
  const tests = await alerts.test();
  if (tests.length === 0) {
    return refused("no channel is configured: write `alerts.channels`, or set SLACK_WEBHOOK_URL");
  }
  const lines = tests.map(({ channel, delivery }) =>
    delivery.ok ? `${channel}: taken` : `${channel}: not taken: ${delivery.reason}`,
  );
  const isWell = tests.every(({ delivery }) => delivery.ok);
  return isWell ? done(lines) : { ok: false, kind: "failed", lines };
}
