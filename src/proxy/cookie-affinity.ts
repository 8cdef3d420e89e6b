import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { AnswerReceiver } from "./attempt.ts";
import type { AffinityOutcome } from "../events.ts";
import type { ServerSpec } from "../failover/spec.ts";
import type { ServerState } from "../failover/server.ts";
import { cookieValues } from "../http1/cookies.ts";
import type { RequestHead } from "../http1/request-head.ts";
import type { ResponseHead } from "../http1/response-head.ts";
import type { Affinity, Binding } from "./binding.ts";
import type { ClientFacts } from "./exchange-notes.ts";
import type { ServingGroup } from "./serving-group.ts";

/** 128 bits of a signature in base64url. */
const SIGNATURE_LENGTH = 22;

/** For cookies that shall not outlive this run. */
export function createCookieKey(): Uint8Array {
  return randomBytes(32);
}

interface CookieSettings {
  readonly group: string;
  readonly name: string;
  readonly key: string | Uint8Array;
}

/**
 * `affinity: cookie`: the client brings back what names its server. A value is the pool's name and a
 * signature over group and server: no address can be read from it, and none but these fits a server.
 */
export class CookieAffinity implements Affinity {
  readonly cookieName: string;
  /** By the index of the server. */
  readonly #values: readonly string[];

  constructor({ group, name, key }: CookieSettings, servers: readonly ServerState[]) {
    this.cookieName = name;
    this.#values = servers.map(({ spec }) => valueOf(group, spec, key));
  }

  bind(head: RequestHead, client: ClientFacts, group: ServingGroup): Binding {
    const shown = cookieValues(head.field("cookie") ?? "", this.cookieName);
    const index = this.#values.findIndex((value) => shown.some((one) => isSame(one, value)));
    const isSecure = isByHttps(head, client);
    return new CookieBinding(this, group, index === -1 ? undefined : index, isSecure);
  }

  setCookieLine({ index }: ServerState, isSecure: boolean): string {
    const attributes = `Path=/; HttpOnly; SameSite=Lax${isSecure ? "; Secure" : ""}`;
    return `Set-Cookie: ${this.cookieName}=${this.#values[index]}; ${attributes}\r\n`;
  }
}

class CookieBinding implements Binding {
  readonly server: number | undefined;
  readonly isExclusive = false;
  readonly patienceMs = 0;
  readonly #affinity: CookieAffinity;
  readonly #group: ServingGroup;
  readonly #isSecure: boolean;
  outcome: AffinityOutcome | undefined;

  constructor(
    affinity: CookieAffinity,
    group: ServingGroup,
    server: number | undefined,
    isSecure: boolean,
  ) {
    this.server = server;
    this.#affinity = affinity;
    this.#group = group;
    this.#isSecure = isSecure;
  }

  linesFor(server: ServerState, { status }: ResponseHead): string {
    if (server.index === this.server) return "";
    this.outcome = this.server === undefined ? undefined : "lost";
    // What failed, or is about to go, is no server to stay with.
    if (status >= 500 || !this.#group.keepsBound(server.index)) return "";
    this.outcome ??= "new";
    return this.#affinity.setCookieLine(server, this.#isSecure);
  }

  readAlong(receiver: AnswerReceiver): AnswerReceiver {
    return receiver;
  }

  end(): void {}
}

function valueOf(group: string, { pool, key }: ServerSpec, secret: string | Uint8Array): string {
  const signed = createHmac("sha256", secret).update(JSON.stringify([group, key]));
  return `${pool}.${signed.digest("base64url").slice(0, SIGNATURE_LENGTH)}`;
}

function isSame(shown: string, value: string): boolean {
  return shown.length === value.length && timingSafeEqual(latin1(shown), latin1(value));
}

function latin1(text: string): Buffer {
  return Buffer.from(text, "latin1");
}

/** A trusted proxy in front says how the client came. */
function isByHttps({ fields }: RequestHead, { trusted, scheme }: ClientFacts): boolean {
  const told = trusted ? fields.forwardedProto : undefined;
  return (told ?? scheme).split(",", 1)[0]?.trim().toLowerCase() === "https";
}
