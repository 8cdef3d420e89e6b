import { once } from "node:events";
import { z } from "zod";

const REPLY = z.object({ id: z.number(), result: z.unknown() });
const OBJECT = z.object({ result: z.object({ objectId: z.string() }) });
const OBJECTS = z.object({ objects: z.object({ objectId: z.string() }) });
const LIVING = z.object({
  result: z.object({ value: z.object({ livingSockets: z.number(), listeners: z.number() }) }),
});
const USAGE = z.object({ usedSize: z.number(), backingStorageSize: z.number() });

/** What is not garbage: sockets, and the listeners of whatever emits events. */
export type Living = z.infer<typeof LIVING>["result"]["value"];

const EMITTER = 'process.getBuiltinModule("node:events").EventEmitter.prototype';
/** Runs there, on all emitters. */
const COUNT = `function () {
  const { Socket } = process.getBuiltinModule("node:net");
  const listenersOf = (emitter) =>
    Object.hasOwn(emitter, "_events") ? Object.values(emitter._events ?? {}).flat().length : 0;
  return {
    livingSockets: this.filter((emitter) => emitter instanceof Socket).length,
    listeners: this.reduce((sum, emitter) => sum + listenersOf(emitter), 0),
  };
}`;

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

  async living(): Promise<Living> {
    const { result: emitter } = OBJECT.parse(
      await this.#call("Runtime.evaluate", { expression: EMITTER }),
    );
    const { objects } = OBJECTS.parse(
      await this.#call("Runtime.queryObjects", { prototypeObjectId: emitter.objectId }),
    );
    const { objectId } = objects;
    const call = { objectId, functionDeclaration: COUNT, returnByValue: true };
    const { result } = LIVING.parse(await this.#call("Runtime.callFunctionOn", call));
    await this.#call("Runtime.releaseObject", { objectId });
    return result.value;
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }

  async #call(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.#n;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, resolve);
    this.#socket.send(JSON.stringify({ id, method, params }));
    return await promise;
  }
}
