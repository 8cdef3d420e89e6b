import { lookup } from "node:dns/promises";
import { readFileSync, readlinkSync } from "node:fs";
import { addressText } from "../config/address.ts";
import type { Address } from "../config/config.ts";
import { type BoundAddress, nameOf, openHandle, type SocketHandle } from "./bound-address.ts";

interface Passed {
  readonly socket: SocketHandle;
  /** As an address of the configuration would be written. */
  readonly shown: string;
}

/** The sockets that a service manager has opened for this process and listens at beside it. */
export class PassedSockets {
  readonly #all: readonly Passed[];

  /** `fds`: their descriptors. Throws Node's error where one is no socket. */
  constructor(fds: readonly number[]) {
    this.#all = fds.map((fd) => {
      const socket = openHandle(fd);
      return { socket, shown: addressText(addressOf(socket, fd)) };
    });
  }

  /** The address by the socket that is at it; undefined where none is. */
  async find(address: Address): Promise<BoundAddress | undefined> {
    if (this.#all.length === 0) return undefined;
    const keys = await keysOf(address);
    const found = this.#all.find(({ shown }) => keys.includes(shown));
    const key = addressText(address);
    return found && { key, address, shown: key, sockets: [found.socket] };
  }

  isOwnerOf(socket: SocketHandle): boolean {
    return this.#all.some((one) => one.socket === socket);
  }

  /** Those that serve none of these addresses, in words. */
  unusedBy(bound: readonly BoundAddress[]): readonly string[] {
    const used = new Set(bound.flatMap(({ sockets }) => sockets));
    return this.#all.filter(({ socket }) => !used.has(socket)).map(({ shown }) => shown);
  }
}

/** An IPv6 socket at every address takes IPv4 as well, and is what `ListenStream=80` opens. */
async function keysOf(address: Address): Promise<readonly string[]> {
  if (address.kind === "unix") return [addressText(address)];
  const { address: host } = await lookup(address.host);
  const hosts = host === "0.0.0.0" ? [host, "::"] : [host];
  return hosts.map((one) => addressText({ ...address, host: one }));
}

function addressOf(socket: SocketHandle, fd: number): Address {
  const path = pathOf(fd);
  if (path !== undefined) return { kind: "unix", path };
  const { address, port } = nameOf(socket);
  return { kind: "tcp", host: address, port };
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
