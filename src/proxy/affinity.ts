import type { GroupConfig } from "../config/config.ts";
import type { ServerState } from "../failover/server.ts";
import type { Affinity } from "./binding.ts";
import type { ProxyContext } from "./context.ts";
import { CookieAffinity } from "./cookie-affinity.ts";
import { SessionAffinity } from "./session-affinity.ts";

/** What keeps the clients of a group on their servers; undefined where they need not be told apart. */
export function createAffinity(
  { name: group, affinity }: GroupConfig,
  servers: readonly ServerState[],
  { cookieKey, sessions }: ProxyContext,
): Affinity | undefined {
  switch (affinity.kind) {
    case "cookie": {
      const { name, secret } = affinity;
      return new CookieAffinity({ group, name, key: secret ?? cookieKey }, servers);
    }
    case "socketio":
      return new SessionAffinity(sessions);
    case "none":
    case "ip":
    case "header":
      return undefined;
  }
}
