import { write, writeSync } from "node:fs";
import type { Cancel, Clock } from "../clock.ts";
import {
  closeLogFile,
  codeOf,
  type LogFile,
  openLogFile,
  pieceLength,
  restAfter,
  writeAtOnce,
} from "./log-file.ts";

/**
 * Takes lines and writes them in batches; whatever becomes of them, its user never notices. Several
 * processes, and several sinks of one, may write to the same file or pipe: lines stay whole.
 */
export interface LineSink {
  /** Takes one line without its end; dropped and counted while too many wait to be written. */
  write(line: string): void;
  /** Writes what is waiting now instead of with the next batch. */
  flush(): void;
  /** Opens the file again by its name (after a rotation); keeps the old one where that fails. */
  reopen(): void;
  /** Writes what is waiting, for at most 2 s, and closes; later lines are dropped. */
  close(): Promise<void>;
}

/** What stands in the way of a log, and how many lines that has cost so far. */
export interface SinkTrouble {
  readonly file: string;
  /** The system's word for it: `ENOSPC`, `EPIPE`, `EACCES`; `EAGAIN` for a reader that is slow. */
  readonly code: string;
  readonly dropped: number;
}

export interface SinkOptions {
  /** `stdout`, `stderr` or a path; lines are appended. */
  readonly file: string;
  readonly clock: Clock;
  /** The longest that a line waits for company, in milliseconds; 0 writes each line at once. */
  readonly flushMs: number;
  /** The line that tells, once the log can be written again, what is missing from it. */
  readonly recoveryLine: (trouble: SinkTrouble) => string;
  /** Called when trouble begins, not for every failed write. */
  readonly onTrouble?: ((trouble: SinkTrouble) => void) | undefined;
}

/** Throws where the file cannot be opened; from then on trouble is reported, never thrown. */
export function openLineSink(options: SinkOptions): LineSink {
  return new FileSink(options);
}

const BATCH_CHARS = 64 * 1024;
const MAX_WAITING_CHARS = 4 * 1024 * 1024;
/** Milliseconds until a write that was refused is tried again. */
const RETRY_MS = 100;
/** The same where a pipe is full: its reader mostly is at it. Doubled until it takes something. */
const FULL_PIPE_MS = 1;
const CLOSE_MS = 2_000;
const NOTHING = Buffer.alloc(0);

// pino's own destination is not used: on a full disk or a closed pipe it retries for ever in its
// exit handler, which keeps the process from ending, and it does not count what it drops.
class FileSink implements LineSink {
  readonly #options: SinkOptions;
  readonly #atExit = () => writeAtOnce(this.#file, this.#rest());
  #file: LogFile;
  #waiting = "";
  /** What the system has not yet taken of the batch before. */
  #batch: Buffer = NOTHING;
  /** Bytes of it that are being written. */
  #handed = 0;
  #state: "idle" | "timed" | "writing" | "pausing" | "closed" = "idle";
  #fullPipeMs = FULL_PIPE_MS;
  #trouble: string | undefined;
  #dropped = 0;
  /** The file before a reopen, while a write to it is under way. */
  #retired: LogFile | undefined;
  #cancelPause: Cancel | undefined;
  #closed: (() => void) | undefined;
  #ending: Promise<void> | undefined;

