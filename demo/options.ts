import { parseArgs } from "node:util";
import { KEYS } from "./keys.ts";

export const USAGE = `npm run demo -- [--auto] [--json] [--record FILE] [--rate N]

Starts two apps, blue and green, and the gateway before them, and puts them under load.
In a terminal you break them by keys; otherwise, or with --auto, a story of half a minute does.
Keys: ${KEYS.map(({ key, help }) => `${key} ${help}`).join(", ")}.
w opens WebSocket and Socket.IO clients, which come back wherever they are cut; again closes them.

  --auto          play the story even in a terminal
  --json          its result as one JSON object on stdout, what happens on stderr (implies --auto)
  --record FILE   every request of the story as JSON, for scripts/demo-svg.ts (implies --auto)
  --rate N        requests a second (default: 250 in the story, 100 in a terminal)
`;

export interface DemoOptions {
  readonly help: boolean;
  readonly auto: boolean;
  readonly json: boolean;
  readonly record: string | undefined;
  readonly ratePerSecond: number | undefined;
}

/** Throws, in words, on options that it does not know. */
export function readOptions(args: readonly string[]): DemoOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: "boolean", short: "h", default: false },
      auto: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      record: { type: "string" },
      rate: { type: "string" },
    },
  });
  const { help, json, record, rate } = values;
  const ratePerSecond = rate === undefined ? undefined : Number(rate);
  if (ratePerSecond !== undefined && !(ratePerSecond >= 1 && ratePerSecond <= 10_000))
    throw new Error(`--rate ${rate}: wanted is a number from 1 to 10000`);
  const auto = values.auto || json || record !== undefined;
  return { help, auto, json, record, ratePerSecond };
}
