import type { ExchangeRecord } from "../events.ts";

/** The lines that `served_by: true` adds to every answer, for a look from outside. */
export function servedByLines({ pool, release, attempts }: ExchangeRecord): string {
  const server = release === undefined ? pool : `${pool} ${release}`;
  const servedBy = pool === undefined ? "" : `X-Served-By: ${server}\r\n`;
  return `${servedBy}X-Gateway-Attempts: ${attempts.length}\r\n`;
}
