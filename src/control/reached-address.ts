import { isIP } from "node:net";
import type { Address } from "../config/config.ts";

/** `127.0.0.1:9900`, `unix:/run/understudy-admin.sock`. */
export function describeAddress(address: Address): string {
  if (address.kind === "unix") return `unix:${address.path}`;
  const { host, port } = reachable(address);
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}

export function originOf(address: Address): string {
  return address.kind === "unix" ? "http://localhost" : `http://${describeAddress(address)}`;
}

/** Who listens on every address is reached by loopback. */
function reachable({ host, port }: Extract<Address, { kind: "tcp" }>) {
  if (host === "0.0.0.0") return { host: "127.0.0.1", port };
  return { host: host === "::" ? "::1" : host, port };
}
