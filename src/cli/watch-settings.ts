import { dirname, resolve } from "node:path";
import type { AlertsConfig } from "../alert/alerts.ts";
import type { Env } from "../config/interpolate.ts";
import { parseConfig } from "../config/parse-config.ts";
import { loadConfig } from "./load-config.ts";

export interface WatchLogOptions {
  /** A configuration of the gateway, for its `alerts` and the primaries of its groups. */
  readonly config?: string | undefined;
  /** Prints messages in place of sending them. */
  readonly print?: boolean | undefined;
  /** To the end of the file and no further; nothing is sent. */
  readonly once?: boolean | undefined;
  readonly fromStart?: boolean | undefined;
  readonly state?: string | undefined;
  readonly group?: string | undefined;
}

/** What a watch goes by. */
export interface WatchSettings {
  readonly alerts: AlertsConfig;
  readonly isPrinting: boolean;
  readonly group: string;
  readonly primaryOf: (group: string) => string | undefined;
  /** Where the paths of secrets begin, and the state is kept. */
  readonly folder: string;
  readonly env: Env;
}

/** Undefined after every problem was told on stderr. */
export function settingsOf(options: WatchLogOptions, env: Env): WatchSettings | undefined {
  const config =
    options.config === undefined ? fromEnvironment(env) : loadConfig(options.config, env);
  if (config === undefined) return undefined;
  const isPrinting = options.print === true || options.once === true;
  const { groups, alerts } = config;
  const [only] = groups.length === 1 ? groups : [];
  return {
    alerts: isPrinting ? { ...alerts, channels: [PRINTER] } : alerts,
    isPrinting,
    group: options.group ?? only?.name ?? "app",
    primaryOf: (name) =>
      groups.find((group) => group.name === name)?.spec.primary || env["ACTIVE_POOL"] || undefined,
    folder: options.config === undefined ? process.cwd() : dirname(resolve(options.config)),
    env,
  };
}

/** The usual variables alone are a configuration. */
function fromEnvironment(env: Env) {
  const text = "listen: 127.0.0.1:8080\ngroups: { app: {} }\n";
  const parsed = parseConfig(text, { file: "environment", env, readText: () => "" });
  if (parsed.ok) return parsed.config;
  for (const { path, message } of parsed.problems) warn(`${path}: ${message}`);
  return undefined;
}

/** Takes the messages that are printed. */
const PRINTER = { kind: "exec", command: ["print"] } as const;

export function warn(text: string): void {
  process.stderr.write(`understudy: ${text}\n`);
}
