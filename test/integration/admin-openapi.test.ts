import { ExchangeStories } from "../../src/process/exchange-story.ts";
import { exchangeRecord, REFUSED_THEN_ANSWERED } from "../support/exchange-records.ts";
import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { local, startTestAdmin, type TestAdmin } from "../support/admin.ts";
import { ApiContract, type Operation } from "../support/api-contract.ts";
import { ask } from "../support/raw-client.ts";

/** A request for an operation, and what it is answered with. */
interface Case {
  readonly status: number;
  /** For `{group}` and its like. */
  readonly at?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly body?: unknown;
  readonly fields?: Readonly<Record<string, string>>;
  /** What the order comes to; default: it is done. */
  readonly kind?: "failed" | "refused" | "unknown" | "rolled_back";
  readonly prepare?: (admin: TestAdmin) => void;
}

const THERE = { request_id: "b7f1", group: "app", pool: "blue", server: "blue1" };
const NO_GROUP = { status: 404, at: { group: "ap" } };
const NO_POOL = { status: 404, at: { pool: "bleu" } };
const REFUSED = { status: 409, kind: "refused" } as const;
const FAILED = { status: 422, kind: "failed" } as const;
const UNKNOWN_KEY = { status: 400, body: { colour: "blue" } };
const TOO_LARGE = { status: 413, body: "x".repeat(70_000) };
const ORDER = [{ status: 200 }, REFUSED, FAILED, UNKNOWN_KEY, TOO_LARGE];
const CHANGED = { status: 412, fields: { "If-Match": '"of-yesterday"' } };
const IN_GROUP = [...ORDER, NO_GROUP, CHANGED];

/** With a body that is right. */
function orders(body: object, cases: readonly Case[]): readonly Case[] {
  return cases.map((one) => ({ body, ...one }));
}

const stopping = (admin: TestAdmin): void => {
  admin.control.isStopping = true;
};
const told = ({ control }: TestAdmin): void => {
  const stories = new ExchangeStories();
  stories.note(exchangeRecord({ attempts: REFUSED_THEN_ANSWERED }));
  control.told = stories.take();
};
const broken = (admin: TestAdmin): void => {
  admin.control.decide = () => Promise.reject(new Error("a bug"));
};

const CASES: Readonly<Record<string, readonly Case[]>> = {
  isAlive: [{ status: 200 }],
  isReady: [
    { status: 200 },
    { status: 200, query: "?verbose" },
    { status: 503, prepare: stopping },
    { status: 400, query: "?verbose=very" },
  ],
  health: [
    { status: 200 },
    { status: 200, query: "?detailed" },
    { status: 503, prepare: stopping },
    { status: 400, query: "?detailed=x" },
  ],
  metrics: [{ status: 200 }],
  openapi: [{ status: 200 }, { status: 400, query: "?x=1" }],
  status: [{ status: 200 }, { status: 400, query: "?x=1" }],
  groups: [{ status: 200 }],
  group: [{ status: 200 }, NO_GROUP],
  pool: [{ status: 200 }, NO_GROUP, NO_POOL],
  failoverStatus: [{ status: 200 }, NO_GROUP],
  exchanges: [{ status: 200 }],
  exchange: [
    { status: 200, at: { request_id: "b7f1" }, prepare: told },
    { status: 404, at: { request_id: "gone" }, prepare: told },
  ],
  events: [{ status: 400, query: "?since_id=x" }],
  recentEvents: [{ status: 200 }, { status: 200, query: "?group=app" }],
  alerts: [{ status: 200 }],
  testAlerts: ORDER,
  reload: [...ORDER, { status: 500, prepare: broken }],
  restart: ORDER,
  switchPool: [
    ...orders({ to: "green" }, IN_GROUP),
    { status: 404, body: { to: "red" } },
    { status: 422, body: { to: "green" }, kind: "rolled_back" },
  ],
  rollback: [...IN_GROUP, { status: 422, kind: "rolled_back" }],
  setSplit: orders({ split: null }, IN_GROUP),
  drill: IN_GROUP,
  reset: IN_GROUP,
  hold: IN_GROUP,
  resume: IN_GROUP,
  setMaintenance: orders({ on: true }, IN_GROUP),
  setPoolAdmin: orders({ admin: "drain" }, [...IN_GROUP, NO_POOL]),
  setServerAdmin: orders({ admin: "drain" }, [
    ...IN_GROUP,
    NO_POOL,
    { status: 404, at: { server: "blue2" } },
  ]),
  startStandby: [...IN_GROUP, NO_POOL],
  stopStandby: [...IN_GROUP, NO_POOL],
  createGroup: orders({ name: "shop", definition: {} }, ORDER),
  changeGroup: orders({ definition: {} }, IN_GROUP),
  deleteGroup: [
    { status: 200 },
    { status: 200, query: "?force" },
    REFUSED,
    FAILED,
    NO_GROUP,
    { status: 400, query: "?x" },
  ],
};

