import { connect, type Socket } from "node:net";
import type { ServerSpec } from "../failover/spec.ts";

/** An address of a name; rejects where it has none. */
export type FindAddress = (name: string) => Promise<string>;

export type Target = { readonly path: string } | { readonly host: string; readonly port: number };

/** Where the server is now: a name is looked up anew for each check. */
export async function targetOf({ address }: ServerSpec, findAddress: FindAddress): Promise<Target> {
  if (address.startsWith("unix:")) return { path: address.slice("unix:".length) };
  const colon = address.lastIndexOf(":");
  const name = address.slice(0, colon).replace(/^\[|\]$/g, "");
  return { host: await findAddress(name), port: Number(address.slice(colon + 1)) };
}

/** A new connection; who asks destroys it. Rejects with the signal's reason where that aborts. */
export function connectTo(target: Target, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...target });
    // Node's own option `signal` holds on to the socket until the signal aborts.
    const abort = (): unknown => socket.destroy(signal.reason);
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
    socket.on("error", reject);
    socket.on("close", () => {
      signal.removeEventListener("abort", abort);
      reject(new Error("closed"));
    });
    socket.on("connect", () => resolve(socket));
  });
}

/** The server's own name as a `Host`. */
export function hostOf({ address }: ServerSpec): string {
  return address.startsWith("unix:") ? "localhost" : address;
}

/** Node's code of an error, else its message. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "code" in error && typeof error.code === "string" ? error.code : error.message;
}
