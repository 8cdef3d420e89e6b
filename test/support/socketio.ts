import { once } from "node:events";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { io } from "socket.io-client";
import { type Program, startProgram } from "./program.ts";

const APP = fileURLToPath(new URL("socketio-app.ts", import.meta.url));

/** A Socket.IO server in a process of its own. */
export async function startSocketIoApp(name: string): Promise<SocketIoApp> {
  const program = startProgram(process.execPath, [APP, name]);
  const ready = await program.says(/^ready (\d+)$/m);
  return new SocketIoApp(program, Number(ready[1]));
}

export class SocketIoApp implements AsyncDisposable {
  readonly port: number;
  readonly #program: Program;

  constructor(program: Program, port: number) {
    this.#program = program;
    this.port = port;
  }

  /** `kill -9`, and gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
  }
}

export type Transports = readonly ("polling" | "websocket")[];

/** What both generations of the client have in common. */
interface Socket {
  readonly connected: boolean;
  readonly io: { readonly engine: { readonly transport: { readonly name: string } } };
  on(event: string, listener: (...args: never[]) => void): unknown;
  once(event: string, listener: (...args: never[]) => void): unknown;
  emit(event: string, ...args: unknown[]): unknown;
  disconnect(): unknown;
}

interface ClientOptions {
  readonly transports: Transports;
  /** Engine.IO's protocol: 4 is today's client, 3 that of Socket.IO 2. */
  readonly protocol?: 3 | 4;
  readonly reconnection?: boolean;
}

const require = createRequire(import.meta.url);
const connectOld: (url: string, options: object) => Socket = require("socket.io-client-2");

/** Give or take a half; 1 s by default. */
const RECONNECTION_MS = 500;

/** A client that is leaving when it is disposed; it may not be connected yet. */
export function openSocketIo(port: number, options: ClientOptions): SocketIoClient {
  const { transports, protocol = 4, reconnection = true } = options;
  const url = `http://127.0.0.1:${port}`;
  const settings = {
    transports: [...transports],
    forceNew: true,
    reconnection,
    reconnectionDelay: RECONNECTION_MS,
  };
  return new SocketIoClient(protocol === 4 ? io(url, settings) : connectOld(url, settings));
}

export async function connectSocketIo(
  port: number,
  options: ClientOptions,
): Promise<SocketIoClient> {
  const client = openSocketIo(port, options);
  await client.connected();
  return client;
}

/** How long a wait may take, in milliseconds. */
const PATIENCE_MS = 15_000;

export class SocketIoClient implements Disposable {
  readonly #socket: Socket;
  /** Why it lost its connection, each time. */
  readonly losses: string[] = [];
  readonly heard: string[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("disconnect", (reason: string) => this.losses.push(reason));
    socket.on("said", (words: string) => this.heard.push(words));
    socket.on("question", (n: number, answer: (n: number) => void) => answer(n));
  }

  get transport(): string {
    return this.#socket.io.engine.transport.name;
  }

  async connected(): Promise<void> {
    if (!this.#socket.connected) await this.event("connect");
  }

  /** Waits for an event of the socket. */
  async event(name: string): Promise<unknown> {
    return await inTime(name, (resolve) => this.#socket.once(name, resolve));
  }

  /** Sends an event and waits until it is acknowledged. */
  async ask(event: string, ...args: readonly unknown[]): Promise<unknown> {
    return await inTime(event, (resolve) => this.#socket.emit(event, ...args, resolve));
  }

  tell(event: string, ...args: readonly unknown[]): void {
    this.#socket.emit(event, ...args);
  }

  [Symbol.dispose](): void {
    this.#socket.disconnect();
  }
}

async function inTime<T>(what: string, begin: (resolve: (value: T) => void) => void): Promise<T> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const late = once(signal, "abort").then(() => {
    throw new Error(`no ${what} within ${PATIENCE_MS} ms`);
  });
  return await Promise.race([new Promise<T>(begin), late]);
}
