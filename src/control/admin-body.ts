import type { IncomingMessage } from "node:http";
import type { z } from "zod";
import { type WholeAnswer, problem } from "./admin-answer.ts";

const LARGEST_BYTES = 64 * 1024;

export type ReadBody<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly answer: WholeAnswer };

/**
 * The request's JSON as `schema` has it; nothing counts as `{}`. What is too long is read to its end
 * all the same, so that its sender can read the answer; `requestTimeout` bounds that. Rejects where
 * the client goes away.
 */
export async function readBody<T>(
  request: IncomingMessage,
  schema: z.ZodType<T>,
): Promise<ReadBody<T>> {
  const text = await readText(request);
  if (text === undefined) {
    const answer = problem("BODY_TOO_LARGE", `the body is larger than ${LARGEST_BYTES} bytes`);
    return { ok: false, answer };
  }
  const parsed = parseJson(text.trim() === "" ? "{}" : text);
  if (!parsed.ok) return bad(`the body is not valid JSON: ${parsed.message}`);
  const checked = schema.safeParse(parsed.value);
  if (!checked.success) return bad(checked.error.issues.map(describeIssue).join("; "));
  return { ok: true, value: checked.data };
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

function parseJson(text: string) {
  try {
    const value: unknown = JSON.parse(text);
    return { ok: true, value } as const;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { ok: false, message } as const;
  }
}

function bad(message: string): ReadBody<never> {
  return { ok: false, answer: problem("BAD_REQUEST", message) };
}

function describeIssue({ path, message }: z.core.$ZodIssue): string {
  const place = path.map(String).join(".");
  return place === "" ? message : `${place}: ${message}`;
}
