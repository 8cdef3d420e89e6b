import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { Worker } from "node:worker_threads";

/** A port on loopback that no connection gets through to. */
export interface UnreachablePort extends AsyncDisposable {
  readonly port: number;
}

interface ListenPlace {
  readonly host: string;
  /** 0 = any. */
  readonly port: number;
}

const LOCAL: ListenPlace = { host: "127.0.0.1", port: 0 };

/**
 * A port that refuses connections. It is the near end of a connection of its own, so that nobody
 * else can be given it while the test runs.
 */
export async function holdClosedPort(): Promise<UnreachablePort> {
  const server = createServer((socket) => socket.on("error", () => {}));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const holder = dial(portOf(server.address()));
  await once(holder, "connect");
  return {
    port: holder.localPort ?? 0,
    async [Symbol.asyncDispose]() {
      holder.resetAndDestroy();
      server.close();
      await once(server, "close");
    },
  };
}

/**
 * A port where connecting takes for ever. Linux drops a SYN to a listener whose queue is full: this
 * one's has two places and nobody who accepts, because its thread is blocked.
 */
export async function holdSilentPort(place: ListenPlace = LOCAL): Promise<UnreachablePort> {
  const thread = new Worker(new URL("./deaf-listener.ts", import.meta.url), { workerData: place });
  const [port]: number[] = await once(thread, "message");
  const queued = [dial(port ?? 0, place.host), dial(port ?? 0, place.host)];
  await Promise.all(queued.map((socket) => once(socket, "connect")));
  return {
    port: port ?? 0,
    async [Symbol.asyncDispose]() {
      for (const socket of queued) socket.destroy();
      await thread.terminate();
    },
  };
}

function dial(port: number, host = LOCAL.host): Socket {
  return connect(port, host).on("error", () => {});
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return address.port;
}
