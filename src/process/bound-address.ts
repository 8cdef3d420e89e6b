import { lookup } from "node:dns/promises";
import net, { isIPv6 } from "node:net";
import { getSystemErrorName } from "node:util";
import { pause } from "../clock.ts";
import { addressText } from "../config/address.ts";
import type { Address } from "../config/config.ts";
import { removeStaleSocket } from "./stale-socket.ts";

/** A socket as Node knows it beneath its own classes; it can be passed on to another process. */
export interface SocketHandle {
  listen(backlog: number): number;
  close(): void;
  getsockname?(into: object): number;
}

/** An address of the configuration, held by sockets that nobody need be accepting from. */
export interface BoundAddress {
  /** The address as configured, the same in every process: `127.0.0.1:8080`. */
  readonly key: string;
  readonly address: Address;
  /** With the port really bound. */
  readonly shown: string;
  /** Each has a queue of its own in the kernel, which spreads connections over them. */
  readonly sockets: readonly SocketHandle[];
}

/** libuv's UV_TCP_REUSEPORT. */
const REUSE_PORT = 2;
/** Milliseconds for which the processes of a gateway that was killed may still hold an address. */
const PATIENCE_MS = 1_000;
const PAUSE_MS = 50;

/**
 * Binds `count` sockets to one address (a unix socket: one), so that a process that accepts from one
 * may come and go while its queue stays. Rejects with Node's error where the address is in use.
 */
export async function bindAddress(address: Address, count: number): Promise<BoundAddress> {
  for (let waitedMs = 0; ; waitedMs += PAUSE_MS) {
    try {
      return await bindOnce(address, count);
    } catch (error) {
      if (!isInUse(error) || waitedMs >= PATIENCE_MS) throw error;
      await pause(PAUSE_MS);
    }
  }
}

/** The same address with at least `count` sockets, where the system lets more than one hold it. */
export function widen(bound: BoundAddress, count: number): BoundAddress {
  const missing = count - bound.sockets.length;
  if (missing <= 0 || bound.address.kind === "unix") return bound;
  const [first] = bound.sockets;
  if (first === undefined) return bound;
  const name = nameOf(first);
  const more = reuse({ host: name.address, port: name.port }, missing);
  return { ...bound, sockets: [...bound.sockets, ...more] };
}

export function release(bound: BoundAddress): void {
  for (const socket of bound.sockets) socket.close();
}

/** The sockets of `all` that are not among those of `kept`. */
export function surplusSockets(
  kept: readonly BoundAddress[],
  all: readonly BoundAddress[],
): readonly SocketHandle[] {
  const used = new Set(kept.flatMap(({ sockets }) => sockets));
  return all.flatMap(({ sockets }) => sockets).filter((socket) => !used.has(socket));
}

async function bindOnce(address: Address, count: number): Promise<BoundAddress> {
  const key = addressText(address);
  if (address.kind === "unix") {
    await removeStaleSocket(address.path);
    const socket = mustBind([address.path, -1, -1], { address: address.path, port: -1 });
    return { key, address, shown: key, sockets: [socket] };
  }
  const { address: host } = await lookup(address.host);
  // Whoever binds with REUSE_PORT shares the address with another program that does; nobody wants that.
  if (address.port !== 0) mustBeFree(host, address.port);
  const first = mustBindShared(host, address.port);
  const { port } = nameOf(first);
  const sockets = [first, ...reuse({ host, port }, count - 1)];
  return { key, address, shown: `${isIPv6(host) ? `[${host}]` : host}:${port}`, sockets };
}

function mustBeFree(host: string, port: number): void {
  const socket = mustBind([host, port, familyOf(host), undefined, 0], { address: host, port });
  const error = socket.listen(1);
  socket.close();
  if (error !== 0) throw systemError("listen", error, { address: host, port });
}

/** Where the system has no SO_REUSEPORT the socket is all there is. */
function mustBindShared(host: string, port: number): SocketHandle {
  const socket = createHandle([host, port, familyOf(host), undefined, REUSE_PORT]);
  if (typeof socket !== "number") return socket;
  return mustBind([host, port, familyOf(host), undefined, 0], { address: host, port });
}

function reuse(at: { host: string; port: number }, count: number): readonly SocketHandle[] {
  const { host, port } = at;
  const made = Array.from({ length: Math.max(0, count) }, () =>
    createHandle([host, port, familyOf(host), undefined, REUSE_PORT]),
  );
  return made.filter((socket) => typeof socket !== "number");
}

function mustBind(args: readonly unknown[], where: { address: string; port: number }) {
  const socket = createHandle(args);
  if (typeof socket === "number") throw systemError("listen", socket, where);
  return socket;
}

/**
 * Node's own way to a socket that is bound and does not listen yet; `net.BoundSocket` (Node 26) is the
 * public one, but keeps its handle from other processes. A number is the system's error.
 */
function createHandle(args: readonly unknown[]): SocketHandle | number {
  const create: unknown = Reflect.get(net, "_createServerHandle");
  if (typeof create !== "function") throw new Error("this Node cannot bind without listening");
  return Reflect.apply(create, net, args);
}

function familyOf(host: string): 4 | 6 {
  return isIPv6(host) ? 6 : 4;
}

/** A socket that is open already, by its descriptor. Throws Node's error where it is none. */
export function openHandle(fd: number): SocketHandle {
  return mustBind([null, null, null, fd], { address: `descriptor ${fd}`, port: -1 });
}

interface Name {
  readonly address: string;
  readonly port: number;
}

/** Where a TCP socket is bound. */
export function nameOf(socket: SocketHandle | undefined): Name {
  const name = { address: "", port: 0 };
  socket?.getsockname?.(name);
  return name;
}

function systemError(call: string, number: number, where: { address: string; port: number }) {
  const code = getSystemErrorName(number);
  return Object.assign(new Error(`${call} ${code}: ${where.address}:${where.port}`), {
    code,
    ...where,
  });
}

function isInUse(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
}
