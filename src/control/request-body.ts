import type { IncomingMessage } from "node:http";
import { problem, type WholeAnswer } from "./admin-answer.ts";

const LARGEST_BYTES = 64 * 1024;

export type ReadBody =
  | { readonly ok: true; readonly value: unknown; readonly text: string }
  | { readonly ok: false; readonly answer: WholeAnswer };

/**
 * The request's JSON, whatever type it calls it; nothing counts as `{}`. What is too long is read to its
 * end all the same, so that its sender can read the answer; `requestTimeout` bounds that. Rejects
 * where the client goes away.
 */
export async function readBody(request: IncomingMessage): Promise<ReadBody> {
  const text = await readText(request);
  if (text === undefined) {
    const answer = problem("BODY_TOO_LARGE", `the body is larger than ${LARGEST_BYTES} bytes`);
    return { ok: false, answer };
  }
  if (text.trim() === "") return { ok: true, value: {}, text };
  try {
    return { ok: true, value: JSON.parse(text), text };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const answer = problem("BAD_REQUEST", `the body is not valid JSON: ${reason}`);
    return { ok: false, answer };
  }
}

async function readText(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue;
    length += chunk.length;
    if (length <= LARGEST_BYTES) chunks.push(chunk);
  }
  return length > LARGEST_BYTES ? undefined : Buffer.concat(chunks).toString("utf8");
}
