import { addCounts, type Counts, countOne, zeros } from "./counts.ts";

/** Requests that one release of a pool answered. */
export interface ReleaseCounts {
  /** Empty: the gateway's own answers, and servers that tell none. */
  readonly release: string;
  /** By method and status, as REQUEST_KINDS has them. */
  readonly requests: Counts;
}

/** Kinds that a metric has a label for; what clients make up themselves is `other`. */
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"] as const;
/** By the first digit of the status; 499, which is nobody's fault, comes first. */
const CODES = ["499", "1xx", "2xx", "3xx", "4xx", "5xx"] as const;
/** Releases that are told apart: a server that names a new one each time shall not fill the memory. */
const MOST_RELEASES = 20;
const LONGEST_RELEASE = 100;
const OTHER_METHOD = METHODS.length - 1;
const METHOD_NUMBERS: ReadonlyMap<string, number> = new Map(METHODS.map((name, n) => [name, n]));

/** Method and status of each kind, in the order in which they are counted. */
export const REQUEST_KINDS = METHODS.flatMap((method) => CODES.map((code) => ({ method, code })));

/** The requests of a pool, while they are counted. */
export class RequestCounts {
  readonly #byRelease = new Map<string, number[]>();

  count(release: string, method: string, status: number): void {
    countOne(this.#of(release), requestKind(method, status));
  }

  copy(): readonly ReleaseCounts[] {
    return Array.from(this.#byRelease, ([release, requests]) => ({
      release,
      requests: [...requests],
    }));
  }

  #of(release: string): number[] {
    const known = this.#byRelease.get(release);
    if (known !== undefined) return known;
    const isTooMuch = this.#byRelease.size >= MOST_RELEASES || release.length > LONGEST_RELEASE;
    if (isTooMuch && release !== "other") return this.#of("other");
    const counts = zeros(REQUEST_KINDS.length);
    this.#byRelease.set(release, counts);
    return counts;
  }
}

/** Of both by release; releases beyond the limit are `other` here, too. */
export function addReleases(
  one: readonly ReleaseCounts[],
  others: readonly ReleaseCounts[],
  sign: 1 | -1,
): readonly ReleaseCounts[] {
  const sums = new Map(one.map(({ release, requests }) => [release, requests]));
  for (const { release, requests } of others) {
    const isKnown = sums.has(release) || sums.size < MOST_RELEASES;
    const name = isKnown ? release : "other";
    const sum = sums.get(name) ?? zeros(REQUEST_KINDS.length);
    sums.set(name, addCounts(sum, requests, sign));
  }
  return Array.from(sums, ([release, requests]) => ({ release, requests }));
}

/** Over all releases and methods: how many, and those of 5xx. */
export function countAnswers(releases: readonly ReleaseCounts[]) {
  const counted = releases.flatMap(({ requests }) =>
    REQUEST_KINDS.map(({ code }, kind) => ({ code, count: requests[kind] ?? 0 })),
  );
  const failed = counted.filter(({ code }) => code === "5xx");
  const sumOf = (some: typeof counted) => some.reduce((sum, { count }) => sum + count, 0);
  return { requests: sumOf(counted), failed: sumOf(failed) };
}

function requestKind(method: string, status: number): number {
  const code = status === 499 ? 0 : Math.floor(status / 100);
  return (METHOD_NUMBERS.get(method) ?? OTHER_METHOD) * CODES.length + code;
}
