import { randomBytes } from "node:crypto";
import { Client } from "undici";
import type { Clock } from "../clock.ts";
import type { Address } from "../config/config.ts";
import type { ProofNews } from "../process/proof-news.ts";
import type { ProofRequest } from "./proof-request.ts";
import { describeAddress, originOf } from "./reached-address.ts";

/** Milliseconds until the proof must be there. */
const PROOF_MS = 5_000;

export interface ProverTools {
  readonly clock: Clock;
  /** With which the ids of such requests begin. */
  readonly prefix: string;
  /** Where clients come in, ports as bound; undefined once nobody can. */
  readonly entrance: () => Address | undefined;
}

export type Proof =
  | {
      readonly ok: true;
      readonly release: string | undefined;
      readonly status: number;
      readonly ms: number;
      /** `HEAD / through 127.0.0.1:8080 was answered with 200 by green (release v2)`. */
      readonly words: string;
    }
  | { readonly ok: false; readonly reason: string };

/** Sends a request as any client does, and hears from the worker that took it which pool has answered. */
export class Prover {
  readonly #tools: ProverTools;
  /** By the id of their request. */
  readonly #awaited = new Map<string, (news: ProofNews) => void>();

  constructor(tools: ProverTools) {
    this.#tools = tools;
  }

  hear(news: ProofNews): void {
    this.#awaited.get(news.requestId)?.(news);
  }

  /** Whether `pool` answers, and no other. */
  async prove(pool: string, request: ProofRequest): Promise<Proof> {
    const { clock, prefix, entrance } = this.#tools;
    const address = entrance();
    if (address === undefined) return { ok: false, reason: "nobody accepts clients" };
    const began = clock.now();
    const words = `${request.method} ${request.path} through ${describeAddress(address)}`;
    const id = prefix + randomBytes(8).toString("hex");
    const news = await this.#ask(address, id, request);
    if (typeof news === "string") return { ok: false, reason: `${words} ${news}` };
    const wrong = whatIsWrong(news, pool, request);
    if (wrong !== undefined) return { ok: false, reason: `${words} ${wrong}` };
    const { status, release } = news;
    const who = release === undefined ? pool : `${pool} (release ${release})`;
    const ms = Math.round((clock.now() - began) * 10) / 10;
    return {
      ok: true,
      release,
      status,
      ms,
      words: `${words} was answered with ${status} by ${who}`,
    };
  }

  /** What its worker told, or in words why nothing came. */
  async #ask(address: Address, id: string, request: ProofRequest): Promise<ProofNews | string> {
    const { clock } = this.#tools;
    const client = new Client(originOf(address), {
      ...(address.kind === "unix" && { socketPath: address.path }),
      // The time is counted here, for all of it.
      connect: { timeout: 0 },
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    const tooLate = Promise.withResolvers<string>();
    const limit = `was not answered within ${PROOF_MS / 1000} s`;
    const cancel = clock.after(PROOF_MS, () => tooLate.resolve(limit));
    const told = new Promise<ProofNews>((resolve) => this.#awaited.set(id, resolve));
    try {
      return await Promise.race([tooLate.promise, failureOf(client, id, request), told]);
    } finally {
      cancel();
      this.#awaited.delete(id);
      await client.destroy();
    }
  }
}

/** Sends it; resolves with why no answer came, or not at all. */
function failureOf(
  client: Client,
  id: string,
  { method, path, host, headers }: ProofRequest,
): Promise<string> {
  const fields = { ...inLowerCase(headers), host, "x-request-id": id, "user-agent": AGENT };
  return new Promise((resolve) => {
    client
      .request({ method, path, headers: fields })
      .then(({ body }) => body.dump())
      .catch((error: unknown) => {
        resolve(`was not answered: ${error instanceof Error ? error.message : String(error)}`);
      });
  });
}

const AGENT = "understudy-proof";

function inLowerCase(headers: ProofRequest["headers"]): Record<string, string> {
  const entries = Object.entries(headers);
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), value]));
}

function whatIsWrong(
  { pools, status, why }: ProofNews,
  pool: string,
  { statuses }: ProofRequest,
): string | undefined {
  const others = pools.filter((name) => name !== pool);
  const [stranger] = others;
  if (pools.length === 0) return `met no server: it was answered with ${status} (${why ?? "?"})`;
  if (others.length === pools.length) return `was answered by ${others.at(-1)} instead of ${pool}`;
  if (stranger !== undefined) return `was tried at ${stranger}, too`;
  if (why !== undefined) return `was answered with ${status} by the gateway itself: ${why}`;
  if (statuses.some(({ from, to }) => from <= status && status <= to)) return undefined;
  return `was answered with ${status} by ${pool}`;
}
