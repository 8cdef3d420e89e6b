import { parseHostAndPort, parseUnix } from "./address.ts";
import { bad, good, quote, type Parsed } from "./parsed.ts";

export interface ServerUrl {
  /** As configured. */
  readonly url: string;
  /** `app_blue:3000`, `[::1]:3000`, `unix:/run/a.sock`. */
  readonly address: string;
}

/** `http://host:port` (port 80 where it is not written), `http://unix:/path.sock`. */
export function parseServerUrl(input: unknown): Parsed<ServerUrl> {
  if (typeof input !== "string")
    return bad(`${quote(input)} is no url: write http://127.0.0.1:3000`);
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(input)?.[1]?.toLowerCase();
  if (scheme === undefined) return bad(`${quote(input)} has no scheme: write http://${input}`);
  if (scheme === "https") {
    return bad(`https servers are not supported yet: write ${quote(`http${input.slice(5)}`)}`);
  }
  if (scheme !== "http") return bad(`${quote(`${scheme}://`)} is not known: write http://`);
  const rest = input.slice("http://".length);
  if (rest.startsWith("unix:")) {
    const path = parseUnix(rest, "unix:");
    return path.ok ? good({ url: input, address: rest }) : path;
  }
  return parsePlace(input, rest);
}

function parsePlace(url: string, rest: string): Parsed<ServerUrl> {
  if (rest.includes("@")) return bad(`${quote(url)} has a user name: a server has none`);
  const extra = /[/?#].*$/s.exec(rest)?.[0] ?? "";
  if (extra.length > 1 || extra === "?" || extra === "#") {
    return bad(
      `${quote(url)} has a path: paths belong to \`routes\`, a server is http://host:port`,
    );
  }
  const place = parseHostAndPort(rest.slice(0, rest.length - extra.length), 80);
  if (!place.ok) return place;
  const { host, port } = place.value;
  if (port === 0) return bad(`${quote(url)}: port 0 cannot be connected to`);
  return good({ url, address: `${host.includes(":") ? `[${host}]` : host}:${port}` });
}
