import { expect, test } from "vitest";
import { type Lookup, type Resolved, Resolver } from "../../../src/proxy/resolver.ts";
import { ManualClock } from "../../support/manual-clock.ts";

/** A name service that answers when the test says so. */
function setUp() {
  const clock = new ManualClock();
  const asked: { host: string; answer: Parameters<Lookup>[1] }[] = [];
  const resolver = new Resolver(clock, (host, answer) => asked.push({ host, answer }));
  const results: Resolved[] = [];
  const resolve = (host: string, fresh = false) =>
    resolver.resolve(host, fresh, (resolved) => results.push(resolved));
  return { clock, asked, results, resolve };
}

test("an address is its own answer", async () => {
  const { asked, results, resolve } = setUp();
  resolve("127.0.0.1");
  resolve("::1");
  expect(asked).toEqual([]);
  expect(results).toEqual([
    { ok: true, addresses: ["127.0.0.1"] },
    { ok: true, addresses: ["::1"] },
  ]);
});

test("an answer is used for 5 s, then the name is looked up again", async () => {
  const { clock, asked, results, resolve } = setUp();
  resolve("app");
  asked[0]!.answer(null, ["10.0.0.1"]);
  await clock.advance(5_000);
  resolve("app");
  expect(asked).toHaveLength(1);

  await clock.advance(1);
  resolve("app");
  asked[1]!.answer(null, ["10.0.0.2"]);

  expect(results.map((result) => result.ok && result.addresses)).toEqual([
    ["10.0.0.1"],
    ["10.0.0.1"],
    ["10.0.0.2"],
  ]);
});

test("a fresh lookup goes past the cache", async () => {
  const { asked, results, resolve } = setUp();
  resolve("app");
  asked[0]!.answer(null, ["10.0.0.1"]);
  resolve("app", true);
  asked[1]!.answer(null, ["10.0.0.2"]);
  expect(results.at(-1)).toEqual({ ok: true, addresses: ["10.0.0.2"] });
});

test("those who ask at the same time share one lookup", async () => {
  const { asked, results, resolve } = setUp();
  resolve("app");
  resolve("app");
  resolve("app", true);
  expect(asked).toHaveLength(1);
  asked[0]!.answer(null, ["10.0.0.1"]);
  expect(results).toHaveLength(3);
});

test("a lookup that fails leaves the last good addresses in use, and the next one asks again", async () => {
  const { clock, asked, results, resolve } = setUp();
  resolve("app");
  asked[0]!.answer(null, ["10.0.0.1"]);
  await clock.advance(6_000);
  resolve("app");
  asked[1]!.answer(new Error("EAI_AGAIN"), []);
  expect(results.at(-1)).toEqual({ ok: true, addresses: ["10.0.0.1"] });

  resolve("app");
  expect(asked).toHaveLength(3);
});

test("a name that never had an address is an error, without one or with an empty answer", async () => {
  const { asked, results, resolve } = setUp();
  const error = new Error("ENOTFOUND");
  resolve("app");
  asked[0]!.answer(error, []);
  resolve("app");
  asked[1]!.answer(null, []);
  expect(results).toEqual([
    { ok: false, error },
    { ok: false, error: new Error("the name has no address") },
  ]);
});
