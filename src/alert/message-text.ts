import type { Level, Message } from "./alert.ts";

const COLOURS: Readonly<Record<Level, string>> = {
  critical: "#d93025",
  warning: "#f9ab00",
  info: "#1a73e8",
  good: "#188038",
};

/** Who sends a message, and where its readers find more. */
export interface Sender {
  /** `understudy on web1` */
  readonly from: string;
  readonly links: readonly Link[];
}

/** A page for whoever reads a message: a dashboard, a runbook. */
export interface Link {
  readonly label: string;
  readonly url: string;
}

/** Slack shows at most ten fields of a section. */
const MOST_FIELDS = 10;

/** https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks */
export function slackBody(message: Message, { from, links }: Sender): object {
  const { title, facts, level, at } = message;
  const fields = facts.slice(0, MOST_FIELDS).map(({ label, value }) => ({
    type: "mrkdwn",
    text: `*${escapeSlack(label)}*\n${escapeSlack(value) || "-"}`,
  }));
  const blocks = [
    { type: "section", text: { type: "mrkdwn", text: `*${escapeSlack(title)}*` } },
    ...(fields.length === 0 ? [] : [{ type: "section", fields }]),
    ...(links.length === 0
      ? []
      : [{ type: "section", text: { type: "mrkdwn", text: links.map(slackLink).join("  ") } }]),
    { type: "context", elements: [{ type: "mrkdwn", text: escapeSlack(footer(at, from)) }] },
  ];
  return { text: escapeSlack(title), attachments: [{ color: COLOURS[level], blocks }] };
}

/** https://discord.com/developers/docs/resources/webhook#execute-webhook */
export function discordBody(message: Message, { from, links }: Sender): object {
  const { title, facts, level, at } = message;
  const embed = {
    title: title.slice(0, 256),
    description: links.map(({ label, url }) => `[${label}](${url})`).join("  "),
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
export function plainFacts(
  message: Message,
  { from, links }: Sender,
): Readonly<Record<string, string>> {
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
    ...Object.fromEntries(links.map(({ label, url }) => [`link_${keyOf(label)}`, url])),
  };
}

export function plainText({ facts, at }: Message, { from, links }: Sender): string {
  const lines = [
    ...facts.map(({ label, value }) => `${label}: ${value}`),
    ...links.map(({ label, url }) => `${label}: ${url}`),
  ];
  return [...lines, "", footer(at, from)].join("\n");
}

function footer(at: number, from: string): string {
  return `${from}, ${new Date(at).toISOString()}`;
}

/** `Serves now` -> `serves_now` */
function keyOf(label: string): string {
  return label.toLowerCase().replaceAll(/\W+/g, "_");
}

function slackLink({ label, url }: Link): string {
  return `<${escapeSlack(url)}|${escapeSlack(label)}>`;
}

/** What would be markup: https://docs.slack.dev/messaging/formatting-message-text#escaping */
function escapeSlack(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