  constructor(options: SinkOptions) {
    this.#options = options;
    this.#file = openLogFile(options.file);
    process.on("exit", this.#atExit);
  }

  write(line: string): void {
    if (this.#state === "closed") return;
    if (this.#waiting.length + line.length > MAX_WAITING_CHARS) {
      this.#dropped++;
      this.#begin("EAGAIN");
      return;
    }
    this.#waiting += `${line}\n`;
    this.#continue();
  }

  flush(): void {
    if (this.#isBusy()) return;
    if (this.#batch.length === 0) {
      this.#batch = Buffer.from(this.#waiting);
      this.#waiting = "";
    }
    if (this.#batch.length === 0) return;
    if (this.#file.isUnblocked) return this.#writeNow();
    this.#state = "writing";
    this.#handed = pieceLength(this.#file, this.#batch);
    write(this.#file.fd, this.#batch, 0, this.#handed, null, (error, count) =>
      this.#written(error, count),
    );
  }

  /** 64 KB in pieces cost as much as in one write by another thread: 60 us, where each such has 30. */
  #writeNow(): void {
    const bytes = this.#batch;
    let done = 0;
    let refusal: unknown;
    try {
      while (done < bytes.length) {
        done += writeSync(this.#file.fd, bytes, done, pieceLength(this.#file, bytes, done));
      }
    } catch (error) {
      refusal = error;
    }
    this.#written(refusal, done);
  }

  reopen(): void {
    if (this.#state === "closed" || isStandard(this.#options.file)) return;
    try {
      const fresh = openLogFile(this.#options.file);
      if (this.#state === "writing" && this.#retired === undefined) this.#retired = this.#file;
      else closeLogFile(this.#file);
      this.#file = fresh;
    } catch (error) {
      this.#begin(codeOf(error));
    }
  }

  close(): Promise<void> {
    this.#ending ??= new Promise((resolve) => this.#end(resolve));
    return this.#ending;
  }

  #end(resolve: () => void): void {
    const cancel = this.#options.clock.after(CLOSE_MS, () => this.#closed?.());
    this.#closed = () => {
      cancel();
      this.#closed = undefined;
      this.#release();
      resolve();
    };
    // A pause is cut short: its timer alone would not keep the process alive.
    if (this.#state !== "writing") this.#state = "idle";
    this.#continue();
  }

  #continue(): void {
    if (this.#isBusy()) return;
    const { length } = this.#waiting;
    const isBegun = this.#batch.length > 0;
    if (length === 0 && !isBegun) this.#closed?.();
    else if (isBegun || this.#closed !== undefined || length >= this.#batchChars) this.flush();
    else if (this.#state === "idle") this.#pause("timed", this.#options.flushMs);
  }

  get #batchChars(): number {
    return this.#options.flushMs === 0 ? 0 : BATCH_CHARS;
  }

  #isBusy(): boolean {
    return this.#state === "writing" || this.#state === "pausing" || this.#state === "closed";
  }

  #pause(state: "timed" | "pausing", delayMs: number): void {
    this.#state = state;
    this.#cancelPause = this.#options.clock.after(delayMs, () => {
      if (this.#state !== state) return;
      this.#state = "idle";
      this.flush();
    });
  }

  /** `refusal`: the system's error, undefined or null where there was none. */
  #written(refusal: unknown, count: number): void {
    const moved = this.#retired !== undefined;
    if (this.#retired !== undefined) closeLogFile(this.#retired);
    this.#retired = undefined;
    if (this.#state === "closed") return closeLogFile(this.#file);
    const isTaken = refusal === undefined || refusal === null;
    this.#batch = restAfter(this.#file, this.#batch, count);
    if (count > 0) this.#fullPipeMs = FULL_PIPE_MS;
    if (!isTaken && !moved) return this.#failed(codeOf(refusal));
    this.#state = "idle";
    if (isTaken && this.#waiting.length < MAX_WAITING_CHARS / 2) this.#recover();
    this.#continue();
  }

  #failed(code: string): void {
    if (code !== "EAGAIN") this.#begin(code);
    if (this.#closed === undefined) {
      this.#pause("pausing", code === "EAGAIN" ? this.#fullPipeMs : RETRY_MS);
      this.#fullPipeMs = Math.min(2 * this.#fullPipeMs, RETRY_MS);
      return;
    }
    this.#state = "idle";
    if (code === "EAGAIN") writeAtOnce(this.#file, this.#rest());
    this.#closed();
  }

  #begin(code: string): void {
    if (this.#trouble === code || (this.#trouble !== undefined && code === "EAGAIN")) return;
    this.#trouble = code;
    this.#options.onTrouble?.({ file: this.#options.file, code, dropped: this.#dropped });
  }

  #recover(): void {
    const code = this.#trouble;
    this.#trouble = undefined;
    if (code === undefined || this.#dropped === 0) return;
    const trouble = { file: this.#options.file, code, dropped: this.#dropped };
    this.#dropped = 0;
    this.#waiting += `${this.#options.recoveryLine(trouble)}\n`;
  }

  /** What is being written is left to the system, or its lines would stand there twice. */
  #rest(): Buffer {
    const left = this.#batch.subarray(this.#state === "writing" ? this.#handed : 0);
    return Buffer.concat([left, Buffer.from(this.#waiting)]);
  }

  #release(): void {
    process.off("exit", this.#atExit);
    this.#cancelPause?.();
    if (this.#state !== "writing") closeLogFile(this.#file);
    this.#waiting = "";
    this.#batch = NOTHING;
    this.#state = "closed";
  }
}

function isStandard(file: string): boolean {
  return file === "stdout" || file === "stderr";
}
