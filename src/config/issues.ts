import type { z } from "zod";
import { quote } from "./parsed.ts";

/** A mistake at a path of the configuration. */
export interface Finding {
  readonly path: readonly PropertyKey[];
  /** Whether the key at the path is wrong or its value. */
  readonly at: "key" | "value";
  readonly message: string;
}

type Issue = z.core.$ZodIssue;

/** What a schema found, in the words of this gateway; one finding for each mistake. */
export function findingsOf(issue: Issue, parent: readonly PropertyKey[] = []): Finding[] {
  const path = [...parent, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    const messages = issue.message.split("\n");
    return issue.keys.map((key, index) => ({
      path: [...path, key],
      at: "key",
      message: messages[index] ?? issue.message,
    }));
  }
  if (issue.code === "invalid_union" && issue.input !== undefined) {
    const meant = issue.errors.find(fits);
    if (meant !== undefined) return meant.flatMap((inner) => findingsOf(inner, path));
  }
  if (issue.code === "invalid_key") {
    const message = issue.issues[0]?.message ?? issue.message;
    return [{ path, at: "key", message }];
  }
  return [{ path, at: "value", message: messageOf(issue) }];
}

/** Whether a value is of the kind that this branch of a union takes, however wrong inside. */
function fits(branch: readonly Issue[]): boolean {
  return !branch.some((issue) => issue.path.length === 0 && isOfAnotherKind(issue));
}

function isOfAnotherKind(issue: Issue): boolean {
  if (issue.code === "invalid_union") return !issue.errors.some(fits);
  if (issue.code === "custom") {
    return typeof issue.input !== "string" && typeof issue.input !== "number";
  }
  return issue.code === "invalid_type" || issue.code === "invalid_value";
}

const KINDS: ReadonlyMap<string, string> = new Map([
  ["array", "no list"],
  ["object", "no map of keys"],
  ["record", "no map of keys"],
  ["boolean", "neither true nor false"],
  ["string", "no text"],
  ["number", "no number"],
]);

function messageOf(issue: Issue): string {
  if (issue.input === undefined && issue.code !== "custom") {
    return issue.code === "invalid_union" ? `is missing: ${issue.message}` : "is missing";
  }
  const kind = issue.code === "invalid_type" ? KINDS.get(issue.expected) : undefined;
  return kind === undefined ? issue.message : `${quote(issue.input)} is ${kind}`;
}
