import type { Result } from "../../demo/tally.ts";
import type { FailureKind } from "../../demo/strict-connection.ts";
import { endOf, isOwnError } from "./account.ts";
import type { Played } from "./played.ts";

/** `timeouts.read` in bench/peers/understudy.yaml: after it a server that hangs is found out. */
const READ_TIMEOUT_MS = 3_000;
/** For what a machine does besides, on top of the longest stall that was seen. */
const LEEWAY_MS = 500;

/** An answer that nobody may ever get, whatever happens to servers. */
const NEVER: ReadonlySet<FailureKind> = new Set(["wrong-id", "wrong-body", "malformed"]);

/** What Understudy owed its clients in this scenario and did not keep: a sentence each. */
export function brokenPromises(played: Played): readonly string[] {
  return [...brokenAlways(played), ...brokenPosts(played), ...brokenGets(played)];
}

function brokenAlways({ summary, results, scenario }: Played): readonly string[] {
  const bent = results.filter((result) => !result.ok && NEVER.has(result.kind));
  const broken = bent.map((result) => `a bent answer: ${describe(result)}`);
  if (summary.strayBytes > 0) broken.push(`${summary.strayBytes} bytes that answer nothing`);
  if (scenario.id !== "S10" && summary.inFlight + summary.unsent > 0)
    broken.push(`${summary.inFlight + summary.unsent} requests without an end`);
  return broken;
}

/** A POST that fails was sent to the server that failed; none is sent twice. */
function brokenPosts(played: Played): readonly string[] {
  const { results, arrivals, loggedAsSent, scenario } = played;
  const posts = [...arrivals.primary, ...arrivals.backup].filter(({ method }) => method === "POST");
  const ids = new Set(posts.map(({ id }) => id));
  const broken =
    posts.length === ids.size ? [] : [`${posts.length - ids.size} POSTs arrived twice`];
  if (scenario.promised === "nothing") return broken;
  const unsent = results.filter(
    ({ ok, method, id }) => !ok && method === "POST" && !ids.has(id) && !loggedAsSent.has(id),
  );
  return [...broken, ...unsent.map((post) => `failed without being sent: ${describe(post)}`)];
}

function brokenGets(played: Played): readonly string[] {
  const { results, arrivals, scenario } = played;
  const failed = results.filter(({ ok, method }) => !ok && method === "GET");
  switch (scenario.promised) {
    case "nothing":
      return [];
    case "no-get-fails":
      return [...failed.map(describe), ...brokenBeside(played)];
    case "rescue":
      return [...failed.map(describe), ...brokenBeside(played), ...brokenRescue(played)];
    case "own-503":
      return results.filter((result) => !result.ok && !isOwnError(result)).map(describe);
    case "cut": {
      const asked = new Set(arrivals.primary.map(({ id }) => id));
      return failed.filter(({ id }) => !asked.has(id)).map(describe);
    }
  }
}

/** autocannon sends GETs only, and what it does not speak of has failed. */
function brokenBeside({ autocannon, scenario }: Played): readonly string[] {
  const { non2xx, mismatches } = autocannon;
  // It goes on sending where an answer has said `Connection: close`, and nobody reads that any more.
  const { errors, lost } = scenario.needs === "renew" ? { errors: 0, lost: 0 } : autocannon;
  if (errors + non2xx + mismatches + lost === 0) return [];
  return [`autocannon: ${errors} errors, ${non2xx} bad, ${mismatches} wrong, ${lost} lost`];
}

/** Those caught move on once the first has timed out, and no later one waits. */
function brokenRescue({ results, stallMs }: Played): readonly string[] {
  const leewayMs = LEEWAY_MS + stallMs;
  const gets = results.filter(({ method }) => method === "GET");
  const caught = gets.filter(({ latencyMs }) => latencyMs > LEEWAY_MS + leewayMs);
  const foundOut = Math.min(...caught.map(endOf));
  const late = caught.filter(({ dueAt }) => dueAt > foundOut + leewayMs);
  // Left alone, the last of them would wait for as long again as the first.
  const timedOut = Math.min(...caught.map(({ dueAt }) => dueAt)) + READ_TIMEOUT_MS;
  const rescuedBy = Math.min(foundOut, timedOut) + READ_TIMEOUT_MS / 2 + stallMs;
  const slow = caught.filter((result) => !late.includes(result) && endOf(result) > rescuedBy);
  return [
    ...late.map((result) => `waited although the server was known to hang: ${describe(result)}`),
    ...slow.map((result) => `was not rescued in time: ${describe(result)}`),
  ];
}

function describe(result: Result): string {
  const { method, id, latencyMs } = result;
  const end = result.ok ? "ok" : `${result.kind}, ${result.detail}`;
  return `${method} ${id}: ${end} after ${Math.round(latencyMs)} ms`;
}
