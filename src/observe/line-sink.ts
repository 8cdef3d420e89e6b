import { closeSync, constants, fstatSync, openSync, write, writeSync } from "node:fs";
import type { Cancel, Clock } from "../clock.ts";

/** Takes lines and writes them in batches; whatever becomes of them, its user never notices. */
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
const RETRY_MS = 100;
const CLOSE_MS = 2_000;
const LAST_TRIES = 100;
const LAST_PAUSE_MS = 10;
const STANDSTILL = new Int32Array(new SharedArrayBuffer(4));
const NOTHING = Buffer.alloc(0);

// pino's own destination is not used: on a full disk or a closed pipe it retries for ever in its
// exit handler, which keeps the process from ending, and it does not count what it drops.
class FileSink implements LineSink {
  readonly #options: SinkOptions;
  readonly #atExit = () => writeAtOnce(this.#fd, this.#rest());
  #fd: number;
  #waiting = "";
  /** What the system has not yet taken of the batch before. */
  #batch = NOTHING;
  #state: "idle" | "timed" | "writing" | "pausing" | "closed" = "idle";
  #trouble: string | undefined;
  #dropped = 0;
  /** The file before a reopen, while a write to it is under way. */
  #retired: number | undefined;
  #cancelPause: Cancel | undefined;
  #closed: (() => void) | undefined;
  #ending: Promise<void> | undefined;

  constructor(options: SinkOptions) {
    this.#options = options;
    this.#fd = openFile(options.file);
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
    this.#state = "writing";
    write(this.#fd, this.#batch, 0, this.#batch.length, null, (error, count) =>
      this.#written(error, count),
    );
  }

  reopen(): void {
    if (this.#state === "closed" || isStandard(this.#options.file)) return;
    try {
      const fresh = openFile(this.#options.file);
      if (this.#state === "writing" && this.#retired === undefined) this.#retired = this.#fd;
      else closeFile(this.#fd);
      this.#fd = fresh;
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
    const length = this.#batch.length + this.#waiting.length;
    if (length === 0) this.#closed?.();
    else if (this.#closed !== undefined || length >= BATCH_CHARS || this.#options.flushMs === 0)
      this.flush();
    else if (this.#state === "idle") this.#pause("timed", this.#options.flushMs);
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

  #written(error: NodeJS.ErrnoException | null, count: number): void {
    const moved = this.#retired !== undefined;
    if (this.#retired !== undefined) closeFile(this.#retired);
    this.#retired = undefined;
    if (this.#state === "closed") {
      closeFile(this.#fd);
      return;
    }
    if (error !== null && !moved) {
      this.#failed(codeOf(error));
      return;
    }
    this.#state = "idle";
    if (error === null) this.#batch = this.#batch.subarray(count);
    if (error === null && this.#waiting.length < MAX_WAITING_CHARS / 2) this.#recover();
    this.#continue();
  }

  #failed(code: string): void {
    if (code !== "EAGAIN") this.#begin(code);
    if (this.#closed === undefined) {
      this.#pause("pausing", RETRY_MS);
      return;
    }
    this.#state = "idle";
    if (code === "EAGAIN") writeAtOnce(this.#fd, this.#rest());
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

  /** A batch that is being written is left to the system, or its lines would stand there twice. */
  #rest(): Buffer {
    const waiting = Buffer.from(this.#waiting);
    return this.#state === "writing" ? waiting : Buffer.concat([this.#batch, waiting]);
  }

  #release(): void {
    process.off("exit", this.#atExit);
    this.#cancelPause?.();
    if (this.#state !== "writing") closeFile(this.#fd);
    this.#waiting = "";
    this.#batch = NOTHING;
    this.#state = "closed";
  }
}

function openFile(file: string): number {
  if (file === "stdout") return unblocked(1);
  if (file === "stderr") return unblocked(2);
  return openSync(file, "a");
}

// A reader that stalls would hold a thread, and in the end the exit, of a process that writes to a
// blocking pipe. Opened anew the pipe has a mode of its own; where that is not allowed it blocks.
function unblocked(fd: number): number {
  try {
    if (!fstatSync(fd).isFIFO()) return fd;
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return fd;
  }
}

function isStandard(file: string): boolean {
  return file === "stdout" || file === "stderr";
}

function closeFile(fd: number): void {
  if (fd <= 2) return;
  try {
    closeSync(fd);
  } catch {
    // Nothing can be done about it, and every line has been handed over.
  }
}

/**
 * The last resort of a process that ends: gives a slow reader up to a second, and stops at any
 * other refusal. Nothing asynchronous would run any more, so it waits by standing still.
 */
function writeAtOnce(fd: number, bytes: Buffer): void {
  let rest = bytes;
  for (let patience = LAST_TRIES; rest.length > 0 && patience > 0;) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      if (codeOf(error) !== "EAGAIN") return;
      patience--;
      Atomics.wait(STANDSTILL, 0, 0, LAST_PAUSE_MS);
    }
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "UNKNOWN";
}
