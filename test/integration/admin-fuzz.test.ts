import * as fc from "fast-check";
import { expect, test } from "vitest";
import { local, startTestAdmin, type TestAdmin } from "../support/admin.ts";
import { ApiContract } from "../support/api-contract.ts";
import { ask } from "../support/raw-client.ts";

const WORDS = ["app", "blue", "green", "blue1", "..", "%2e%2e", "%zz", "%00", "a".repeat(300), "ü"];

const word = fc.oneof(fc.constantFrom(...WORDS), fc.string({ maxLength: 12 }).map(encodeSafely));

/** What bodies have here, and everything else in its place. */
const value = fc.oneof(
  { depthSize: "small" },
  fc.constantFrom("blue", "green", "drain", "60s", "1%", "2x", -1, 1e308, true, undefined),
  fc.jsonValue({ maxDepth: 3 }),
);
const KEYS = ["to", "force", "guard", "for", "max", "on", "split", "admin", "name", "definition"];
const order = fc.dictionary(
  fc.oneof(fc.constantFrom(...KEYS, "__proto__", "constructor"), fc.string({ maxLength: 6 })),
  value,
  { maxKeys: 4 },
);
const body = fc.oneof(
  order.map((map) => JSON.stringify(map)),
  fc.json({ maxDepth: 4 }),
  fc.string({ maxLength: 40, unit: "binary-ascii" }),
  fc.constant("[".repeat(30_000)),
  fc.constant(""),
);
const query = fc.oneof(
  fc.constant(""),
  fc.string({ maxLength: 10 }).map((text) => `?${encodeSafely(text)}`),
  fc.constantFrom("?force", "?verbose&verbose=2", "?since=x", "?=&&="),
);
const fields = fc.dictionary(
  fc.constantFrom(
    "Content-Type",
    "Origin",
    "Authorization",
    "If-Match",
    "Idempotency-Key",
    "X-Understudy-By",
    "Last-Event-ID",
  ),
  fc.string({ maxLength: 30 }).map((text) => text.replaceAll(/[^\x21-\x7e]/g, "x")),
);
const METHODS = ["GET", "HEAD", "POST", "PATCH", "DELETE", "PUT", "OPTIONS", "TRACE"];

test(
  "whatever is asked, the answer is as described, and never a 500",
  { timeout: 120_000 },
  async () => {
    await using admin = await startTestAdmin();
    const [, document] = await admin.ask("/api/v1/openapi.json");
    const contract = new ApiContract(document);
    // Streams do not end.
    const paths = contract.operations
      .map(({ path }) => path)
      .filter((path) => !path.endsWith("/events"));
    const path = fc.oneof(
      { weight: 6, arbitrary: fc.tuple(fc.constantFrom(...paths), word, word, word).map(fill) },
      {
        weight: 1,
        arbitrary: fc.array(word, { maxLength: 5 }).map((words) => `/${words.join("/")}`),
      },
    );
    const request = fc.record({ method: fc.constantFrom(...METHODS), path, query, body, fields });

    await fc.assert(
      fc.asyncProperty(request, async (one) => {
        const target = `${one.path}${one.query}`;
        const answer = await ask(admin, local({ ...one, path: target }));
        expect(whatIsWrong(answer, one.method)).toBeUndefined();
      }),
      { numRuns: 2_000 },
    );
    await isWell(admin);
  },
);

type Answer = Awaited<ReturnType<typeof ask>>;

/** What of an answer no client should ever see. */
function whatIsWrong(answer: Answer, method: string): string | undefined {
  if (answer === undefined) return "no answer";
  const { status, fields } = answer;
  if (status < 400 || status === 503) return undefined;
  if (status >= 500) return `${status} ${answer.body}`;
  // Node itself answers what is no HTTP.
  if (fields.get("content-type") === undefined) return status === 400 ? undefined : "no type";
  if (fields.get("content-type") !== "application/problem+json") return "no problem document";
  if (method === "HEAD") return undefined;
  const problem: unknown = JSON.parse(answer.body);
  const members = { type: expect.any(String), status, detail: expect.any(String) };
  expect(problem).toMatchObject({ ...members, code: expect.any(String) });
  return undefined;
}

async function isWell(admin: TestAdmin): Promise<void> {
  expect(admin.errors).toEqual([]);
  expect((await admin.ask("/livez"))[0]).toBe(200);
}

function fill([path, group, pool, server]: readonly [string, string, string, string]): string {
  return path.replace("{group}", group).replace("{pool}", pool).replace("{server}", server);
}

/** No space and no line end: the request line would be another one. */
function encodeSafely(text: string): string {
  return text.replaceAll(/[^\x21-\x7e]/g, (character) =>
    encodeURIComponent(character.toWellFormed()),
  );
}
