import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** Between two signs of life, as clients of WebSockets send them, in milliseconds. */
const BEAT_MS = 1_000;
/** For a byte to come back, in milliseconds. */
const ECHO_MS = 2_000;

/** Connections upgraded through the proxy, on which the app sends back every byte. */
export class Tunnels implements Disposable {
  readonly #sockets: readonly Socket[];
  readonly #heart: NodeJS.Timeout;

  static async open(port: number, count: number): Promise<Tunnels> {
    const tunnels = new Tunnels(Array.from({ length: count }, () => connect(port, "127.0.0.1")));
    await Promise.all(tunnels.#sockets.map(upgrade));
    return tunnels;
  }

  private constructor(sockets: readonly Socket[]) {
    this.#sockets = sockets;
    // A tunnel that breaks is found out by alive().
    for (const socket of sockets) socket.on("error", () => {});
    this.#heart = setInterval(() => {
      for (const socket of sockets) if (socket.writable) socket.write("beat");
    }, BEAT_MS);
  }

  /** How many still carry bytes both ways. */
  async alive(): Promise<number> {
    const answers = await Promise.all(this.#sockets.map(echoes));
    return answers.filter(Boolean).length;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#heart);
    for (const socket of this.#sockets) socket.destroy();
  }
}

async function upgrade(socket: Socket): Promise<void> {
  const key = randomBytes(16).toString("base64");
  socket.write(
    "GET /tunnel HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
  );
  const [head] = await once(socket, "data");
  if (!String(head).startsWith("HTTP/1.1 101 ")) throw new Error(`no upgrade: ${String(head)}`);
  socket.resume();
}

/** True where what is sent now comes back, whatever of earlier beats comes first. */
async function echoes(socket: Socket): Promise<boolean> {
  if (socket.destroyed || socket.readableEnded) return false;
  const question = randomBytes(8).toString("hex");
  const { promise, resolve } = Promise.withResolvers<boolean>();
  let heard = "";
  socket.on("data", (bytes: Buffer) => {
    heard += bytes.toString("latin1");
    if (heard.includes(question)) resolve(true);
  });
  socket.once("close", () => resolve(false));
  const timer = setTimeout(() => resolve(false), ECHO_MS);
  socket.write(question);
  return await promise.finally(() => clearTimeout(timer));
}
