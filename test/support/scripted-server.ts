import { createHash } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { readRequest, type RawMessage } from "./raw-message.ts";
import { OK, type Behaviour, type PlainAnswer } from "./server-script.ts";

/** A request as the server received it. */
export interface Arrival {
  readonly method: string;
  readonly path: string;
  readonly fields: ReadonlyMap<string, string>;
  readonly body: string;
  /** True where its connection had served another request before. */
  readonly reused: boolean;
}

interface Options {
  /** Stands in the bodies of its answers. */
  readonly name?: string;
  /** What `HEAD /` gets; default: the same as the next request. */
  readonly check?: Behaviour;
  /** `close`: ending the server while a connection is open is no failure. Default: it is. */
  readonly openAtEnd?: "fail" | "close";
  /** Default: one that is free. */
  readonly port?: number;
}

/** How long connections may take to close after the test is over, in milliseconds. */
const CLOSING_MS = 2_000;

/** Starts a server on loopback; the n-th request meets the n-th behaviour, later ones the last. */
export async function startScriptedServer(
  script: readonly Behaviour[],
  options: Options = {},
): Promise<ScriptedServer> {
  const server = createServer();
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  return new ScriptedServer(server, script, options);
}

export class ScriptedServer implements AsyncDisposable {
  readonly port: number;
  readonly name: string;
  /** Requests in the order of their arrival, but for `HEAD /`: that is a gateway's check. */
  readonly arrivals: Arrival[] = [];
  readonly #openAtEnd: "fail" | "close";
  readonly #server: Server;
  readonly #script: readonly Behaviour[];
  readonly #check: Behaviour | undefined;
  #checks = 0;
  readonly #open = new Set<Socket>();
  readonly #events = new EventEmitter();

  constructor(server: Server, script: readonly Behaviour[], options: Options) {
    this.#server = server;
    this.#script = script;
    this.#check = options.check;
    this.name = options.name ?? "server";
    this.#openAtEnd = options.openAtEnd ?? "fail";
    this.port = portOf(server);
    this.#events.setMaxListeners(0);
    server.on("connection", (socket) => this.#onConnection(socket));
  }

  get openConnections(): number {
    return this.#open.size;
  }

  /** Waits for the request for a path. */
  async received(path: string): Promise<Arrival> {
    for (;;) {
      const arrival = this.arrivals.find((arrival) => arrival.path === path);
      if (arrival !== undefined) return arrival;
      await once(this.#events, "arrival");
    }
  }

  /** Waits until a `HEAD /` has come. */
  async checked(): Promise<void> {
    while (this.#checks === 0) await once(this.#events, "check");
  }

  /** Waits until no connection is open. */
  async quiet(): Promise<void> {
    while (this.#open.size > 0) await once(this.#events, "close");
  }

  /** Lets the held answers go. */
  release(): void {
    this.#events.emit("release");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    const left = this.#openAtEnd === "fail" ? await this.#leftOpen() : 0;
    for (const socket of this.#open) socket.destroy();
    await closed;
    if (left > 0) throw new Error(`server "${this.name}": ${left} connections were left open`);
  }

  async #leftOpen(): Promise<number> {
    const signal = AbortSignal.timeout(CLOSING_MS);
    while (this.#open.size > 0 && !signal.aborted) {
      await once(this.#events, "close", { signal }).catch(() => {});
    }
    return this.#open.size;
  }

  #onConnection(socket: Socket): void {
    this.#open.add(socket);
    socket.setNoDelay(true);
    // The peer may reset at any time; what counts is that the connection is over.
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#open.delete(socket);
      this.#events.emit("close");
    });
    let unread = "";
    let served = 0;
    const onData = (bytes: Buffer): void => {
      unread += bytes.toString("latin1");
      for (;;) {
        const request = readRequest(unread);
        if (request?.complete !== true) return;
        unread = unread.slice(request.byteLength);
        const behaviour = this.#receive(request, served++ > 0);
        if (behaviour.does === "echo") socket.off("data", onData);
        this.#play(behaviour, socket, request, served > 1);
      }
    };
    socket.on("data", onData);
  }

  #receive(request: RawMessage, reused: boolean): Behaviour {
    const [method = "", path = ""] = request.startLine.split(" ");
    const isCheck = method === "HEAD" && path === "/";
    const next = this.#script[this.arrivals.length] ?? this.#script.at(-1) ?? OK;
    if (isCheck) {
      this.#checks += 1;
      this.#events.emit("check");
      return this.#check ?? next;
    }
    this.arrivals.push({ method, path, fields: request.fields, body: request.body, reused });
    this.#events.emit("arrival");
    return next;
  }

  #play(behaviour: Behaviour, socket: Socket, request: RawMessage, reused: boolean): void {
    switch (behaviour.does) {
      case "answer":
        return this.#answer(socket, request, behaviour);
      case "hold":
        this.#events.once("release", () => {
          this.#answer(socket, request, { status: behaviour.status });
        });
        return;
      case "send":
        return sendAsIs(socket, behaviour.bytes, behaviour.end);
      case "break-off":
        return sendAsIs(socket, answerText(1000, this.#body(200).slice(0, 7)), behaviour.end);
      case "reset-reused":
        if (reused) socket.resetAndDestroy();
        else this.#answer(socket, request, OK);
        return;
      case "echo":
        socket.write(`${switchingProtocols(request)}${this.name} is here\n`, "latin1");
        socket.pipe(socket);
    }
  }

  #answer(socket: Socket, request: RawMessage, answer: Omit<PlainAnswer, "does">): void {
    const body = answer.body ?? this.#body(answer.status);
    const text = answerText(body.length, body, answer);
    const isHead = request.startLine.startsWith("HEAD ");
    socket.write(isHead ? text.slice(0, text.length - body.length) : text, "latin1");
    if (request.fields.get("connection") === "close") socket.end();
  }

  #body(status: number): string {
    return `${this.name} answered ${status}\n`;
  }
}

function answerText(
  length: number,
  body: string,
  { status, fields }: Omit<PlainAnswer, "does"> = OK,
): string {
  const all = Object.entries({ "Content-Length": length, ...fields });
  const lines = all.map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Scripted\r\n${lines.join("")}\r\n${body}`;
}

function sendAsIs(socket: Socket, bytes: string, end: "close" | "reset" | "stall"): void {
  if (bytes !== "") socket.write(bytes, "latin1");
  if (end === "close") socket.end();
  if (end === "reset") socket.resetAndDestroy();
}

function switchingProtocols(request: RawMessage): string {
  const key = request.fields.get("sec-websocket-key") ?? "";
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
  return (
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
    `Sec-WebSocket-Accept: ${accept.digest("base64")}\r\n\r\n`
  );
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return address.port;
}
