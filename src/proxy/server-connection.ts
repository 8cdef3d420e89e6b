import { Deadline, type DeadlineWheel } from "./deadline-wheel.ts";
import { ReadBuffer } from "./read-buffer.ts";
import { ServerSocket } from "./server-socket.ts";

/** Whoever uses a connection to a server right now: a dial, an attempt, a tunnel, or its idle pool. */
export interface ConnectionUser {
  onConnected(): void;
  /** `bytes[0, length)` are valid until the call returns: what is kept must be copied. */
  onBytes(bytes: Buffer, length: number): void;
  /** What was written has left; more may be written. */
  onDrain(): void;
  /** The server will send nothing more. */
  onEnd(): void;
  /** The connection broke; it is gone already. */
  onError(error: Error): void;
  /** The armed deadline has passed. */
  onDeadline(): void;
}

export type DialTarget =
  | { readonly host: string; readonly port: number }
  | { readonly path: string };

/** Milliseconds of silence after which the kernel asks the other side whether it is still there. */
export const KEEP_ALIVE_MS = 60_000;

/** One TCP or unix connection to a server. Its user changes, its socket has this one owner. */
export class ServerConnection {
  readonly #socket: ServerSocket;
  readonly #readBuffer = new ReadBuffer();
  #lastReadBytes = 0;
  readonly deadline: Deadline;
  /** The address dialled, as the log shows it. */
  readonly addr: string;
  user: ConnectionUser;
  /** Monotonic milliseconds since when it is idle. */
  idleSince = 0;
  /** How many connections of its server had broken when it was last given a request. */
  usedAfterBreak = 0;
  /** What the server announced with `Keep-Alive: timeout`; undefined where it did not. */
  announcedIdleMs: number | undefined;
  #over = false;

  constructor(target: DialTarget, addr: string, user: ConnectionUser, wheel: DeadlineWheel) {
    this.addr = addr;
    this.user = user;
    this.deadline = new Deadline(wheel, () => this.user.onDeadline());
    this.#socket = new ServerSocket({
      allowHalfOpen: true,
      noDelay: true,
      onread: {
        buffer: () => this.#nextBuffer(),
        callback: (length) => {
          this.#lastReadBytes = length;
          if (!this.#over) this.user.onBytes(this.#readBuffer.bytes, length);
          return true;
        },
      },
    });
    this.#socket.on("error", (error) => this.#finish(error));
    this.#socket.on("connect", () => this.user.onConnected());
    this.#socket.on("end", () => this.user.onEnd());
    this.#socket.on("drain", () => this.user.onDrain());
    this.#socket.on("close", () => this.#finish(new Error("closed")));
    this.#socket.connect(target);
  }

  /** Bytes handed over that the kernel has not taken yet. */
  get pendingBytes(): number {
    return this.#socket.writableLength;
  }

  /** Latin-1 text or bytes; bytes must not be changed afterwards. */
  write(content: string | Buffer): void {
    if (typeof content === "string") this.#socket.write(content, "latin1");
    else this.#socket.write(content);
  }

  /** Puts writes together until the matching uncork(). */
  cork(): void {
    this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
  }

  /** True where onDrain() will follow. */
  get needsDrain(): boolean {
    return this.#socket.writableLength > 0 && this.#socket.writableNeedDrain;
  }

  /** Lets the kernel find out whether the server is still there while nothing is said. */
  keepAlive(): void {
    this.#socket.setKeepAlive(true, KEEP_ALIVE_MS);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Sends FIN behind what was written. */
  end(): void {
    this.#socket.end();
  }

  /** Closes at once; the user hears nothing more. */
  destroy(): void {
    this.#over = true;
    this.deadline.end();
    this.#socket.destroy();
  }

  /** Node asks at the start and after each read; no answer means the same again. */
  #nextBuffer(): Buffer {
    return this.#readBuffer.next(this.#lastReadBytes);
  }

  #finish(error: Error): void {
    if (this.#over) return;
    this.destroy();
    this.user.onError(error);
  }
}
