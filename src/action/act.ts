import { randomUUID } from "node:crypto";
import { Client, getGlobalDispatcher, interceptors, request, type RetryHandler } from "undici";
import type { Action, ActionFacts, ActionResult } from "./action.ts";
import { runProgram } from "./run-program.ts";
import { signatureOf } from "./signature.ts";

type Exec = Extract<Action, { readonly kind: "exec" }>;
type Webhook = Extract<Action, { readonly kind: "webhook" }>;
type Docker = Extract<Action, { readonly kind: "docker" }>;

export interface ActionMeans {
  /** Of programs, beside the facts. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The gateway stops. */
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly wall: () => number;
}

/** After 0.5, 1, 2 s and so on, or as `Retry-After` says, for as long as the action may take. */
const RETRIES: RetryHandler.RetryOptions = {
  methods: ["POST"],
  statusCodes: [429, 500, 502, 503, 504],
  minTimeout: 500,
  maxTimeout: 30_000,
  maxRetries: 20,
  throwOnError: false,
};

/** Does it; never rejects. */
export async function act(
  action: Action,
  facts: ActionFacts,
  means: ActionMeans,
): Promise<ActionResult> {
  const late = AbortSignal.timeout(action.timeoutMs);
  const limit = AbortSignal.any([means.signal, late]);
  try {
    return await actWithin(action, facts, { ...means, signal: limit });
  } catch (error) {
    if (late.aborted) return failed(`it was not done within ${action.timeoutMs / 1_000} s`);
    return failed(reasonOf(error));
  }
}

async function actWithin(
  action: Action,
  facts: ActionFacts,
  means: ActionMeans,
): Promise<ActionResult> {
  switch (action.kind) {
    case "exec":
      return await exec(action, facts, means);
    case "webhook":
      return await post(action, facts, means);
    case "docker":
      return await order(action, means);
  }
}

async function exec(
  { command, timeoutMs }: Exec,
  facts: ActionFacts,
  { env, signal }: ActionMeans,
): Promise<ActionResult> {
  const named = Object.entries(facts).map(([name, value]) => [variableOf(name), value]);
  const ran = await runProgram(command, {
    env: { ...env, ...Object.fromEntries(named) },
    input: `${JSON.stringify(facts)}\n`,
    signal,
  });
  if (ran.ok || !signal.aborted) return ran;
  return failed(`${command[0]} was killed: it was not done within ${timeoutMs / 1_000} s`);
}

/** `FAILOVER_STATUS` is what its readers know already. */
function variableOf(name: string): string {
  return name === "failover_status" ? "FAILOVER_STATUS" : `UNDERSTUDY_${name.toUpperCase()}`;
}

async function post(
  { url, secret }: Webhook,
  facts: ActionFacts,
  { signal, wall }: ActionMeans,
): Promise<ActionResult> {
  const body = JSON.stringify(facts);
  const { statusCode, body: answer } = await request(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      // The same for each try of one delivery, so that its receiver can tell it from another one.
      "x-understudy-delivery": randomUUID(),
      ...(secret !== undefined && signatureOf(body, secret, wall())),
    },
    body,
    signal,
    dispatcher: getGlobalDispatcher().compose(interceptors.retry(RETRIES)),
  });
  await answer.dump();
  if (statusCode >= 200 && statusCode < 300) return { ok: true, output: `answered ${statusCode}` };
  return failed(`${new URL(url).origin} answered ${statusCode}`);
}

/** https://docs.docker.com/reference/api/engine/: 304 = it is so already. */
async function order(
  { container, order: what, socket }: Docker,
  { signal }: ActionMeans,
): Promise<ActionResult> {
  const client = new Client("http://localhost", { socketPath: socket });
  try {
    const path = `/containers/${encodeURIComponent(container)}/${what}`;
    const { statusCode, body } = await client.request({ method: "POST", path, signal });
    const text = await body.text();
    if (statusCode === 204) return { ok: true, output: `container ${container}: ${what}` };
    if (statusCode === 304) return { ok: true, output: `container ${container}: already so` };
    return failed(`the engine at ${socket} answered ${statusCode}: ${text.trim()}`);
  } finally {
    await client.destroy();
  }
}

function failed(reason: string): ActionResult {
  return { ok: false, reason };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
