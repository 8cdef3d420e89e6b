import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { upgrade } from "../rig/upgrade.ts";

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
    for (const socket of tunnels.#sockets) socket.resume();
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
