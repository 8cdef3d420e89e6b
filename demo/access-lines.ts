import { closeSync, openSync, readSync } from "node:fs";
import { z } from "zod";
import { LOAD_PATH } from "./strict-client.ts";

const LINE = z.object({
  request_id: z.string(),
  path: z.string(),
  status: z.number(),
  error: z.string().optional(),
  attempts: z.array(z.object({ decision: z.string(), why: z.string() })).default([]),
});

/** What the access log tells of one request, as far as the demo counts it. */
export interface LoggedRequest {
  readonly requestId: string;
  readonly status: number;
  /** What followed each attempt, where not all went well: `next`, `redial`, `rescue`, `return`. */
  readonly decisions: readonly string[];
  /** Why the policy does not promise to save the request; undefined for those that it saves. */
  readonly excuse: Excuse | undefined;
}

export type Excuse = "POST already sent" | "no server left";

/** Follows an access log: each `read()` gives the load's lines that have come since the last. */
export class AccessLines {
  readonly #file: string;
  readonly #buffer = Buffer.alloc(1 << 20);
  #offset = 0;
  #rest = "";

  constructor(file: string) {
    this.#file = file;
  }

  read(): LoggedRequest[] {
    const lines = `${this.#rest}${this.#readOn()}`.split("\n");
    this.#rest = lines.pop() ?? "";
    return lines.map((line) => LINE.parse(JSON.parse(line))).flatMap(readLine);
  }

  #readOn(): string {
    const file = openSync(this.#file, "r");
    try {
      let text = "";
      for (;;) {
        const bytes = readSync(file, this.#buffer, 0, this.#buffer.length, this.#offset);
        if (bytes === 0) return text;
        text += this.#buffer.toString("latin1", 0, bytes);
        this.#offset += bytes;
      }
    } finally {
      closeSync(file);
    }
  }
}

/** Nothing for a request of the lasting connections: they are counted elsewhere. */
function readLine(line: z.infer<typeof LINE>): LoggedRequest[] {
  const { request_id: requestId, path, status, error, attempts } = line;
  if (path !== LOAD_PATH) return [];
  const decisions = attempts.map(({ decision }) => decision);
  const excuse = status < 500 ? undefined : excuseOf(attempts.at(-1)?.why ?? "", error);
  return [{ requestId, status, decisions, excuse }];
}

/** `why` in the gateway's words. */
function excuseOf(why: string, error: string | undefined): Excuse | undefined {
  if (why.includes("POST was sent and may not be repeated")) return "POST already sent";
  const none = why.includes("no server is left to try") || error === "NO_SERVER";
  return none ? "no server left" : undefined;
}
