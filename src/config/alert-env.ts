import type { Finding } from "./issues.ts";
import type { Env } from "./interpolate.ts";
import { field, isRecord } from "./raw.ts";

const YES = new Set(["1", "true", "yes", "on"]);

/**
 * What the usual home-made watchers of nginx's log are told by their environment, wherever `alerts` says nothing of it. Gives
 * the data of the configuration with it.
 */
export function withAlertEnv(raw: Record<string, unknown>, env: Env): Record<string, unknown> {
  const written = raw["alerts"] ?? {};
  // Whatever else it is, the schema has the words for it.
  if (!isRecord(written)) return raw;
  const { SLACK_WEBHOOK_URL: slack, MAINTENANCE_MODE: maintenance = "" } = env;
  const { ERROR_RATE_THRESHOLD: threshold, WINDOW_SIZE: window } = env;
  const { ALERT_COOLDOWN_SEC: cooldown } = env;
  const rate = field(written, "error_rate") ?? {};
  return {
    ...raw,
    alerts: {
      ...(slack && { channels: [{ slack }] }),
      ...(cooldown && { cooldown: numberOr(cooldown, `${cooldown}s`) }),
      ...(YES.has(maintenance.toLowerCase()) && { mute: true }),
      ...written,
      error_rate: isRecord(rate)
        ? {
            ...(threshold && { threshold }),
            ...(window && { window: numberOr(window, Number(window)) }),
            ...rate,
          }
        : rate,
    },
  };
}

const NAMES: Readonly<Record<string, string>> = {
  "alerts.channels.0.slack": "SLACK_WEBHOOK_URL",
  "alerts.error_rate.threshold": "ERROR_RATE_THRESHOLD",
  "alerts.error_rate.window": "WINDOW_SIZE",
  "alerts.cooldown": "ALERT_COOLDOWN_SEC",
};

/** A finding that names the variable where its value was not written in the file. */
export function withEnvName(finding: Finding, written: unknown): Finding {
  const { path, message } = finding;
  const name = NAMES[path.join(".")];
  const value = path.reduce<unknown>(
    (at, key) => (Array.isArray(at) ? at : field(at, String(key))),
    written,
  );
  if (name === undefined || value !== undefined) return finding;
  return { ...finding, message: `${message} (the environment has it as ${name})` };
}

/** What is no number is left to the schema, which says so. */
function numberOr<T>(text: string, value: T): T | string {
  return /^\d+$/.test(text) ? value : text;
}
