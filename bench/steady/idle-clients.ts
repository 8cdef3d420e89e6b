import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { openFiles } from "../rig/open-files.ts";

/** Files that the bench itself and the proxy's other connections need. */
const RESERVE = 1_000;
/** Connections that are opened at the same time. */
const AT_ONCE = 200;

/** As many of `wanted` clients as this process, or a proxy with the same limit, may have open. */
export function possibleClients(wanted: number): number {
  return Math.min(wanted, openFiles() - RESERVE);
}

/** Clients that have had one answer each and keep their connections open. */
export class IdleClients implements Disposable {
  readonly #sockets: Socket[] = [];

  static async open(port: number, count: number): Promise<IdleClients> {
    const clients = new IdleClients();
    while (clients.#sockets.length < count) {
      const more = Math.min(AT_ONCE, count - clients.#sockets.length);
      const sockets = Array.from({ length: more }, () => connect(port, "127.0.0.1"));
      clients.#sockets.push(...sockets);
      await Promise.all(sockets.map(ask));
    }
    return clients;
  }

  /** Those that the proxy has closed nevertheless. */
  get lost(): number {
    return this.#sockets.filter((socket) => socket.readableEnded || socket.destroyed).length;
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

async function ask(socket: Socket): Promise<void> {
  socket.on("error", () => {});
  socket.write("GET /json HTTP/1.1\r\nHost: bench\r\n\r\n");
  // Its answer is small: it comes in one piece.
  await once(socket, "data");
  socket.resume();
}
