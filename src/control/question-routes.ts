import { z } from "zod";
import { json, plain, problem } from "./admin-answer.ts";
import type { AdminContext } from "./admin-context.ts";
import type { Route } from "./admin-route.ts";
import { eventsView, groupsView, groupView, poolView, statusView } from "./api-schema.ts";
import { exchangesView, exchangeView, viewExchange } from "./exchange-view.ts";
import { someDuration } from "../config/schema-parts.ts";
import { isOfGroup } from "./event-history.ts";
import { findGroup, findPool } from "./find-in-group.ts";
import { tagOf } from "./group-tag.ts";
import { failoverStatus, viewGroup, viewPool } from "./group-view.ts";
import { viewStatus } from "./status-view.ts";
import { isoUtc } from "../observe/log-time.ts";
import type { ExchangeStory } from "../process/exchange-story.ts";

const JSON_TYPE = "application/json";
const GROUP = "/api/v1/groups/{group}";
const POOL = `${GROUP}/pools/{pool}`;

const eventNumber = z
  .string()
  .regex(/^\d{1,15}$/, { error: "must be the number of an event" })
  .transform(Number);
const groupName = z.string().optional().describe("Only of this group.");
/** In milliseconds. */
const since = someDuration
  .optional()
  .describe(
    "So long ago, as a duration of the configuration file: `1h`; default: the last thousand.",
  );
const RECENT = z.object({ since: z.number().optional(), group: z.string().optional() });
const FOLLOWING = z.object({ since_id: z.number().optional(), group: z.string().optional() });

/** What a browser sends when it comes back; undefined where it is no number of ours. */
function numberIn(id: string | string[] | undefined): number | undefined {
  return typeof id === "string" && /^\d{1,15}$/.test(id) ? Number(id) : undefined;
}

/** What is so at the moment. */
export function questionRoutes(context: AdminContext): readonly Route[] {
  return [...gatewayQuestions(context), ...groupQuestions(context)];
}

function gatewayQuestions({ control, version, streams, moment }: AdminContext): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/api/v1/status",
      id: "status",
      summary: "What the gateway is and runs.",
      success: { says: "The gateway.", type: JSON_TYPE, schema: statusView },
      problems: [],
      handle: () => json(viewStatus(control, version, moment())),
    },
    {
      method: "GET",
      path: "/api/v1/exchanges",
      id: "exchanges",
      summary: "The last exchanges that failed, were retried or had to wait.",
      success: { says: "The exchanges.", type: JSON_TYPE, schema: exchangesView },
      problems: [],
      handle: async () => json({ exchanges: (await control.stories()).map(viewExchange) }),
    },
    {
      method: "GET",
      path: "/api/v1/exchanges/{request_id}",
      id: "exchange",
      summary: "One of them, with every attempt and why it was made.",
      success: { says: "The exchange.", type: JSON_TYPE, schema: exchangeView },
      problems: ["NOT_FOUND"],
      handle: async ({ param }) => {
        const stories = await control.stories();
        const id = param("request_id");
        const found = stories.findLast(({ requestId }) => requestId === id);
        return found === undefined
          ? problem("NOT_FOUND", notKept(id, stories))
          : json(viewExchange(found));
      },
    },
    {
      method: "GET",
      path: "/api/v1/events",
      id: "events",
      summary: "What happens, as server-sent events.",
      query: z.object({
        since_id: eventNumber
          .optional()
          .describe("Those behind this one first, as with `Last-Event-ID`; 0 = all that are kept."),
        group: groupName,
      }),
      success: { says: "Events.", type: "text/event-stream" },
      problems: ["BAD_REQUEST", "OVERLOADED"],
      handle: ({ isHead, query, headers }) => {
        if (isHead) return { ...plain(""), type: "text/event-stream" };
        if (streams.isFull) return problem("OVERLOADED", "too many follow the events already");
        const { since_id, group } = FOLLOWING.parse(query);
        const since = since_id ?? numberIn(headers["last-event-id"]);
        return { stream: (response) => streams.add(response, { since, group }) };
      },
    },
    {
      method: "GET",
      path: "/api/v1/events/recent",
      id: "recentEvents",
      summary: "The last thousand of them, or all that are kept since a time.",
      query: z.object({ since, group: groupName }),
      success: { says: "Events, oldest first.", type: JSON_TYPE, schema: eventsView },
      problems: ["BAD_REQUEST"],
      handle: async ({ query }) => {
        const { since: ago, group } = RECENT.parse(query);
        const events =
          ago === undefined
            ? control.history.all
            : await control.history.since(moment().wall - ago);
        return json({ events: events.filter((event) => isOfGroup(event, group)) });
      },
    },
  ];
}

function notKept(id: string, stories: readonly ExchangeStory[]): string {
  const [oldest] = stories;
  const kept =
    oldest === undefined
      ? "none so far"
      : `the last ${stories.length}, since ${isoUtc(oldest.startedAt)}`;
  return `no request ${JSON.stringify(id)} is known: kept are those that failed, were retried or had to wait (${kept})`;
}

function groupQuestions({ control, moment }: AdminContext): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/api/v1/groups",
      id: "groups",
      summary: "All groups.",
      success: { says: "The groups.", type: JSON_TYPE, schema: groupsView },
      problems: [],
      handle: () => {
        const at = moment();
        const groups = Array.from(control.groups, (group) => viewGroup(group, control, at));
        return json({ groups });
      },
    },
    {
      method: "GET",
      path: GROUP,
      id: "group",
      summary: "A group, its pools in order of preference, their servers.",
      success: { says: "The group.", type: JSON_TYPE, schema: groupView },
      problems: ["NOT_FOUND"],
      handle: (call) => {
        const group = findGroup(control, call);
        if (!group.ok) return group.answer;
        const view = viewGroup(group.value, control, moment());
        return { ...json(view), fields: { ETag: tagOf(group.value) } };
      },
    },
    {
      method: "GET",
      path: POOL,
      id: "pool",
      summary: "A pool and its servers.",
      success: { says: "The pool.", type: JSON_TYPE, schema: poolView },
      problems: ["NOT_FOUND"],
      handle: (call) => {
        const group = findGroup(control, call);
        if (!group.ok) return group.answer;
        const pool = findPool(group.value, call.param("pool"));
        return pool.ok ? json(viewPool(group.value, pool.value, control, moment())) : pool.answer;
      },
    },
    {
      method: "GET",
      path: `${POOL}/failover-status`,
      id: "failoverStatus",
      summary: "Whether a pool serves its group, in a word: online, offline, none.",
      success: { says: "The word; `none`: it is no pool of the group.", type: "text/plain" },
      problems: ["NOT_FOUND"],
      handle: (call) => {
        const group = findGroup(control, call);
        if (!group.ok) return group.answer;
        return plain(`${failoverStatus(group.value, call.param("pool"))}\n`);
      },
    },
  ];
}
