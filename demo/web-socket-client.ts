import { WebSocket } from "ws";
import type { RawData } from "ws";
import { CLOSE_MS, COME_BACK_MS, MESSAGE_MS, OPEN_MS, poolOf } from "./socket-client.ts";
import type { SocketClient, SocketListener } from "./socket-client.ts";

export function openWebSocket(port: number, listener: SocketListener): SocketClient {
  return new WebSocketClient(`ws://127.0.0.1:${port}/ws`, listener);
}

/** The ws package leaves it to us to come back. */
class WebSocketClient implements SocketClient {
  readonly #url: string;
  readonly #listener: SocketListener;
  readonly #unanswered = new Set<string>();
  readonly #closed = Promise.withResolvers<void>();
  #socket: WebSocket;
  #sender: NodeJS.Timeout | undefined;
  #return: NodeJS.Timeout | undefined;
  #closing = false;
  #n = 0;

  constructor(url: string, listener: SocketListener) {
    this.#url = url;
    this.#listener = listener;
    this.#socket = this.#connect();
  }

  async close(): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#return);
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    this.#socket.close();
    const timer = setTimeout(() => this.#socket.terminate(), CLOSE_MS);
    await this.#closed.promise;
    clearTimeout(timer);
  }

  #connect(): WebSocket {
    const socket = new WebSocket(this.#url, { handshakeTimeout: OPEN_MS });
    // Its close follows, and says all that matters.
    socket.on("error", () => {});
    socket.on("open", () => {
      this.#sender = setInterval(() => this.#send(), MESSAGE_MS);
    });
    socket.on("message", (message) => this.#hear(textOf(message)));
    socket.on("close", () => this.#onClose());
    return socket;
  }

  #send(): void {
    if (this.#closing || this.#socket.readyState !== WebSocket.OPEN) return;
    const message = `message ${this.#n++}`;
    this.#unanswered.add(message);
    this.#socket.send(message);
  }

  #hear(message: string): void {
    if (this.#closing) return;
    if (this.#unanswered.delete(message)) this.#listener.onEcho();
    else this.#listener.onOpen(poolOf(JSON.parse(message)));
  }

  #onClose(): void {
    clearInterval(this.#sender);
    if (this.#closing) {
      this.#closed.resolve();
      return;
    }
    this.#listener.onLost();
    this.#listener.onUnanswered(this.#unanswered.size);
    this.#unanswered.clear();
    const pause = COME_BACK_MS * (0.5 + Math.random());
    this.#return = setTimeout(() => (this.#socket = this.#connect()), pause);
  }
}

function textOf(message: RawData): string {
  return Buffer.isBuffer(message) ? message.toString() : "";
}
