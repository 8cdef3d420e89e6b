import { readFileSync, renameSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { Clock } from "../clock.ts";
import { type LineSink, openLineSink, type SinkTrouble } from "../observe/line-sink.ts";
import { isoUtc } from "../observe/log-time.ts";
import type { KeptEvent } from "./event-history.ts";

/** How many lines a file takes before it becomes the older one of two. */
const MOST_LINES = 5_000;

const kept = z.looseObject({
  number: z.int().min(1),
  time: z.string(),
  type: z.string(),
  group: z.string().optional(),
});

/** Beside the state file: `understudy.state.json` -> `understudy.events.jsonl`. */
export function eventFileOf(stateFile: string): string {
  return stateFile.replace(/(?:\.state)?\.json$/, ".events.jsonl");
}

/** Events as lines of JSON in a file, and in an older one beside it (`.1`): at least the last 5,000, at most 10,000. */
export class EventFile {
  readonly #path: string;
  readonly #sink: LineSink;
  readonly #atStart: readonly KeptEvent[];
  #lines: number;

  /** Throws where it cannot be opened. */
  constructor(path: string, clock: Clock, onTrouble: (trouble: SinkTrouble) => void) {
    this.#path = path;
    const text = readIfThere(path);
    this.#atStart = [...eventsIn(readIfThere(this.#older)), ...eventsIn(text)];
    this.#lines = text.split("\n").length;
    this.#sink = openLineSink({
      file: path,
      clock,
      flushMs: 0,
      recoveryLine: ({ dropped, code }) =>
        JSON.stringify({ time: isoUtc(clock.wall()), message: "events dropped", dropped, code }),
      onTrouble,
    });
    // What a killed gateway began to write must not spoil the next line.
    if (text !== "" && !text.endsWith("\n")) this.#sink.write("");
  }

  /** The last ones that a gateway before this one has left. */
  last(most: number): readonly KeptEvent[] {
    return this.#atStart.slice(-most);
  }

  append(event: KeptEvent): void {
    if (this.#lines >= MOST_LINES) this.#rotate();
    this.#lines += 1;
    this.#sink.write(JSON.stringify(event));
  }

  async all(): Promise<readonly KeptEvent[]> {
    const texts = await Promise.all(
      [this.#older, this.#path].map((path) => readFile(path, "utf8").catch(() => "")),
    );
    return texts.flatMap(eventsIn);
  }

  /** Resolves when everything is written. */
  close(): Promise<void> {
    return this.#sink.close();
  }

  get #older(): string {
    return `${this.#path}.1`;
  }

  #rotate(): void {
    try {
      renameSync(this.#path, this.#older);
      this.#lines = 0;
    } catch {
      // Then it grows; that it cannot be written is told by what writes it.
    }
    this.#sink.reopen();
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Lines that are none are left out: one that was cut off, or told of dropped ones. */
function eventsIn(text: string): readonly KeptEvent[] {
  return text.split("\n").flatMap((line) => {
    if (line === "") return [];
    try {
      return kept.safeParse(JSON.parse(line)).data ?? [];
    } catch {
      return [];
    }
  });
}
