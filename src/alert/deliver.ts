import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { createTransport } from "nodemailer";
import { request } from "undici";
import { act } from "../action/act.ts";
import { signatureOf } from "../action/signature.ts";
import type { Message } from "./alert.ts";
import { type Channel, channelName, type Secret } from "./channel.ts";
import { discordBody, plainFacts, plainText, type Sender, slackBody } from "./message-text.ts";
import type { Delivery } from "./outbox.ts";

/** How long one try may take. */
const TIMEOUT_MS = 10_000;

export interface DeliverMeans extends Sender {
  /** Of programs. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where relative paths of secrets begin. */
  readonly base: string;
  /** The gateway stops. */
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly wall: () => number;
}

/** Tries once; never rejects. */
export async function deliver(
  channel: Channel,
  message: Message,
  means: DeliverMeans,
): Promise<Delivery> {
  try {
    return await send(channel, message, means);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const isFinal = isRefusedMail(error);
    return { ok: false, reason: `${channelName(channel)}: ${reason}`, ...RETRY, isFinal };
  }
}

/** RFC 5321, section 4.2.1: 5yz is not to be tried again. */
function isRefusedMail(error: unknown): boolean {
  const code = error instanceof Error && "responseCode" in error ? error.responseCode : undefined;
  return typeof code === "number" && code >= 500;
}

const RETRY = { isFinal: false, retryAfterMs: undefined } as const;

async function send(channel: Channel, message: Message, means: DeliverMeans): Promise<Delivery> {
  switch (channel.kind) {
    case "slack":
      return await post(channel, slackBody(message, means), means);
    case "discord":
      return await post(channel, discordBody(message, means), means);
    case "webhook":
      return await post(channel, plainFacts(message, means), means);
    case "email":
      return await mail(channel, message, means);
    case "exec":
      return await run(channel, message, means);
  }
}

type Posted = Extract<Channel, { readonly url: Secret }>;

async function post(channel: Posted, body: object, means: DeliverMeans): Promise<Delivery> {
  const { signal, wall } = means;
  const text = JSON.stringify(body);
  const secret = channel.kind === "webhook" ? channel.secret : undefined;
  const {
    statusCode,
    headers,
    body: answer,
  } = await request(read(channel.url, means), {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(secret !== undefined && signatureOf(text, secret, wall())),
    },
    body: text,
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  });
  await answer.dump();
  return judge(channel, statusCode, headers["retry-after"]);
}

function judge(channel: Channel, status: number, retryAfter: unknown): Delivery {
  if (status >= 200 && status < 300) return { ok: true };
  const reason = `${channelName(channel)} answered ${status}`;
  const isFinal = status < 500 && status !== 408 && status !== 425 && status !== 429;
  const seconds = Number(retryAfter);
  // A date, which RFC 9110 allows as well, is as good as nothing said.
  const retryAfterMs = seconds > 0 ? seconds * 1_000 : undefined;
  return { ok: false, reason, isFinal, retryAfterMs };
}

async function mail(
  { server, from: sender, to }: Extract<Channel, { readonly kind: "email" }>,
  message: Message,
  means: DeliverMeans,
): Promise<Delivery> {
  const transport = createTransport({
    url: read(server, means),
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
  });
  try {
    await transport.sendMail({
      from: sender,
      to: [...to],
      subject: `[${message.state}] ${message.title}`,
      text: plainText(message, means),
      messageId: `<${message.id}@understudy>`,
    });
    return { ok: true };
  } finally {
    transport.close();
  }
}

async function run(
  { command }: Extract<Channel, { readonly kind: "exec" }>,
  message: Message,
  means: DeliverMeans,
): Promise<Delivery> {
  const action = { kind: "exec", command, timeoutMs: TIMEOUT_MS } as const;
  const result = await act(action, plainFacts(message, means), means);
  return result.ok ? { ok: true } : { ok: false, reason: result.reason, ...RETRY };
}

function read(secret: Secret, { base }: DeliverMeans): string {
  return "file" in secret ? readFileSync(resolve(base, secret.file), "utf8").trim() : secret.text;
}
