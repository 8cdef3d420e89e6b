import { once } from "node:events";
import { z } from "zod";

const REPLY = z.object({ id: z.number(), result: z.unknown() });
const USAGE = z.object({ usedSize: z.number(), backingStorageSize: z.number() });

/** Looks into a process that was started with `--inspect=127.0.0.1:0`, at the address it tells. */
export async function openInspector(url: string): Promise<Inspector> {
  const socket = new WebSocket(url);
  await once(socket, "open");
  return new Inspector(socket);
}

export class Inspector implements Disposable {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (result: unknown) => void>();
  #n = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      const reply = REPLY.safeParse(JSON.parse(String(data))).data;
      if (reply === undefined) return;
      this.#waiting.get(reply.id)?.(reply.result);
      this.#waiting.delete(reply.id);
    });
  }

  /** Bytes on the heap and in its buffers once the garbage is collected. */
  async heapBytes(): Promise<number> {
    // What only a finaliser holds goes with the second collection.
    await this.#call("HeapProfiler.collectGarbage");
    await this.#call("HeapProfiler.collectGarbage");
    const usage = USAGE.parse(await this.#call("Runtime.getHeapUsage"));
    return usage.usedSize + usage.backingStorageSize;
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }

  async #call(method: string): Promise<unknown> {
    const id = ++this.#n;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, resolve);
    this.#socket.send(JSON.stringify({ id, method }));
    return await promise;
  }
}
