import { extname } from "node:path";
import type { Finding } from "./issues.ts";
import { bad, good, quote, type Parsed } from "./parsed.ts";
import { entriesOf, field } from "./raw.ts";

export interface ErrorPage {
  readonly type: string;
  readonly body: string;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".json": "application/json",
  ".txt": "text/plain; charset=utf-8",
};

export interface ErrorPages {
  /** By path as written. */
  readonly pages: ReadonlyMap<string, ErrorPage>;
  readonly findings: readonly Finding[];
}

/** Reads every error page that the raw data names; `readText` throws where it cannot. */
export function readErrorPages(raw: unknown, readText: (path: string) => string): ErrorPages {
  const pages = new Map<string, ErrorPage>();
  const findings: Finding[] = [];
  for (const [group, written] of entriesOf(field(raw, "groups"))) {
    for (const { key, path } of pagesOf(written)) {
      if (typeof path !== "string") continue;
      const page = readErrorPage(path, readText);
      if (page.ok) pages.set(path, page.value);
      else findings.push(unreadable(group, key, page.message));
    }
  }
  return { pages, findings };
}

/** Where a group names pages. */
function pagesOf(group: unknown) {
  const maintenance = field(field(group, "maintenance"), "page");
  return [
    ...entriesOf(field(group, "error_pages")).map(([status, path]) => ({
      key: ["error_pages", status],
      path,
    })),
    { key: ["maintenance", "page"], path: maintenance },
  ];
}

function unreadable(group: string, key: readonly string[], message: string): Finding {
  return { path: ["groups", group, ...key], at: "value", message };
}

function readErrorPage(path: string, readText: (path: string) => string): Parsed<ErrorPage> {
  const type = TYPES[extname(path).toLowerCase()];
  if (type === undefined) {
    return bad(`what is ${quote(path)}? known are ${Object.keys(TYPES).join(", ")}`);
  }
  try {
    return good({ type, body: readText(path) });
  } catch (error) {
    return bad(`cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}
