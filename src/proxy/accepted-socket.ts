import { type Server, Socket } from "node:net";
import { getSystemErrorName } from "node:util";
import { ReadBuffer } from "./read-buffer.ts";

/** A client's connection, from its first byte on. */
export interface AcceptedSocket {
  readonly socket: Socket;
  /** Where what is read goes: `bytes[0, length)`, valid until the call returns. */
  readTo(onBytes: (bytes: Buffer, length: number) => void): void;
}

/** Node's own object beneath a socket or a server, as far as it is used here. */
interface Handle {
  onconnection?(this: void, error: number, client: Handle | undefined): void;
  setNoDelay?(on: boolean): void;
  setKeepAlive?(on: boolean, delay: number): void;
}

/**
 * Takes the connections of a server that listens. Node's way into a buffer of one's own (`onread`)
 * is closed to sockets that a server accepts, so they are made here, as Node makes them; where
 * it has no such handle its own sockets do. 64 KB that are allocated for each read cost a tenth of
 * the CPU of a small GET and a third of that of an upload.
 */
export function acceptFrom(server: Server, onAccepted: (accepted: AcceptedSocket) => void): void {
  const handle = handleOf(server);
  if (handle?.onconnection === undefined) {
    server.on("connection", (socket) => onAccepted(ordinary(socket)));
    return;
  }
  handle.onconnection = (error, client) => {
    if (client === undefined) {
      server.emit("error", new Error(`accept ${getSystemErrorName(error)}`));
      return;
    }
    client.setNoDelay?.(true);
    client.setKeepAlive?.(true, 0);
    onAccepted(new BufferedSocket(client));
  };
}

class BufferedSocket implements AcceptedSocket {
  readonly socket: Socket;
  readonly #readBuffer = new ReadBuffer();
  #lastReadBytes = 0;
  #onBytes: (bytes: Buffer, length: number) => void = () => {};

  constructor(handle: Handle) {
    this.socket = createSocket({
      handle,
      allowHalfOpen: true,
      readable: true,
      writable: true,
      onread: {
        buffer: () => this.#readBuffer.next(this.#lastReadBytes),
        callback: (length: number) => {
          this.#lastReadBytes = length;
          this.#onBytes(this.#readBuffer.bytes, length);
          return true;
        },
      },
    });
  }

  readTo(onBytes: (bytes: Buffer, length: number) => void): void {
    this.#onBytes = onBytes;
  }
}

/** `handle` is not among the documented options. */
function createSocket(options: object): Socket {
  return Reflect.construct(Socket, [options]);
}

function ordinary(socket: Socket): AcceptedSocket {
  return {
    socket,
    readTo: (onBytes) => {
      socket.on("data", (bytes: Buffer) => onBytes(bytes, bytes.length));
    },
  };
}

function handleOf(server: Server): Handle | undefined {
  return Reflect.get(server, "_handle");
}
