/** What a line of somebody's access log tells of a request; undefined is what it does not tell. */
export interface LineFacts {
  /** When the request ended, in milliseconds since the epoch. */
  readonly at: number | undefined;
  /** What the client got. */
  readonly status: number;
  readonly group: string | undefined;
  /** The pool and the release that answered. */
  readonly pool: string | undefined;
  readonly release: string | undefined;
  /** The servers that were asked, one after the other. */
  readonly attempts: readonly LineAttempt[];
  readonly requestTimeMs: number | undefined;
}

interface LineAttempt {
  readonly addr: string;
  /** As nginx has it: 502 for a server that refused, 504 for one that hung; undefined for none. */
  readonly status: number | undefined;
}

/** Fields of a line by their names, in lower case; what is empty or `-` is missing. */
export type Fields = ReadonlyMap<string, string>;

/** Undefined where it is no line of an access log: it has no status. */
export function factsOf(fields: Fields): LineFacts | undefined {
  const status = Number(first(fields, STATUS));
  if (!Number.isInteger(status) || status < 100 || status > 999) return undefined;
  return {
    at: timeOf(first(fields, TIME)),
    status,
    group: fields.get("group"),
    pool: first(fields, POOL),
    release: first(fields, RELEASE),
    attempts: attemptsOf(fields),
    requestTimeMs: secondsOf(first(fields, REQUEST_TIME)),
  };
}

/** An attempt that did not bring what a client can use. */
export function isBad({ status }: LineAttempt): boolean {
  return status === undefined || status >= 500;
}

// By the names that nginx's users give them.
const STATUS = ["status"];
const TIME = ["time", "time_iso8601", "@timestamp", "timestamp", "time_local", "msec", "ts"];
const POOL = ["pool", "app_pool", "x_app_pool", "upstream_pool", "upstream_http_x_app_pool"];
const RELEASE = ["release", "release_id", "x_release_id", "upstream_http_x_release_id"];
const REQUEST_TIME = ["request_time", "latency", "upstream_response_time"];

function first(fields: Fields, names: readonly string[]): string | undefined {
  const name = names.find((one) => fields.has(one));
  return name === undefined ? undefined : fields.get(name);
}

function attemptsOf(fields: Fields): readonly LineAttempt[] {
  const statuses = listOf(fields.get("upstream_status"));
  const addresses = listOf(fields.get("upstream_addr"));
  const count = Math.max(statuses.length, addresses.length);
  return Array.from({ length: count }, (_, n) => ({
    addr: addresses[n] ?? "",
    status: Number(statuses[n]) || undefined,
  }));
}

/** nginx separates attempts by commas, and those of an internal redirect by colons. */
function listOf(text: string | undefined): readonly string[] {
  return text === undefined ? [] : text.split(/, | : /);
}

/** Seconds; those of several attempts are added up. */
function secondsOf(text: string | undefined): number | undefined {
  const seconds = listOf(text).reduce((sum, one) => sum + Number(one), 0);
  return text === undefined || Number.isNaN(seconds) ? undefined : Math.round(seconds * 1e6) / 1e3;
}

function timeOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  // `$msec`: 1795230608.123
  if (/^\d{9,11}(\.\d+)?$/.test(text)) return Math.round(Number(text) * 1_000);
  if (/^\d{12,14}$/.test(text)) return Number(text);
  // `$time_local`: 21/Nov/2026:03:10:08 +0000
  const local = /^(\d\d)\/(\w{3})\/(\d{4}):(\d\d:\d\d:\d\d) ([+-]\d{4})$/.exec(text);
  const [, day, month, year, clock, zone] = local ?? [];
  const at = Date.parse(local === null ? text : `${day} ${month} ${year} ${clock} ${zone}`);
  return Number.isNaN(at) ? undefined : at;
}
