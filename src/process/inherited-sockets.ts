import { lookup } from "node:dns/promises";
import { readFileSync, readlinkSync } from "node:fs";
import type { Address } from "../config/config.ts";
import {
  type BoundAddress,
  keyOf,
  nameOf,
  openSocket,
  type SocketHandle,
} from "./bound-address.ts";

/**
 * Sockets that a service manager has opened for this process. It holds them open itself, so none is
 * closed before the end: an address that a reload takes out and another brings back has its own again.
 */
export class InheritedSockets {
  /** By the address that each is bound to. */
  readonly #byKey: ReadonlyMap<string, SocketHandle>;

  /** Descriptors of anything else than a TCP or unix socket are passed over. */
  constructor(fds: readonly number[]) {
    this.#byKey = new Map(fds.flatMap(entryOf));
  }

  get sockets(): readonly SocketHandle[] {
    return Array.from(this.#byKey.values());
  }

  /** Undefined where none of them is bound to it. */
  async find(address: Address): Promise<BoundAddress | undefined> {
    if (this.#byKey.size === 0) return undefined;
    const socket = this.#byKey.get(keyOf(await resolved(address)));
    // One that this process itself accepts from is closed with its listener.
    if (socket === undefined || (socket.fd ?? -1) < 0) return undefined;
    const key = keyOf(address);
    return { key, address, shown: key, sockets: [socket] };
  }
}

/** Each is opened once: when a socket is closed, its number may soon be that of something else. */
function entryOf(fd: number): [string, SocketHandle][] {
  const path = pathOf(fd);
  const socket = openSocket(fd);
  if (socket === undefined) return [];
  if (path !== undefined) return [[keyOf({ kind: "unix", path }), socket]];
  const { address: host, port } = nameOf(socket);
  return [[keyOf({ kind: "tcp", host, port }), socket]];
}

async function resolved(address: Address): Promise<Address> {
  if (address.kind === "unix") return address;
  return { ...address, host: (await lookup(address.host)).address };
}

/** Of a unix socket, by what Linux tells of it; undefined for any other. */
function pathOf(fd: number): string | undefined {
  try {
    const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1];
    const lines = readFileSync("/proc/net/unix", "utf8").split("\n");
    const columns = lines.map((line) => line.trim().split(/\s+/));
    return columns.find((column) => inode !== undefined && column[6] === inode)?.[7];
  } catch {
    return undefined;
  }
}
