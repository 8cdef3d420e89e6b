import { io } from "socket.io-client";
import type { Socket } from "socket.io-client";
import { CLOSE_MS, COME_BACK_MS, MESSAGE_MS, OPEN_MS, poolOf } from "./socket-client.ts";
import type { SocketClient, SocketListener } from "./socket-client.ts";

/** By polling first, then WebSocket, as Socket.IO does by itself. */
export function openSocketIo(port: number, listener: SocketListener): SocketClient {
  const socket = io(`http://127.0.0.1:${port}`, {
    forceNew: true,
    timeout: OPEN_MS,
    reconnectionDelay: COME_BACK_MS,
    reconnectionDelayMax: COME_BACK_MS,
  });
  return new SocketIoClient(socket, listener);
}

class SocketIoClient implements SocketClient {
  readonly #socket: Socket;
  readonly #listener: SocketListener;
  readonly #sender: NodeJS.Timeout;
  #closing = false;
  #n = 0;

  constructor(socket: Socket, listener: SocketListener) {
    this.#socket = socket;
    this.#listener = listener;
    this.#sender = setInterval(() => void this.#ask(), MESSAGE_MS);
    socket.on("app", (signature: unknown) => listener.onOpen(poolOf(signature)));
    socket.on("disconnect", () => {
      if (!this.#closing) listener.onLost();
    });
  }

  async close(): Promise<void> {
    this.#closing = true;
    clearInterval(this.#sender);
    const closed = closeOf(this.#socket);
    this.#socket.disconnect();
    await closed;
  }

  /** Rejected where the connection is lost before the acknowledgement. */
  async #ask(): Promise<void> {
    if (!this.#socket.connected) return;
    const n = this.#n++;
    const answer: unknown = await this.#socket.emitWithAck("echo", n).catch(() => undefined);
    if (this.#closing) return;
    if (answer === n) this.#listener.onEcho();
    else this.#listener.onUnanswered(1);
  }
}

/** It may have to end an upgrade first. */
async function closeOf({ io: { engine } }: Socket): Promise<void> {
  if (engine.readyState === "closed") return;
  const { promise, resolve } = Promise.withResolvers<void>();
  engine.once("close", () => resolve());
  const timer = setTimeout(resolve, CLOSE_MS);
  await promise;
  clearTimeout(timer);
}
