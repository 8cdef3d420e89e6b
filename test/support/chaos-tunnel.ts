import { connect, type Socket } from "node:net";
import { leaveBy, upgrade } from "./chaos-client.ts";
import { frame } from "./frames.ts";
import type { Random } from "./random.ts";

/** How long a client leaves its tunnel open at most, in milliseconds. */
const LONGEST_MS = 400;
/** And how long it waits for the end that follows, in milliseconds. */
const PATIENCE_MS = 15_000;
/** What a chaos server says first. */
const GREETING = Buffer.from("hi");

/** How a tunnel went: `wrong` where bytes came back as others, `hung` where no end came. */
export type TunnelStory = "ended" | "refused" | "wrong" | "hung";

/** One client that opens a tunnel to a chaos server, talks, and leaves unless it is left before. */
export async function liveInTunnel(port: number, random: Random): Promise<TunnelStory> {
  const socket = connect(port, "127.0.0.1");
  const { promise, resolve } = Promise.withResolvers<TunnelStory>();
  const talk = new Talk(socket, random);
  socket.on("error", () => {});
  socket.on("data", (bytes: Buffer) => talk.onBytes(bytes));
  socket.on("close", () => resolve(talk.story));
  socket.write(upgrade(random), "latin1");
  const leaving = setTimeout(
    () => leaveBy(socket, random.pick(["close", "reset", "finish"])),
    random.below(LONGEST_MS),
  );
  const givingUp = setTimeout(() => {
    resolve("hung");
    socket.destroy();
  }, PATIENCE_MS);
  return await promise.finally(() => {
    clearTimeout(leaving);
    clearTimeout(givingUp);
  });
}

/** Frames that are sent one after the other, each once the last is back. */
class Talk {
  story: TunnelStory = "refused";
  readonly #socket: Socket;
  readonly #random: Random;
  #head = "";
  /** What must come back and has not yet. */
  #expected: Buffer = GREETING;

  constructor(socket: Socket, random: Random) {
    this.#socket = socket;
    this.#random = random;
  }

  onBytes(bytes: Buffer): void {
    if (this.story === "ended") this.#hear(bytes);
    else if (this.story === "refused") this.#readHead(bytes);
  }

  #readHead(bytes: Buffer): void {
    this.#head += bytes.toString("latin1");
    const end = this.#head.indexOf("\r\n\r\n") + 4;
    if (end < 4) return;
    if (!this.#head.startsWith("HTTP/1.1 101 ")) {
      this.#socket.destroy();
      return;
    }
    this.story = "ended";
    this.#hear(Buffer.from(this.#head.slice(end), "latin1"));
  }

  #hear(bytes: Buffer): void {
    if (!this.#expected.subarray(0, bytes.length).equals(bytes)) {
      this.story = "wrong";
      this.#socket.destroy();
      return;
    }
    this.#expected = this.#expected.subarray(bytes.length);
    if (this.#expected.length === 0) this.#say();
  }

  #say(): void {
    const length = this.#random.below(this.#random.chance(0.1) ? 200_000 : 2_000);
    this.#expected = frame({ masked: true, length });
    this.#socket.write(this.#expected);
  }
}
