/** An answer to GET or POST, complete. */
export interface Answer {
  readonly status: number;
  /** By lower-case name; of repeated fields the last. */
  readonly fields: ReadonlyMap<string, string>;
  /** As latin1. */
  readonly body: string;
  /** True where the connection may carry another request. */
  readonly reusable: boolean;
}

export type Progress =
  | { readonly state: "more" }
  | { readonly state: "done"; readonly answer: Answer }
  | { readonly state: "malformed"; readonly detail: string };

/** Reads one answer off a connection and keeps account of how far it came. */
export class AnswerReader {
  #rest = "";
  #head: Head | undefined;
  #body = "";
  #received = 0;

  get receivedBytes(): number {
    return this.#received;
  }

  /** True between the end of the head and the end of the body. */
  get inBody(): boolean {
    return this.#head !== undefined;
  }

  push(bytes: Buffer): Progress {
    this.#received += bytes.length;
    this.#rest += bytes.toString("latin1");
    if (this.#head === undefined) {
      const failure = this.#readHead();
      if (failure !== undefined) return { state: "malformed", detail: failure };
    }
    return this.#head === undefined ? MORE : this.#readBody(this.#head);
  }

  /** The server has closed its side: the end of a body that has no other. */
  close(): Progress {
    const head = this.#head;
    return head?.framing.kind === "close" ? this.#done(head) : MORE;
  }

  /** How far the answer came, for a report: `10 of 100 bytes of the body`. */
  describe(): string {
    const head = this.#head;
    if (this.#received === 0) return "no byte of an answer";
    if (head === undefined) return `${this.#received} bytes of the head`;
    const { framing } = head;
    if (framing.kind === "length")
      return `${this.#rest.length} of ${framing.bytes} bytes of the body (status ${head.status})`;
    return `${this.#body.length} bytes of a ${framing.kind} body (status ${head.status})`;
  }

  #readHead(): string | undefined {
    for (;;) {
      const end = this.#rest.indexOf("\r\n\r\n");
      if (end === -1) return undefined;
      const head = parseHead(this.#rest.slice(0, end));
      if (typeof head === "string") return head;
      this.#rest = this.#rest.slice(end + 4);
      if (head.status >= 200) {
        this.#head = head;
        return undefined;
      }
    }
  }

  #readBody(head: Head): Progress {
    const { framing } = head;
    if (framing.kind === "chunked") return this.#readChunks(head);
    if (framing.kind === "length" && this.#rest.length < framing.bytes) return MORE;
    const bytes = framing.kind === "length" ? framing.bytes : this.#rest.length;
    this.#body += this.#rest.slice(0, bytes);
    this.#rest = this.#rest.slice(bytes);
    return framing.kind === "length" ? this.#done(head) : MORE;
  }

  #readChunks(head: Head): Progress {
    for (;;) {
      const lineEnd = this.#rest.indexOf("\r\n");
      if (lineEnd === -1) return MORE;
      const size = /^([0-9a-f]{1,8})[ \t]*(;|$)/i.exec(this.#rest.slice(0, lineEnd))?.[1];
      if (size === undefined) return { state: "malformed", detail: "a chunk without a size" };
      const bytes = Number.parseInt(size, 16);
      if (bytes === 0) return this.#readTrailers(head, lineEnd);
      const end = lineEnd + 2 + bytes;
      if (this.#rest.length < end + 2) return MORE;
      if (this.#rest.slice(end, end + 2) !== "\r\n")
        return { state: "malformed", detail: "a chunk longer than its size" };
      this.#body += this.#rest.slice(lineEnd + 2, end);
      this.#rest = this.#rest.slice(end + 2);
    }
  }

  #readTrailers(head: Head, lineEnd: number): Progress {
    const end = this.#rest.indexOf("\r\n\r\n", lineEnd);
    if (end === -1) return MORE;
    this.#rest = this.#rest.slice(end + 4);
    return this.#done(head);
  }

  #done(head: Head): Progress {
    if (this.#rest !== "")
      return { state: "malformed", detail: `${this.#rest.length} bytes behind the answer` };
    const { status, fields, reusable } = head;
    return { state: "done", answer: { status, fields, body: this.#body, reusable } };
  }
}

interface Head {
  readonly status: number;
  readonly fields: ReadonlyMap<string, string>;
  readonly framing: Framing;
  readonly reusable: boolean;
}

type Framing =
  | { readonly kind: "length"; readonly bytes: number }
  | { readonly kind: "chunked" }
  | { readonly kind: "close" };

const MORE = { state: "more" } as const;

/** The head, or what is wrong with it. */
function parseHead(text: string): Head | string {
  const [statusLine = "", ...lines] = text.split("\r\n");
  const status = /^HTTP\/1\.([01]) ([1-5]\d\d)( |$)/.exec(statusLine);
  if (status === null) return `status line ${JSON.stringify(statusLine.slice(0, 80))}`;

  const fields = new Map<string, string>();
  for (const line of lines) {
    const field = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*(.*?)[ \t]*$/.exec(line);
    if (field === null) return `field line ${JSON.stringify(line.slice(0, 80))}`;
    const name = (field[1] ?? "").toLowerCase();
    if (name === "content-length" && fields.has(name)) return "two fields content-length";
    fields.set(name, field[2] ?? "");
  }

  const code = Number(status[2]);
  const framing = framingOf(code, fields);
  if (typeof framing === "string") return framing;
  const connection = fields.get("connection")?.toLowerCase() ?? "";
  const reusable = status[1] === "1" && connection !== "close" && framing.kind !== "close";
  return { status: code, fields, framing, reusable };
}

function framingOf(status: number, fields: ReadonlyMap<string, string>): Framing | string {
  if (status < 200 || status === 204 || status === 304) return { kind: "length", bytes: 0 };
  const coding = fields.get("transfer-encoding");
  const length = fields.get("content-length");
  if (coding !== undefined && length !== undefined) return "both a length and a transfer coding";
  if (coding !== undefined)
    return coding.toLowerCase() === "chunked" ? CHUNKED : `coding ${coding}`;
  if (length === undefined) return { kind: "close" };
  return /^\d{1,15}$/.test(length)
    ? { kind: "length", bytes: Number(length) }
    : `content-length ${JSON.stringify(length)}`;
}

const CHUNKED = { kind: "chunked" } as const;
