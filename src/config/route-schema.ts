import { z } from "zod";
import { bad, good, quote, type Parsed } from "./parsed.ts";
import { object, word } from "./schema-parts.ts";

const host = word(parseRouteHost, {
  id: "route-host",
  type: "string",
  description: "`app.example.com`, or `*.example.com` for every name below it.",
  examples: ["app.example.com", "*.example.com"],
});

/** Of requests: itself, and all below it. */
export const path = word(parseRoutePath, {
  id: "route-path",
  type: "string",
  description: "`/api` takes `/api` and all below it, not `/apix`; `/` takes all.",
  examples: ["/", "/api"],
});

/** Where the group is found; also read alone, to compare the routes of all groups. */
export const routes = z
  .array(
    object({
      host: host.optional().describe("Exact, or `*.suffix`. Default: any host."),
      path: path.prefault("/").describe("Prefix on segment boundaries."),
    }),
  )
  .prefault([{}]);

function parseRouteHost(input: unknown): Parsed<string> {
  if (typeof input === "string" && /:\d+$/.test(input) && !input.endsWith("]")) {
    return bad(`${quote(input)} has a port: a route is a host name alone`);
  }
  const valid =
    typeof input === "string" &&
    /^((\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*|\[[0-9a-f:.]+\])$/i.test(
      input,
    );
  if (valid) return good(input.toLowerCase());
  return bad(`${quote(input)} is no host: write app.example.com or *.example.com`);
}

function parseRoutePath(input: unknown): Parsed<string> {
  if (typeof input !== "string" || !input.startsWith("/")) {
    return bad(`${quote(input)} is no path: it begins with /`);
  }
  if (/[?#*\s]/.test(input))
    return bad(`${quote(input)} is no prefix: write it without ? # * or spaces`);
  return good(input);
}
