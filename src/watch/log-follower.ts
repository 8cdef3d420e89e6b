import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { LogReader, type Place } from "./log-reader.ts";

/** Looks without a line after which a file that was rotated away is left. */
const PATIENT_LOOKS = 40;

interface Leaving {
  readonly reader: LogReader;
  looks: number;
}

/**
 * Follows a log by its name: through a rotation by rename, where the writer goes on in the old file for a
 * while, through `copytruncate`, and while there is no such file.
 */
export class LogFollower {
  readonly #path: string;
  readonly #onLines: (lines: readonly string[]) => void;
  #current: LogReader | undefined;
  #leaving: readonly Leaving[] = [];

  constructor(path: string, onLines: (lines: readonly string[]) => void) {
    this.#path = path;
    this.#onLines = onLines;
  }

  get isThere(): boolean {
    return this.#current !== undefined;
  }

  /** Of every file that is being read, the current one last. */
  get places(): readonly Place[] {
    return [
      ...this.#leaving.map(({ reader }) => reader.place),
      ...(this.#current === undefined ? [] : [this.#current.place]),
    ];
  }

  /**
   * Goes on at the places where an earlier follower was, in files that have been rotated away as well; without
   * one, at the start or at the end of the file. Rejects where the name is that of a folder or a pipe.
   */
  async begin(places: readonly Place[], from: "start" | "end"): Promise<void> {
    const isFile = await stat(this.#path).then(
      (found) => found.isFile(),
      () => true,
    );
    if (!isFile) throw new Error("is no regular file; what comes through a pipe is read from -");
    const inode = await inodeOf(this.#path);
    for (const place of places) {
      if (place.ino === inode) continue;
      const path = await pathOf(place.ino, this.#path);
      const reader = path && (await LogReader.open(path, "end", [place]).catch(() => undefined));
      if (reader) this.#leaving = [...this.#leaving, { reader, looks: 0 }];
    }
    // Where a place was kept, a file that is not known has come since.
    await this.#open(places.length > 0 ? "start" : from, places);
  }

  /** Reads whatever has been written since; gives whether there was any. */
  async look(): Promise<boolean> {
    let hasRead = await this.#lookAtLeaving();
    if (this.#current !== undefined && (await this.#drain(this.#current))) hasRead = true;
    await this.#followRename();
    return hasRead;
  }

  async close(): Promise<void> {
    const readers = [...this.#leaving.map(({ reader }) => reader), this.#current];
    for (const reader of readers) await reader?.close();
  }

  /** A new file has the name: read it from its start, and the old one until nobody writes to it any more. */
  async #followRename(): Promise<void> {
    const inode = await inodeOf(this.#path);
    if (inode === undefined || inode === this.#current?.ino) return;
    if (this.#current !== undefined) {
      this.#leaving = [...this.#leaving, { reader: this.#current, looks: 0 }];
    }
    this.#current = undefined;
    await this.#open("start", []);
    if (this.#current !== undefined) await this.#drain(this.#current);
  }

  async #open(from: "start" | "end", places: readonly Place[]): Promise<void> {
    // It may be gone again: the next look finds out.
    this.#current = await LogReader.open(this.#path, from, places).catch(() => undefined);
  }

  async #lookAtLeaving(): Promise<boolean> {
    let hasRead = false;
    for (const leaving of this.#leaving) {
      const hasGrown = await this.#drain(leaving.reader);
      leaving.looks = hasGrown ? 0 : leaving.looks + 1;
      hasRead ||= hasGrown;
    }
    const over = this.#leaving.filter(({ looks }) => looks > PATIENT_LOOKS);
    for (const { reader } of over) await reader.close();
    this.#leaving = this.#leaving.filter((leaving) => !over.includes(leaving));
    return hasRead;
  }

  async #drain(reader: LogReader): Promise<boolean> {
    let hasRead = false;
    for (let lines = await reader.read(); lines !== undefined; lines = await reader.read()) {
      hasRead = true;
      this.#onLines(lines);
    }
    return hasRead;
  }
}

async function inodeOf(path: string): Promise<number | undefined> {
  return await stat(path).then(
    ({ ino }) => ino,
    () => undefined,
  );
}

/** `access.log.1` for a file that was `access.log`. */
async function pathOf(inode: number, near: string): Promise<string | undefined> {
  const names = await readdir(dirname(near)).catch(() => []);
  for (const name of names.filter((one) => one.startsWith(basename(near)))) {
    const path = join(dirname(near), name);
    if ((await inodeOf(path)) === inode) return path;
  }
  return undefined;
}
