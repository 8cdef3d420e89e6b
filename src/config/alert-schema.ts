import { z } from "zod";
import { RULES, type Rule } from "../alert/alert.ts";
import type { AlertsConfig } from "../alert/alerts.ts";
import type { Channel, Secret } from "../alert/channel.ts";
import { command, url } from "./action-schema.ts";
import { choice, count, duration, object, part, someDuration, text } from "./schema-parts.ts";

const smtp = z.url({ protocol: /^smtps?$/, error: "must be an smtp or smtps url" });

const writtenChannel = object({
  slack: url.optional().describe("An incoming webhook of Slack."),
  slack_file: text.optional().describe("The same in a file."),
  discord: url.optional().describe("A webhook of Discord."),
  discord_file: text.optional().describe("The same in a file."),
  webhook: url.optional().describe("Gets each message as JSON by POST."),
  webhook_file: text.optional().describe("The same in a file."),
  secret: text.optional().describe("Signs the webhook as that of a hook."),
  exec: command.optional(),
  email: object({
    server: smtp.optional().describe("`smtp://user:password@mail.example:587`, or smtps."),
    server_file: text.optional().describe("The same in a file."),
    from: text.describe("Who sends."),
    to: z.array(text).min(1, { error: "needs somebody" }).describe("Who gets it."),
  }).optional(),
});

const channel = writtenChannel.transform((written, context): Channel => {
  const channels = channelsOf(written);
  const [only] = channels;
  if (only !== undefined && channels.length === 1) return only;
  const message = "needs one of `slack`, `discord`, `webhook`, `email` and `exec`";
  context.addIssue({ code: "custom", message });
  return z.NEVER;
});

type Written = z.output<typeof writtenChannel>;

function channelsOf(written: Written): readonly Channel[] {
  const { slack, slack_file, discord, discord_file, webhook, webhook_file } = written;
  const { secret, exec, email } = written;
  return [
    ...secrets(slack, slack_file).map((place) => ({ kind: "slack", url: place }) as const),
    ...secrets(discord, discord_file).map((place) => ({ kind: "discord", url: place }) as const),
    ...secrets(webhook, webhook_file).map(
      (place) => ({ kind: "webhook", url: place, secret }) as const,
    ),
    ...(exec === undefined ? [] : [{ kind: "exec", command: exec } as const]),
    ...(email === undefined ? [] : secrets(email.server, email.server_file)).map(
      (server) =>
        ({ kind: "email", server, from: email?.from ?? "", to: email?.to ?? [] }) as const,
    ),
  ];
}

function secrets(written: string | undefined, file: string | undefined): readonly Secret[] {
  return [
    ...(written === undefined ? [] : [{ text: written }]),
    ...(file === undefined ? [] : [{ file }]),
  ];
}

const rule = choice(Object.keys(RULES).filter(isRule));

const latency = object({
  p: z
    .number({ error: "must be a number below 100, for example 99" })
    .gt(0)
    .lt(100)
    .prefault(99)
    .describe("Which percentile."),
  above: someDuration.describe("The longest that is well."),
}).transform(({ p, above: aboveMs }) => ({ part: p / 100, aboveMs }));

export const alerts = object({
  channels: z
    .array(channel)
    .prefault([])
    .describe("Where messages go. Default: Slack, where `SLACK_WEBHOOK_URL` is set."),
  links: z
    .record(text, url)
    .prefault({})
    .describe(
      "Pages for whoever reads a message, by what they are called: a dashboard, a runbook.",
    ),
  rules: z
    .array(rule)
    .prefault(Object.keys(RULES).filter(isRule))
    .describe(`What is told: ${Object.keys(RULES).join(", ")}. Default: all of it.`),
  error_rate: object({
    threshold: part
      .prefault("2%")
      .describe("Highest part of requests that fail at a server, retried ones too."),
    window: count(1, 100_000).prefault(200).describe("Over so many of the last requests."),
    at_least: count(1, 100_000).prefault(50).describe("Nothing is said of fewer."),
  })
    .prefault({})
    .describe("When the `error-rate` of a group is too high."),
  latency: latency.optional().describe("When a group is too slow, over a minute. Default: never."),
  cooldown: duration
    .prefault("5m")
    .describe("No second message of the same thing within it; what happens meanwhile is folded."),
  mute: z.boolean().prefault(false).describe("Sends nothing; what lasts is told afterwards."),
}).transform(({ channels, links, rules, error_rate, latency, cooldown, mute }): AlertsConfig => {
  const { threshold, window, at_least } = error_rate;
  return {
    channels,
    links: Object.entries(links).map(([label, address]) => ({ label, url: address })),
    rules: new Set<Rule>(rules),
    errorRate: { threshold, window, atLeast: Math.min(at_least, window) },
    latency,
    cooldownMs: cooldown,
    isMuted: mute,
  };
});

function isRule(name: string): name is Rule {
  return name in RULES;
}
