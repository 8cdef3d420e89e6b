import type { ExchangeRecord } from "../events.ts";

/** What the log must not show the values of. */
export interface Redaction {
  /** Parameters of the query, `*` for all of them. */
  readonly query: readonly string[];
  /** Header fields of requests and answers, in lower case. */
  readonly headers: readonly string[];
}

const HIDDEN = "***";

/** Gives each record a copy that shows `***` for what is hidden. */
export function redactor({
  query,
  headers,
}: Redaction): (record: ExchangeRecord) => ExchangeRecord {
  const hidden = new Set(headers);
  const clean = query.length === 0 ? (url: string) => url : queryCleaner(query);
  return (record) => {
    const referer = record.requestField("referer");
    return {
      startedAt: record.startedAt,
      requestTimeMs: record.requestTimeMs,
      requestId: record.requestId,
      traceId: record.traceId,
      trace: record.trace,
      clientAddress: record.clientAddress,
      clientPort: record.clientPort,
      scheme: record.scheme,
      localPort: record.localPort,
      method: record.method,
      target: clean(record.target),
      protocol: record.protocol,
      host: record.host,
      requestBytes: record.requestBytes,
      status: record.status,
      sentBytes: record.sentBytes,
      sentBodyBytes: record.sentBodyBytes,
      group: record.group,
      pool: record.pool,
      release: record.release,
      attempts: record.attempts,
      heldMs: record.heldMs,
      affinity: record.affinity,
      error: record.error,
      why: record.why,
      shortage: record.shortage,
      closedBy: record.closedBy,
      requestField: (name) => {
        if (hidden.has(name)) return record.requestField(name) && HIDDEN;
        return name === "referer" ? referer && clean(referer) : record.requestField(name);
      },
      answerField: (name) => {
        const value = record.answerField(name);
        if (hidden.has(name)) return value && HIDDEN;
        return name === "location" ? value && clean(value) : value;
      },
    };
  };
}

/** Of a URL with a query. A name counts as it reads decoded: `%74oken` is `token`. */
function queryCleaner(names: readonly string[]): (url: string) => string {
  const wanted = new Set(names);
  const hides = (name: string): boolean => wanted.has("*") || wanted.has(decoded(name));
  const cleanPair = (pair: string): string => {
    const equals = pair.indexOf("=");
    const name = equals === -1 ? pair : pair.slice(0, equals);
    return equals !== -1 && hides(name) ? `${name}=${HIDDEN}` : pair;
  };
  return (url) => {
    const mark = url.indexOf("?");
    if (mark === -1) return url;
    // Servers split a query at either.
    const pairs = url.slice(mark + 1).split(/([&;])/);
    return url.slice(0, mark + 1) + pairs.map(cleanPair).join("");
  };
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name.replaceAll("+", " "));
  } catch {
    return name;
  }
}
