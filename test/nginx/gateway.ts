/** A group as a vector sets it up, for whichever gateway plays it. */
export interface GroupFacts {
  /** In the order written. */
  readonly servers: readonly ServerFacts[];
  readonly rules: GroupRules;
}

export interface ServerFacts {
  /** `127.0.0.1:3001`. */
  readonly address: string;
  readonly backup: boolean;
  readonly down: boolean;
  readonly maxFails: number;
  /** `3s`. */
  readonly failTimeout: string;
  /** 0 = no limit. */
  readonly maxConns: number;
}

export interface GroupRules {
  /** nginx's names; `off` alone = none; undefined = the gateway's default. */
  readonly nextUpstream?: readonly string[];
  /** 0 = every server once. */
  readonly tries?: number;
  /** 0 = none. */
  readonly nextUpstreamTimeoutMs?: number;
  /** Use connections to servers again; default false. */
  readonly keepalive?: boolean;
}

/** What all vectors have in common. */
export const GROUP_NAME = "backend";
/** For connecting, sending and reading each. */
export const SERVER_TIMEOUT = "1s";

/** One line of the access log. */
export interface LogLine {
  readonly path: string;
  readonly status: string;
  readonly upstreamAddr: string;
  readonly upstreamStatus: string;
}

/** The order in which both gateways log the fields of a `LogLine`. */
export const LOG_TEMPLATE = "$request_uri|$status|$upstream_addr|$upstream_status";

export function readLog(text: string): readonly LogLine[] {
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    const [path = "", status = "", upstreamAddr = "", upstreamStatus = ""] = line.split("|");
    return { path, status, upstreamAddr, upstreamStatus };
  });
}

/** A running gateway with one group. */
export interface Gateway extends AsyncDisposable {
  readonly port: number;
  /** Ends it in order, and reads its complete access log. */
  stop(): Promise<readonly LogLine[]>;
}

export type StartGateway = (group: GroupFacts) => Promise<Gateway>;
