import { OK, type Behaviour } from "../support/server-script.ts";
import type { GroupRules } from "./gateway.ts";

/**
 * What a server does: refuse connections, let them wait for ever, have a name that does not
 * resolve, or meet one request after the other with these.
 */
export type Part = "refused" | "silent" | "nameless" | readonly Behaviour[];

export interface Player {
  readonly part: Part;
  readonly backup?: boolean;
  readonly down?: boolean;
  /** Default: 1. */
  readonly maxFails?: number;
  /** Default: 3s. */
  readonly failTimeout?: string;
  /** Default: no limit. */
  readonly maxConns?: number;
  /** What a gateway's `HEAD /` gets; default: the same as the next request. */
  readonly check?: Behaviour;
}

/** What is seen of one request; servers are called A, B, C in the order written. */
export interface Outcome {
  /**
   * Status and who gave the body, `200 B`; `200 cut` where the answer broke off; `none` where there
   * was none, `gone` where the client did not wait for one.
   */
  readonly client: string;
  /** Until the client had all, in whole seconds, rounded down. */
  readonly seconds: number;
  /** `$status`. */
  readonly status: string;
  /** `$upstream_addr` with letters for addresses; the group's name where no server was left. */
  readonly upstreamAddr: string;
  readonly upstreamStatus: string;
}

export interface Step {
  readonly method: string;
  /** `leave`: the client goes as soon as a server has its request. */
  readonly as: "request" | "leave" | "websocket";
  /** Milliseconds that pass before it. */
  readonly pauseMs: number;
  /** Steps that run while this one is held by its server. */
  readonly meanwhile: readonly Step[];
  readonly expected: Outcome;
}

/** A row of the table: a group, requests to it one after the other, and what comes of each. */
export interface Vector {
  /** Its number in the table, `V7`. */
  readonly id: string;
  readonly title: string;
  readonly players: readonly Player[];
  readonly steps: readonly Step[];
  readonly rules: GroupRules;
}

const ERRORS_AND_STATUSES = ["error", "timeout", "http_502", "http_503", "http_504"];

/** Values of `next_upstream`; `listed` is what the table's head says, `default` is none written. */
export const NEXT = {
  listed: { nextUpstream: ERRORS_AND_STATUSES },
  unsafe: { nextUpstream: [...ERRORS_AND_STATUSES, "non_idempotent"] },
  invalidHeader: { nextUpstream: ["error", "timeout", "invalid_header"] },
  off: { nextUpstream: ["off"] },
  default: {},
} as const satisfies Record<string, GroupRules>;

/** `label`: number and title, `V1 A refuses a GET`. */
export function vector(
  label: string,
  players: readonly Player[],
  steps: readonly Step[],
  rules: GroupRules = NEXT.listed,
): Vector {
  const space = label.indexOf(" ");
  return { id: label.slice(0, space), title: label.slice(space + 1), players, steps, rules };
}

/** A primary and a backup that answers 200 where nothing else is said. */
export function pair(a: Part, b: Part = [OK]): readonly Player[] {
  return [{ part: a }, backup(b)];
}

export function single(part: Part): readonly Player[] {
  return [{ part }];
}

export function backup(part: Part): Player {
  return { part, backup: true };
}

/** A request and what is expected of it. */
export function send(
  method: string,
  client: string,
  upstreamAddr: string,
  upstreamStatus: string,
): Step {
  const status = client.slice(0, 3);
  const expected = { client, seconds: 0, status, upstreamAddr, upstreamStatus };
  return { method, as: "request", pauseMs: 0, meanwhile: [], expected };
}

export function get(client: string, upstreamAddr: string, upstreamStatus: string): Step {
  return send("GET", client, upstreamAddr, upstreamStatus);
}

export function post(client: string, upstreamAddr: string, upstreamStatus: string): Step {
  return send("POST", client, upstreamAddr, upstreamStatus);
}

/** The same, but the client waits this long for the answer. */
export function after(seconds: number, step: Step): Step {
  return { ...step, expected: { ...step.expected, seconds } };
}

/** The same, but this long after the one before: the gateway's clock has to move on. */
export function later(seconds: number, step: Step): Step {
  return { ...step, pauseMs: seconds * 1000 };
}

/** The same, but held by its server while the others run. */
export function holding(step: Step, ...meanwhile: readonly Step[]): Step {
  return { ...step, meanwhile };
}

export function websocket(client: string, upstreamAddr: string, upstreamStatus: string): Step {
  return { ...get(client, upstreamAddr, upstreamStatus), as: "websocket" };
}

/** A GET whose client leaves. */
export function leave(upstreamAddr: string, upstreamStatus: string): Step {
  const { expected, ...step } = get("gone", upstreamAddr, upstreamStatus);
  return { ...step, as: "leave", expected: { ...expected, status: "499" } };
}

/** The next GET where A has been taken out. */
export const B_DIRECTLY: Step = get("200 B", "B", "200");
/** The next GET where both have been. */
export const NOBODY: Step = get("502 gateway", "backend", "502");
