import type { RequestHead } from "../http1/request-head.ts";
import { queryArgument } from "./query-argument.ts";

/** What a server tells a client that opens a session, as far as the gateway reads it. */
export interface Handshake {
  readonly sid: string;
  /** Milliseconds without a sign of life after which the server forgets it; undefined = not told. */
  readonly silenceMs: number | undefined;
}

/** Longer ones are nobody's. */
const SID_LENGTH = 256;

/** The session that a request belongs to; undefined where it shows none. */
export function sessionIdOf({ method, rawTarget }: RequestHead): string | undefined {
  if (method !== "GET" && method !== "POST") return undefined;
  return validSid(decoded(queryArgument(rawTarget, "sid")));
}

/** Whether it may wait until there is something to say. */
export function isPoll({ method, rawTarget }: RequestHead): boolean {
  return method === "GET" && queryArgument(rawTarget, "transport") === "polling";
}

/** Whether the answer will open a session by polling; one by WebSocket needs nobody's memory. */
export function opensSession(head: RequestHead): boolean {
  if (!isPoll(head) || queryArgument(head.rawTarget, "sid") !== "") return false;
  const version = queryArgument(head.rawTarget, "EIO");
  return version === "3" || version === "4";
}

/**
 * Engine.IO's open packet at the beginning of a body, undefined while it is not whole: protocol 4 sends
 * it bare, 3 behind its length, as text (`97:`) or in bytes (0, the digits, 255).
 */
export function readHandshake(body: string): Handshake | undefined {
  const json = OPEN_PACKET.exec(body)?.[1];
  if (json === undefined) return undefined;
  const { sid, pingInterval, pingTimeout } = parsed(json);
  const valid = typeof sid === "string" ? validSid(sid) : undefined;
  if (valid === undefined) return undefined;
  const silenceMs = Number(pingInterval) + Number(pingTimeout);
  return { sid: valid, silenceMs: silenceMs > 0 ? silenceMs : undefined };
}

/** An object without objects in it. */
const OPEN_PACKET =
  // oxlint-disable-next-line no-control-regex -- the protocol's own bytes
  /^(?:\d{1,5}:|\u0000[\u0000-\u0009]{1,5}\u00ff)?0(\{(?:[^"{}]|"(?:[^"\\]|\\.)*")*\})/s;

function parsed(json: string): { readonly [key: string]: unknown } {
  try {
    return JSON.parse(Buffer.from(json, "latin1").toString("utf8"));
  } catch {
    return {};
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

function validSid(sid: string): string | undefined {
  return sid !== "" && sid.length <= SID_LENGTH ? sid : undefined;
}
