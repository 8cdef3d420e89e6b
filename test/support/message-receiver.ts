import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";

/** What it answers: a status, with fields, after a while in milliseconds; `cut`: nothing, ever. */
export type Reply =
  | { readonly status: number; readonly fields?: Record<string, string>; readonly afterMs?: number }
  | "cut";

export interface Posted {
  readonly fields: IncomingHttpHeaders;
  readonly body: string;
  /** It was answered with 2xx. */
  readonly isTaken: boolean;
}

/** A server that takes messages, as Slack does; each reply counts once, the last again and again. */
export class MessageReceiver implements AsyncDisposable {
  readonly posted: Posted[] = [];
  replies: readonly Reply[];
  readonly #server = createServer((request, response) => {
    void text(request).then(async (body) => {
      const [reply = { status: 200 }, ...others] = this.replies;
      if (others.length > 0) this.replies = others;
      const isTaken = reply !== "cut" && reply.status < 300;
      this.posted.push({ fields: request.headers, body, isTaken });
      if (reply === "cut") return request.socket.destroy();
      if (reply.afterMs !== undefined) await setTimeout(reply.afterMs);
      return response.writeHead(reply.status, { Connection: "close", ...reply.fields }).end("ok");
    });
  });

  constructor(replies: readonly Reply[] = []) {
    this.replies = replies;
  }

  async listen(port = 0): Promise<this> {
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
    return this;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/services/T0/B0/s3cret`;
  }

  /** The titles of what was taken. */
  get titles(): readonly string[] {
    return this.posted.filter(({ isTaken }) => isTaken).map(({ body }) => titleOf(body));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

/** Slack's `text`, a webhook's `title`. */
function titleOf(body: string): string {
  const { text: slack, title }: { text?: string; title?: string } = JSON.parse(body);
  return slack ?? title ?? "";
}
