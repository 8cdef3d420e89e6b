import { z } from "zod";
import type { Action } from "../action/action.ts";
import { EVENT_MESSAGES } from "../observe/event-messages.ts";
import { command, url } from "./action-schema.ts";
import type { HookConfig } from "./config.ts";
import { quote } from "./parsed.ts";
import { object, someDuration, text } from "./schema-parts.ts";
import { didYouMean } from "./suggest.ts";

/** Asked before a switch is carried out; may say no. */
const BEFORE_SWITCH = "before_switch";

const EVENTS = [
  BEFORE_SWITCH,
  // What hooks do themselves would never end.
  ...Object.keys(EVENT_MESSAGES).filter((type) => !type.startsWith("hook-")),
];

const event = z
  .string()
  .refine((type) => EVENTS.includes(type), {
    error: (issue) =>
      `${quote(issue.input)} is no event${didYouMean(String(issue.input), EVENTS) || `, known are ${EVENTS.join(", ")}`}`,
  })
  .meta({
    id: "event",
    description: `What happens, as in the event log, or \`${BEFORE_SWITCH}\`: ${EVENTS.slice(1).join(", ")}.`,
    examples: ["failover", "failback", "pool-down"],
  });

const hook = object({
  on: z.array(event).min(1, { error: "needs an event" }).describe("When it runs."),
  group: text.optional().describe("Only for this group. Default: for all."),
  exec: command.optional(),
  webhook: url
    .optional()
    .describe(
      "Gets the facts as JSON by POST; any 2xx = done; tried again within `timeout` where that may help.",
    ),
  secret: text
    .optional()
    .describe(
      "Signs the webhook: `X-Understudy-Signature: sha256=` and the HMAC of `X-Understudy-Timestamp`, a dot and the body.",
    ),
  timeout: someDuration.prefault("10s").describe("What it may take; then it is killed."),
}).transform(({ on, group, exec, webhook, secret, timeout: timeoutMs }, context): HookConfig => {
  const actions: Action[] = [];
  if (exec !== undefined) actions.push({ kind: "exec", command: exec, timeoutMs });
  if (webhook !== undefined) actions.push({ kind: "webhook", url: webhook, secret, timeoutMs });
  const [action] = actions;
  if (action !== undefined && actions.length === 1) return { on, group, action };
  context.addIssue({ code: "custom", message: "needs one of `exec` and `webhook`" });
  return z.NEVER;
});

export const hooks = z.array(hook);
