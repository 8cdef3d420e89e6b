/** A request, its body complete. */
export interface Request {
  readonly method: string;
  readonly path: string;
  /** Its fields, as they came. */
  readonly head: string;
  /** As latin1; empty where nobody looks at it. */
  readonly body: string;
}

interface Pending {
  readonly method: string;
  readonly path: string;
  readonly head: string;
  readonly keepsBody: boolean;
  left: number;
  body: string;
}

/**
 * Reads requests off one connection. It shares its core with the load, so it is as cheap as it can
 * be, and trusts the proxy to write well-formed requests with a `Content-Length`.
 */
export class RequestReader {
  #text = "";
  #pending: Pending | undefined;
  readonly #onRequest: (request: Request) => void;

  constructor(onRequest: (request: Request) => void) {
    this.#onRequest = onRequest;
  }

  push(bytes: Buffer): void {
    this.#text += bytes.toString("latin1");
    for (;;) {
      this.#pending ??= this.#readHead();
      if (this.#pending === undefined || !this.#readBody(this.#pending)) return;
      const { method, path, head, body } = this.#pending;
      this.#pending = undefined;
      this.#onRequest({ method, path, head, body });
    }
  }

  #readHead(): Pending | undefined {
    const text = this.#text;
    const end = text.indexOf("\r\n\r\n");
    if (end === -1) return undefined;
    const methodEnd = text.indexOf(" ");
    const pathEnd = text.indexOf(" ", methodEnd + 1);
    const method = text.slice(0, methodEnd);
    const path = text.slice(methodEnd + 1, pathEnd);
    const head = text.slice(pathEnd, end + 2);
    this.#text = text.slice(end + 4);
    const left = method === "POST" ? lengthOf(head) : 0;
    return { method, path, head, keepsBody: path === "/echo", left, body: "" };
  }

  /** False where more must come first. */
  #readBody(pending: Pending): boolean {
    if (pending.left === 0) return true;
    const part = this.#text.slice(0, pending.left);
    this.#text = this.#text.slice(part.length);
    pending.left -= part.length;
    if (pending.keepsBody) pending.body += part;
    return pending.left === 0;
  }
}

/** The value of a field, or undefined. */
export function fieldOf(head: string, name: string): string | undefined {
  return new RegExp(`\r\n${name}: *([^\r]*)`, "i").exec(head)?.[1];
}

function lengthOf(head: string): number {
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined) throw new Error(`a body without a length:${head}`);
  return Number(length);
}
