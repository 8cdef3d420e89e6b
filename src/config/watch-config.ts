import { readFileSync, statSync } from "node:fs";
import type { Cancel, Clock } from "../clock.ts";
import type { FileRead } from "./read-config.ts";
import { watchFolders } from "./watch-folders.ts";

export interface WatchSettings {
  /** Some file differs from what was read of it last. Told once for each difference. */
  readonly onChange: () => void;
  readonly clock: Clock;
  /** Tells that these files may have changed; returns its end. Default: `watchFolders()`. */
  readonly watchFiles?: WatchFiles;
}

type WatchFiles = (files: readonly string[], onSign: () => void) => () => Promise<void>;

export interface ConfigWatch {
  /** Watches these files instead of those before. What differs from what was read is a change. */
  replace(files: readonly FileRead[]): void;
  /** Ends it: nothing is told from now on. Resolves when nothing is watched any more. */
  stop(): Promise<void>;
}

/** How often the files are looked at: not every system tells of every change (bind mounts, NFS). */
const LOOK_EVERY_MS = 150;
/** Editors write in steps: a change is read when there was no sign of one for so long. */
const QUIET_MS = 50;
/** And so long after its first sign at the latest; a file that is gone or empty gets as much. */
const LONGEST_MS = 300;

/**
 * Watches the files of a configuration, by what the system tells and by looking at them. A change is
 * told when their texts differ from those that were read last, at most 200 ms after the write; a
 * file that is gone, cannot be read or is empty 300 ms after the first sign. Never throws, and does
 * not keep the process alive.
 */
export function watchConfig(settings: WatchSettings): ConfigWatch {
  return new Watch(settings);
}

class Watch implements ConfigWatch {
  readonly #clock: Clock;
  readonly #onChange: () => void;
  readonly #watchFiles: WatchFiles;
  #known: readonly FileRead[] = [];
  /** The stamps of the files at the last look. */
  #stamps = "";
  /** When the change that is on its way is told at the latest. */
  #latest: number | undefined;
  #cancelLook: Cancel | undefined;
  #cancelSettle: Cancel | undefined;
  #endSigns: (() => Promise<void>) | undefined;
  /** Watches that were ended and are not gone yet. */
  #ending: Promise<unknown> = Promise.resolve();
  #isStopped = false;

  constructor({ onChange, clock, watchFiles = watchFolders }: WatchSettings) {
    this.#clock = clock;
    this.#onChange = onChange;
    this.#watchFiles = watchFiles;
  }

  replace(files: readonly FileRead[]): void {
    if (this.#isStopped) return;
    this.#known = files;
    // They may have changed since they were read: the next look has to read them.
    this.#stamps = "";
    this.#endWatch();
    const paths = files.map(({ path }) => path);
    this.#endSigns = this.#watchFiles(paths, () => this.#sign());
    this.#cancelLook ??= this.#clock.after(LOOK_EVERY_MS, () => this.#look());
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelLook?.();
    this.#cancelSettle?.();
    this.#endWatch();
    await this.#ending;
  }

  #endWatch(): void {
    this.#ending = Promise.allSettled([this.#ending, this.#endSigns?.()]);
    this.#endSigns = undefined;
  }

  #look(): void {
    this.#cancelLook = this.#clock.after(LOOK_EVERY_MS, () => this.#look());
    if (this.#haveMoved()) this.#await();
  }

  #sign(): void {
    this.#haveMoved();
    this.#await();
  }

  #haveMoved(): boolean {
    const before = this.#stamps;
    this.#stamps = this.#known.map(({ path }) => stampOf(path)).join();
    return this.#stamps !== before;
  }

  #await(): void {
    this.#latest ??= this.#clock.now() + LONGEST_MS;
    this.#wait(this.#latest);
  }

  #wait(latest: number): void {
    const delay = Math.min(QUIET_MS, latest - this.#clock.now());
    this.#cancelSettle?.();
    this.#cancelSettle = this.#clock.after(Math.max(0, delay), () => this.#settle(latest));
  }

  #settle(latest: number): void {
    const mayWait = this.#clock.now() < latest;
    if (this.#haveMoved() && mayWait) return this.#wait(latest);
    const found = this.#known.map(readAgain);
    const changed = found.filter(({ text }, n) => text !== this.#known[n]?.text);
    if (changed.some(isEmpty) && mayWait) return this.#wait(latest);
    this.#latest = undefined;
    this.#known = found;
    if (changed.length > 0) this.#onChange();
  }
}

/** What changes with the file, links followed; the code of the error where it cannot be had. */
function stampOf(path: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
  } catch (error) {
    return String(error);
  }
}

function readAgain(file: FileRead): FileRead {
  const { path } = file;
  try {
    const stats = statSync(path);
    // A pipe gives its text once only.
    if (!stats.isFile() && !stats.isDirectory()) return file;
    return { path, text: readFileSync(path, "utf8") };
  } catch {
    return { path, text: undefined };
  }
}

function isEmpty({ text }: FileRead): boolean {
  return text === undefined || text === "";
}
