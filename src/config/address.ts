import { isIP } from "node:net";
import type { Address } from "./config.ts";
import { bad, good, quote, type Parsed } from "./parsed.ts";

const HOST_NAME = /^[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?$/i;
const HOST_AND_PORT = /^(\[[^\]]*\]|[^:[\]]*)(?::(.*))?$/;

/** Where to listen: `0.0.0.0:8080`, `[::]:8080`, `localhost:8080`, `unix:/run/understudy.sock`. */
export function parseAddress(input: unknown): Parsed<Address> {
  if (typeof input === "number") {
    return bad(`which address? write 127.0.0.1:${input} (this host only) or 0.0.0.0:${input}`);
  }
  if (typeof input !== "string") return bad(`${quote(input)} is no address: write 127.0.0.1:8080`);
  if (input.startsWith("unix:")) return parseUnix(input, "unix:");
  const place = parseHostAndPort(input, undefined);
  if (!place.ok) return place;
  return good({ kind: "tcp", host: place.value.host, port: place.value.port });
}

/** An address as it is written. */
export function addressText(address: Address): string {
  if (address.kind === "unix") return `unix:${address.path}`;
  const { host, port } = address;
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Whether no other machine reaches it. */
export function isLoopback(address: Address): boolean {
  if (address.kind === "unix") return true;
  const { host } = address;
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

/** The path of a unix socket after its prefix. */
export function parseUnix(input: string, prefix: string): Parsed<Address> {
  const path = input.slice(prefix.length);
  if (!path.startsWith("/")) {
    return bad(`${quote(input)} has no absolute path: write ${prefix}/run/app.sock`);
  }
  if (Buffer.byteLength(path) > 107)
    return bad(`the path of ${quote(input)} is longer than 107 bytes`);
  return good({ kind: "unix", path });
}

/** `host` comes without the brackets of an IPv6 address, in lower case. */
export function parseHostAndPort(
  input: string,
  defaultPort: number | undefined,
): Parsed<{ readonly host: string; readonly port: number }> {
  const [, host = "", port] = HOST_AND_PORT.exec(input) ?? [];
  const name = parseHost(host);
  if (!name.ok) return bad(`${quote(input)}: ${name.message}`);
  if (port === undefined && defaultPort === undefined) return bad(`${quote(input)} has no port`);
  const number = port === undefined ? defaultPort : parsePort(port);
  if (number === undefined) return bad(`${quote(port)} is no port: 0 to 65535`);
  return good({ host: name.value, port: number });
}

function parseHost(host: string): Parsed<string> {
  if (host.startsWith("[")) {
    const address = host.slice(1, -1).toLowerCase();
    return isIP(address) === 6 ? good(address) : bad(`${quote(host)} is no IPv6 address`);
  }
  const looksLikeIp = /^[\d.]+$/.test(host);
  if (looksLikeIp ? isIP(host) === 4 : HOST_NAME.test(host)) return good(host.toLowerCase());
  return bad(host === "" ? "the host is missing" : `${quote(host)} is no host name or IP address`);
}

function parsePort(text: string): number | undefined {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined;
}
