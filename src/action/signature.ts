import { createHmac } from "node:crypto";

/**
 * The fields that sign a webhook at `wall` (milliseconds since the epoch): over time and body, so that nobody can send
 * what was overheard once more later.
 */
export function signatureOf(body: string, secret: string, wall: number): Record<string, string> {
  const seconds = Math.floor(wall / 1_000);
  const digest = createHmac("sha256", secret).update(`${seconds}.${body}`).digest("hex");
  return {
    "x-understudy-timestamp": String(seconds),
    "x-understudy-signature": `sha256=${digest}`,
  };
}