test("the description is valid OpenAPI 3.1", async () => {
  await using admin = await startTestAdmin();
  const [, body] = await admin.ask("/api/v1/openapi.json");
  const document = z.record(z.string(), z.unknown()).parse(body);

  const { valid, errors } = await new Validator().validate(document);

  expect([valid, errors]).toEqual([true, undefined]);
});

test("it has every path and method that is there, and none that is not", async () => {
  await using admin = await startTestAdmin();
  const contract = await contractOf(admin);
  const nowhere = await ask(admin, local({ path: "/" }));
  const known = /known here: ([^"]*)"/.exec(nowhere?.body ?? "")?.[1]?.split(", ") ?? [];

  const paths = new Set(contract.operations.map(({ path }) => path));
  expect(known.toSorted()).toEqual(Array.from(paths).toSorted());
  for (const path of paths) {
    const wrong = await ask(admin, local({ method: "TRACE", path: filled(path) }));
    const allowed = wrong?.fields.get("allow")?.split(", ") ?? [];
    const described = contract.operations.filter((operation) => operation.path === path);
    expect([wrong?.status, allowed.filter((method) => method !== "HEAD")]).toEqual([
      405,
      described.map(({ method }) => method),
    ]);
  }
  expect(contract.operations.map(({ id }) => id).toSorted()).toEqual(Object.keys(CASES).toSorted());
});

describe("every answer is as described:", () => {
  test.each(
    Object.entries(CASES).flatMap(([id, cases]) =>
      cases.map((one) => [id, one.status, one] as const),
    ),
  )("%s with %i %j", async (id, status, one) => {
    await using admin = await startTestAdmin();
    const contract = await contractOf(admin);
    const { kind } = one;
    if (kind !== undefined) {
      admin.control.decide = () => ({ ok: false, kind, lines: ["why"], facts: { took_ms: 1 } });
    }
    one.prepare?.(admin);
    const operation = contract.operation(id);

    const answer = await request(admin, operation, one);

    expect(answer.status).toBe(status);
    expect(contract.mistakesIn(operation, answer)).toEqual([]);
    if (status >= 400 && answer.type !== "text/plain; charset=utf-8") {
      expect(answer.body).toMatchObject(
        id === "health" && status === 503 ? {} : { status, code: expect.any(String) },
      );
    }
  });

  test("all that a page of another site is refused", async () => {
    await using admin = await startTestAdmin();
    const contract = await contractOf(admin);
    for (const operation of contract.operations) {
      const fields = { Host: "evil.test" };
      const answer = await request(admin, operation, { status: 403, fields });
      expect([answer.status, contract.mistakesIn(operation, answer)]).toEqual([403, []]);
    }
  });
});

test("every path that needs a token says so", async () => {
  await using admin = await startTestAdmin({ token: "0123456789abcdef" });
  const fields = { Authorization: "Bearer 0123456789abcdef" };
  const [, document] = await admin.ask("/api/v1/openapi.json", { fields });
  const contract = new ApiContract(document);
  const free: string[] = [];
  for (const operation of contract.operations) {
    const answer = await request(admin, operation, { status: 401 });
    if (answer.status === 401) expect(contract.mistakesIn(operation, answer)).toEqual([]);
    else free.push(operation.id);
  }
  expect(free).toEqual(["isAlive", "isReady", "health", "metrics"]);
});

async function contractOf(admin: TestAdmin): Promise<ApiContract> {
  const [, document] = await admin.ask("/api/v1/openapi.json");
  return new ApiContract(document);
}

async function request(admin: TestAdmin, { method, path }: Operation, one: Case) {
  const body = one.body === undefined ? "" : JSON.stringify(one.body);
  const target = `${filled(path, one.at)}${one.query ?? ""}`;
  const answer = await ask(admin, local({ method, path: target, body, fields: one.fields ?? {} }));
  if (answer === undefined) throw new Error(`no answer to ${method} ${path}`);
  const type = answer.fields.get("content-type") ?? "";
  const isJson = type.endsWith("json");
  return { status: answer.status, type, body: isJson ? JSON.parse(answer.body) : answer.body };
}

function filled(path: string, at: Readonly<Record<string, string>> = {}): string {
  const words: Readonly<Record<string, string>> = { ...THERE, ...at };
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => words[name] ?? "");
}
