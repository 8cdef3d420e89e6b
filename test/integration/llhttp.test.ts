import * as http from "node:http";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { answers, faulty, requests } from "../support/http1/arbitrary-messages.ts";
import { startLlhttpClient, startLlhttpServer } from "../support/http1/llhttp.ts";
import type { ParsedMessages } from "../support/http1/llhttp.ts";
import { readAnswers, readRequests } from "../support/http1/read-messages.ts";
import type { ReadMessages } from "../support/http1/read-messages.ts";

const RUNS = { numRuns: 300 };

type Facts = readonly [start: string, fields: Readonly<Record<string, string>>, body: string];

/** What the codec read of the fields that Node names, and of those that it read besides. */
function ourFacts(read: ReadMessages): Facts[] {
  return read.messages.map((message) => {
    const names = message.headText
      .trimStart()
      .split("\r\n")
      .slice(1, -2)
      .map((line) => line.slice(0, line.indexOf(":")).toLowerCase());
    const fields = names.map((name) => [name, message.field(name) ?? "absent"] as const);
    return [message.start, Object.fromEntries(fields), message.body];
  });
}

function theirFacts(parsed: ParsedMessages): Facts[] {
  return parsed.messages.map(({ start, rawHeaders, body }) => {
    const fields = new Map<string, string>();
    for (let at = 0; at < rawHeaders.length; at += 2) {
      const name = rawHeaders[at]!.toLowerCase();
      const earlier = fields.get(name);
      const value = rawHeaders[at + 1]!;
      const separator = name === "cookie" ? "; " : ", ";
      fields.set(name, earlier === undefined ? value : `${earlier}${separator}${value}`);
    }
    return [start, Object.fromEntries(fields), body];
  });
}

/** Nothing is read that Node does not read, and what is read is read alike. */
function expectNotLooser(ours: ReadMessages, theirs: ParsedMessages): void {
  const read = ourFacts(ours);
  expect(read).toEqual(theirFacts(theirs).slice(0, read.length));
}

// Node knows a list of methods, RFC 9110 9.1 has any token be one.
function hasOtherMethod(read: ReadMessages): boolean {
  return read.messages.some(({ start }) => !http.METHODS.includes(start.split(" ")[0]!));
}

// RFC 9112 6.3 lets the coding win in an answer, after which the connection is not used again;
// Node refuses it.
function hasBothFramings(read: ReadMessages): boolean {
  return read.messages.some(
    (message) =>
      message.field("content-length") !== undefined &&
      message.field("transfer-encoding") !== undefined,
  );
}

test("valid requests are read as Node reads them, one behind the other", async () => {
  await using server = await startLlhttpServer();

  await fc.assert(
    fc.asyncProperty(requests, async (text) => {
      const ours = readRequests(text);
      const theirs = await server.read(text);

      expect(ours.end).toBeOneOf(["clean", "closed"]);
      expect(ourFacts(ours)).toEqual(theirFacts(theirs));
    }),
    RUNS,
  );
});

test("no request is accepted that Node refuses, or read in another way", async () => {
  await using server = await startLlhttpServer();

  await fc.assert(
    fc.asyncProperty(faulty(requests), async (text) => {
      const ours = readRequests(text);
      fc.pre(!hasOtherMethod(ours));

      expectNotLooser(ours, await server.read(text));
    }),
    RUNS,
  );
});

test("valid answers are read as Node reads them", async () => {
  await using client = await startLlhttpClient();

  await fc.assert(
    fc.asyncProperty(answers, fc.constantFrom("GET", "HEAD"), async (text, method) => {
      const ours = readAnswers(text, method);
      const theirs = await client.read(text, method);

      expect(ours.end).toBe("closed");
      expect(ourFacts(ours)).toEqual(theirFacts(theirs));
    }),
    RUNS,
  );
});

test("no answer is accepted that Node refuses, or read in another way", async () => {
  await using client = await startLlhttpClient();

  await fc.assert(
    fc.asyncProperty(faulty(answers), fc.constantFrom("GET", "HEAD"), async (text, method) => {
      const ours = readAnswers(text, method);
      fc.pre(!hasBothFramings(ours));

      expectNotLooser(ours, await client.read(text, method));
    }),
    RUNS,
  );
});
