import type { IncomingMessage, ServerResponse } from "node:http";
import type { HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { type Context, Hono } from "hono";
import type { Clock } from "../clock.ts";
import type { Address } from "../config/config.ts";
import { didYouMean } from "../config/suggest.ts";
import { type AdminAnswer, problem, type WholeAnswer } from "./admin-answer.ts";
import { refusalOf } from "./admin-guard.ts";
import type { Call, Route } from "./admin-route.ts";
import { bearsToken } from "./admin-token.ts";
import { Idempotency } from "./idempotency.ts";
import { readBody } from "./request-body.ts";
import { readQuery } from "./request-query.ts";
import { orderedBy } from "./ordered-by.ts";

export interface AppSettings {
  readonly address: Address;
  readonly routes: readonly Route[];
  readonly clock: Clock;
  /** Of the token that requests need at the moment; undefined = none. */
  readonly tokenHash: () => string | undefined;
  /** A request met a bug and got 500. */
  readonly onError: (error: Error) => void;
  /** Once it is so, connections end with their answer. */
  readonly isStopping: () => boolean;
}

export type AdminApp = Hono<Env>;

interface Env {
  readonly Bindings: HttpBindings;
}

/** How long a client may take to read its answer, in milliseconds. */
const READING_MS = 10_000;

/** The admin API over its routes: who may ask, which route it is, and every answer that is none of theirs. */
export function createAdminApp(settings: AppSettings): AdminApp {
  const { address, routes } = settings;
  const orders = new Idempotency(settings.clock);
  const app = new Hono<Env>();
  const reply = (context: Context<Env>, answer: AdminAnswer) => respond(context, answer, settings);
  const open = new Set(routes.filter(({ isOpen }) => isOpen).map(({ path }) => path));
  app.use(async (context, next) => {
    const { incoming } = context.env;
    const { method = "", headers } = incoming;
    const refusal = refusalOf({ method, host: headers.host, origin: headers.origin }, address);
    if (refusal !== undefined) return reply(context, problem("FORBIDDEN", refusal));
    const mayAsk = open.has(pathOf(incoming)) || isTrusted(incoming, settings);
    return mayAsk ? await next() : reply(context, tokenMissing(headers.authorization));
  });
  for (const route of routes) {
    app.on(route.method, patternOf(route.path), async (context) =>
      reply(context, await answerBy(route, context, settings, orders)),
    );
  }
  for (const { path } of routes) {
    app.all(patternOf(path), (context) => reply(context, wrongMethod(context, path, routes)));
  }
  app.notFound((context) => reply(context, notFound(pathOf(context.env.incoming), routes)));
  app.onError((error, context) => reply(context, failed(error, context, settings)));
  return app;
}

/** Rejects where the client goes away. */
async function answerBy(
  route: Route,
  context: Context<Env>,
  settings: AppSettings,
  orders: Idempotency,
): Promise<AdminAnswer> {
  const { incoming } = context.env;
  const query = readQuery(route, incoming.url ?? "");
  if (!query.ok) return problem("BAD_REQUEST", query.message);
  const body = route.body === undefined ? NO_BODY : await readBody(incoming);
  if (!body.ok) return body.answer;
  const call: Call = {
    isHead: incoming.method === "HEAD",
    param: (name) => context.req.param(name) ?? "",
    query: query.value,
    body: body.value,
    headers: incoming.headers,
    by: orderedBy(incoming),
    isTrusted: isTrusted(incoming, settings),
  };
  const key = incoming.headers["idempotency-key"];
  if (route.method === "GET" || typeof key !== "string") return await route.handle(call);
  const request = [incoming.method, incoming.url, body.text].join(" ");
  return await orders.once(key, request, async () => await route.handle(call));
}

const NO_BODY = { ok: true, value: {}, text: "" } as const;

function isTrusted({ headers }: IncomingMessage, { tokenHash }: AppSettings): boolean {
  const wanted = tokenHash();
  return wanted === undefined || bearsToken(headers.authorization, wanted);
}

function tokenMissing(authorization: string | undefined): WholeAnswer {
  const what = authorization === undefined ? "this needs the token" : "this is not the token";
  const detail = `${what} of \`admin.token_file\`: Authorization: Bearer TOKEN (understudy --token-file FILE)`;
  return { ...problem("UNAUTHORIZED", detail), fields: { "WWW-Authenticate": "Bearer" } };
}

/** `/groups/:group` for hono. */
function patternOf(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ":$1");
}

function pathOf({ url = "" }: IncomingMessage): string {
  return url.split("?", 1)[0] ?? "";
}

function notFound(path: string, routes: readonly Route[]): WholeAnswer {
  const known = Array.from(new Set(routes.map((route) => route.path)));
  const hint = didYouMean(path, known) || `, known here: ${known.join(", ")}`;
  return problem("NOT_FOUND", `nothing is at ${JSON.stringify(path)}${hint}`);
}

function wrongMethod({ env }: Context<Env>, path: string, routes: readonly Route[]): WholeAnswer {
  const there = routes.filter((route) => route.path === path).map(({ method }) => method);
  const allowed = there.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]));
  const { incoming } = env;
  const text = `${pathOf(incoming)} takes ${allowed.join(" and ")}, not ${incoming.method ?? ""}`;
  return { ...problem("METHOD_NOT_ALLOWED", text), fields: { Allow: allowed.join(", ") } };
}

/** A client that has gone is no bug; what it would be told then goes nowhere. */
function failed(error: Error, { env }: Context<Env>, { onError }: AppSettings): WholeAnswer {
  const { incoming } = env;
  const hasGone = incoming.destroyed && !incoming.complete;
  if (!hasGone) onError(error);
  return problem("INTERNAL", "this is a bug of the gateway; its event log says more");
}

function respond({ env }: Context<Env>, answer: AdminAnswer, settings: AppSettings): Response {
  const { outgoing } = env;
  if (outgoing.destroyed) return RESPONSE_ALREADY_SENT;
  if ("stream" in answer) {
    answer.stream(outgoing);
    return RESPONSE_ALREADY_SENT;
  }
  limitReading(outgoing, settings.clock);
  if (settings.isStopping()) outgoing.shouldKeepAlive = false;
  return toResponse(answer);
}

export function toResponse({ status, type, body, fields }: WholeAnswer): Response {
  const headers = {
    "Content-Type": type,
    "Content-Length": String(Buffer.byteLength(body)),
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    ...fields,
  };
  return new Response(body, { status, headers });
}

function limitReading(outgoing: ServerResponse, clock: Clock): void {
  const cancel = clock.after(READING_MS, () => outgoing.destroy());
  outgoing.on("close", cancel);
}
