/**
 * An HTTP/1.x message as it stood on the wire. It is read leniently and kept as latin1 text: what is
 * right is for the test to say.
 */
export interface RawMessage {
  readonly startLine: string;
  /** By lower-case name; lines of one name are joined by `, `. */
  readonly fields: ReadonlyMap<string, string>;
  /** Start line and field lines as they came. */
  readonly headText: string;
  /** Without chunk framing. */
  readonly body: string;
  /** False where the bytes end before the message does. */
  readonly complete: boolean;
  /** How many bytes it took. */
  readonly byteLength: number;
}

/** A request; undefined while its head is not whole. */
export function readRequest(bytes: string): RawMessage | undefined {
  return readMessage(bytes, "empty");
}

/** An answer to `method`; undefined while its head is not whole. `ended`: no more bytes will come. */
export function readAnswer(bytes: string, method: string, ended: boolean): RawMessage | undefined {
  const status = statusOf(bytes);
  const bodiless = method === "HEAD" || status < 200 || status === 204 || status === 304;
  if (bodiless) return readMessage(bytes, "none");
  return readMessage(bytes, ended ? "rest" : "open");
}

/** The status of an answer's first line, NaN where there is none. */
export function statusOf(startLine: string): number {
  return Number(/^HTTP\/1\.[01] (\d{3})\b/.exec(startLine)?.[1]);
}

/**
 * What the body is: never there (`none`), or as the fields say and without them empty, all that is
 * left (`rest`), or not over yet (`open`).
 */
type Body = "none" | "empty" | "rest" | "open";

function readMessage(bytes: string, body: Body): RawMessage | undefined {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd === -1) return undefined;
  const headText = bytes.slice(0, headEnd);
  const [startLine = "", ...lines] = headText.split("\r\n");
  const fields = readFields(lines);
  return { startLine, fields, headText, ...readBody(bytes, headEnd + 4, fields, body) };
}

function readFields(lines: readonly string[]): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    const before = fields.get(name);
    fields.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return fields;
}

type BodyRead = Pick<RawMessage, "body" | "complete" | "byteLength">;

function readBody(
  bytes: string,
  start: number,
  fields: RawMessage["fields"],
  body: Body,
): BodyRead {
  if (body === "none") return { body: "", complete: true, byteLength: start };
  if (/\bchunked$/i.test(fields.get("transfer-encoding") ?? "")) return readChunks(bytes, start);
  const announced = fields.get("content-length");
  if (announced !== undefined) return readLength(bytes, start, Number(announced));
  if (body === "empty") return { body: "", complete: true, byteLength: start };
  return { body: bytes.slice(start), complete: body === "rest", byteLength: bytes.length };
}

function readLength(bytes: string, start: number, length: number): BodyRead {
  const body = bytes.slice(start, start + length);
  return { body, complete: body.length === length, byteLength: start + body.length };
}

function readChunks(bytes: string, start: number): BodyRead {
  let body = "";
  let at = start;
  for (;;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    const size = Number.parseInt(bytes.slice(at, Math.max(at, lineEnd)), 16);
    if (Number.isNaN(size)) return { body, complete: false, byteLength: bytes.length };
    // The last chunk, its trailer and the empty line end like a head does.
    if (size === 0) {
      const end = bytes.indexOf("\r\n\r\n", lineEnd) + 4;
      return { body, complete: end > 3, byteLength: end > 3 ? end : bytes.length };
    }
    body += bytes.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + 2 + size + 2;
  }
}
