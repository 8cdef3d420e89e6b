import type { Level, Message } from "./alert.ts";

const COLOURS: Readonly<Record<Level, string>> = {
  critical: "#d93025",
  warning: "#f9ab00",
  info: "#1a73e8",
  good: "#188038",
};

/** Slack shows at most ten fields of a section. */
const MOST_FIELDS = 10;

/** https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks */
export function slackBody(message: Message, from: string): object {
  const { title, facts, level, at } = message;
  const fields = facts.slice(0, MOST_FIELDS).map(({ label, value }) => ({
    type: "mrkdwn",
    text: `*${escapeSlack(label)}*\n${escapeSlack(value) || "-"}`,
  }));
  const blocks = [
    { type: "section", text: { type: "mrkdwn", text: `*${escapeSlack(title)}*` } },
    ...(fields.length === 0 ? [] : [{ type: "section", fields }]),
    { type: "context", elements: [{ type: "mrkdwn", text: escapeSlack(footer(at, from)) }] },
  ];
  return { text: escapeSlack(title), attachments: [{ color: COLOURS[level], blocks }] };
}

/** https://discord.com/developers/docs/resources/webhook#execute-webhook */
export function discordBody({ title, facts, level, at }: Message, from: string): object {
  const embed = {
    title: title.slice(0, 256),
    color: Number.parseInt(COLOURS[level].slice(1), 16),
    fields: facts.map(({ label, value }) => ({
      name: label,
      value: value.slice(0, 1_024) || "-",
      inline: value.length < 40,
    })),
    footer: { text: from },
    timestamp: new Date(at).toISOString(),
  };
  return { embeds: [embed], allowed_mentions: { parse: [] } };
}

/** For webhooks and programs. */
export function plainFacts(message: Message, from: string): Readonly<Record<string, string>> {
  const { id, at, rule, group, state, level, title, facts } = message;
  return {
    event: "alert",
    id,
    time: new Date(at).toISOString(),
    from,
    rule,
    ...(group !== undefined && { group }),
    state,
    level,
    title,
    ...Object.fromEntries(facts.map(({ label, value }) => [keyOf(label), value])),
  };
}

export function plainText({ facts, at }: Message, from: string): string {
  const lines = facts.map(({ label, value }) => `${label}: ${value}`);
  return [...lines, "", footer(at, from)].join("\n");
}

function footer(at: number, from: string): string {
  return `${from}, ${new Date(at).toISOString()}`;
}

/** `Serves now` -> `serves_now` */
function keyOf(label: string): string {
  return label.toLowerCase().replaceAll(/\W+/g, "_");
}

/** What would be markup: https://docs.slack.dev/messaging/formatting-message-text#escaping */
function escapeSlack(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
