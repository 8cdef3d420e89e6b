import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { upgrade } from "../rig/upgrade.ts";
import { TunnelMessage } from "./tunnel-message.ts";

/** After so long without a byte a tunnel is taken for lost, in milliseconds. */
const LOST_MS = 60_000;
/** Tunnels that are opened at the same time. */
const AT_ONCE = 200;

let opened = 0;

/** A WebSocket through a proxy to the app that sends everything back, without a library's cost. */
export class EchoTunnel implements Disposable {
  readonly #socket: Socket;
  readonly #message: TunnelMessage;
  #answered: (isRight: boolean) => void = () => {};

  static async open(port: number, messageBytes: number): Promise<EchoTunnel> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    await upgrade(socket);
    return new EchoTunnel(socket, new TunnelMessage(++opened, messageBytes));
  }

  static async openMany(port: number, count: number, bytes: number): Promise<EchoTunnel[]> {
    const tunnels: EchoTunnel[] = [];
    while (tunnels.length < count) {
      const more = Math.min(AT_ONCE, count - tunnels.length);
      const open = () => EchoTunnel.open(port, bytes);
      tunnels.push(...(await Promise.all(Array.from({ length: more }, open))));
    }
    return tunnels;
  }

  private constructor(socket: Socket, message: TunnelMessage) {
    this.#socket = socket;
    this.#message = message;
    socket.on("data", (bytes: Buffer) => this.#onBytes(bytes));
    socket.on("error", () => {});
    socket.on("end", () => socket.destroy());
    socket.on("close", () => this.#answered(false));
    socket.setTimeout(LOST_MS, () => socket.destroy());
  }

  /** Sends a message with an id of its own; true once it is back as it was, false where it never is. */
  async echo(): Promise<boolean> {
    if (this.#socket.destroyed) return false;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#answered = resolve;
    this.#socket.write(this.#message.next());
    return await promise;
  }

  /** Closes it, and resolves when it is closed. */
  async close(): Promise<void> {
    if (this.#socket.closed) return;
    this.#socket.destroy();
    await once(this.#socket, "close");
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #onBytes(bytes: Buffer): void {
    if (!this.#message.comesBackWith(bytes)) this.#socket.destroy();
    else if (this.#message.isBack) this.#answered(true);
  }
}
