import { readFileSync } from "node:fs";
import { removeLeftovers, writeDurably } from "./write-durably.ts";

export interface KeptFileOptions<T> {
  /** Without a path nothing is kept. */
  readonly path: string | undefined;
  /** Throws where the text's JSON is not what was saved. */
  readonly parse: (json: unknown) => T;
  /** What there is where there is no file. */
  readonly nothing: T;
  readonly onTrouble: (reason: string) => void;
}

/** Something of the gateway's own that outlives a restart: JSON in a file beside the state file. */
export class KeptFile<T extends object> {
  readonly #options: KeptFileOptions<T>;
  #next: T | undefined;
  #writing: Promise<void> | undefined;
  #isInTrouble = false;

  constructor(options: KeptFileOptions<T>) {
    this.#options = options;
  }

  /** `nothing` where there is no file, or none that can be used: the next save replaces it. */
  load(): T {
    const { path, parse, nothing, onTrouble } = this.#options;
    if (path === undefined) return nothing;
    removeLeftovers(path);
    try {
      return parse(JSON.parse(readFileSync(path, "utf8")));
    } catch (error) {
      const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
      if (!isMissing) onTrouble(`${path} cannot be used: ${String(error)}`);
      return nothing;
    }
  }

  save(kept: T): void {
    const { path } = this.#options;
    if (path === undefined) return;
    this.#next = kept;
    this.#writing ??= this.#write(path);
  }

  /** Resolves once the last is written. */
  async close(): Promise<void> {
    await this.#writing;
  }

  async #write(path: string): Promise<void> {
    while (this.#next !== undefined) {
      const text = JSON.stringify({ version: 1, ...this.#next });
      this.#next = undefined;
      try {
        await writeDurably(path, text);
        this.#isInTrouble = false;
      } catch (error) {
        if (!this.#isInTrouble) {
          this.#options.onTrouble(`${path} cannot be written: ${String(error)}`);
        }
        this.#isInTrouble = true;
      }
    }
    this.#writing = undefined;
  }
}
