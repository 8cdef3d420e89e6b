import { z } from "zod";
import { action } from "./action-schema.ts";
import { health } from "./health-schema.ts";
import { choice, count, duration, object, someDuration, text, word } from "./schema-parts.ts";
import { parseServerUrl } from "./server-url.ts";

const serverUrl = word(parseServerUrl, {
  id: "server-url",
  type: "string",
  description: "`http://host:port` (port 80 where it is not written) or `http://unix:/path.sock`.",
  examples: ["http://127.0.0.1:3000", "http://app_blue:3000", "http://unix:/run/app.sock"],
});

const serverKeys = {
  weight: count(1, 65_535)
    .prefault(1)
    .describe("Share of the requests among the servers of the pool."),
  max_fails: count(0)
    .prefault(1)
    .describe("Failures within `fail_timeout` that take the server out of service; 0 = never."),
  fail_timeout: someDuration
    .prefault("10s")
    .describe("How long failures count, and how long the server is then left alone."),
  max_conns: count(0)
    .prefault(0)
    .describe(
      "Requests at a time, per worker; further ones go to the next server, but for those that `affinity` " +
        "binds to this one. 0 = no limit.",
    ),
  down: z.boolean().prefault(false).describe("Out of service until an operator says otherwise."),
};

const SERVER_DEFAULTS = object(serverKeys).parse({});

const server = z
  .union(
    [
      serverUrl.transform((url) => ({ url, ...SERVER_DEFAULTS })),
      object({ url: serverUrl.describe("Where the server listens."), ...serverKeys }),
    ],
    { error: "must be a url or a map with a `url`" },
  )
  .meta({ id: "server", description: "A url, or a map with a `url` and more." });

const serverList = z.array(server).min(1, { error: "a pool needs at least one server" });

/** A number is taken as it is written: 1.10 stays 1.10. */
const label = text.meta({ type: ["string", "number"] });

const poolMap = object({
  servers: serverList.optional().describe("The servers; a pool of one may have its `url` instead."),
  url: serverUrl.optional().describe("The only server, with its keys beside it."),
  ...serverKeys,
  health: health.optional().describe("In place of the group's, as a whole."),
  standby: choice(["cold"])
    .optional()
    .describe(
      "`cold`: it does not run until it is needed, and is started then; needs `start` and `health`.",
    ),
  start: action.optional().describe("Starts a cold standby: `exec`, `webhook` or `docker`."),
  stop: action
    .optional()
    .describe(
      "Stops it once it is needed no more. Default: nobody does, and it only is no longer asked.",
    ),
  boot_timeout: someDuration.optional().meta({
    default: "60s",
    description: "From its start to the first probe that passes; then it is started anew.",
  }),
  stop_after: duration
    .optional()
    .meta({ default: "5m", description: "How long it runs on once another pool serves again." }),
  release: label
    .optional()
    .describe("What the pool runs, where its answers carry no `X-Release-Id`."),
  expect_pool: label
    .optional()
    .describe(
      "An answer whose `X-App-Pool` is another is a failure and is never passed on; only the 101 of an upgrade may come without one.",
    ),
  expect_release: label
    .optional()
    .describe(
      "An answer whose `X-Release-Id` is another is a failure and is never passed on; only the 101 of an upgrade may come without one.",
    ),
});

const NOTHING_MORE = {
  health: undefined,
  standby: undefined,
  start: undefined,
  stop: undefined,
  boot_timeout: undefined,
  stop_after: undefined,
  release: undefined,
  expect_pool: undefined,
  expect_release: undefined,
};

export const pool = z
  .union(
    [
      serverUrl.transform((url) => ({ servers: [{ url, ...SERVER_DEFAULTS }], ...NOTHING_MORE })),
      serverList.transform((servers) => ({ servers, ...NOTHING_MORE })),
      poolMap.transform(
        ({ servers, url, weight, max_fails, fail_timeout, max_conns, down, ...pool }) => {
          const keys = { weight, max_fails, fail_timeout, max_conns, down };
          return { servers: servers ?? (url === undefined ? [] : [{ url, ...keys }]), ...pool };
        },
      ),
    ],
    { error: "must be a url, a list of servers, or a map with `servers` or a `url`" },
  )
  .meta({ id: "pool", description: "A url, a list of servers, or a map." });
