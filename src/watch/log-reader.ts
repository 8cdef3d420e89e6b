import { type FileHandle, open } from "node:fs/promises";

/** Where in which file a reader was. */
export interface Place {
  readonly ino: number;
  /** How the file begins: an inode is used again once its file is gone. */
  readonly head: string;
  /** Bytes that are read and done with. */
  readonly offset: number;
}

const CHUNK_BYTES = 64 * 1024;
/** What goes on longer without a line's end is no line. */
const LONGEST_LINE = 64 * 1024;
const HEAD_BYTES = 64;
const LINE_FEED = 0x0a;

/** Whole lines of one open file, whatever its name is by now. */
export class LogReader {
  readonly #handle: FileHandle;
  readonly ino: number;
  #head: string;
  #offset: number;
  /** The beginning of a line whose end is not written yet. */
  #rest: Buffer = Buffer.alloc(0);
  #isSkipping = false;

  private constructor(handle: FileHandle, ino: number, head: string, offset: number) {
    this.#handle = handle;
    this.ino = ino;
    this.#head = head;
    this.#offset = offset;
  }

  /** Begins at the place, where that is of this file; else at its end or at its start. Rejects with Node's error. */
  static async open(
    path: string,
    from: "start" | "end",
    places: readonly Place[] = [],
  ): Promise<LogReader> {
    const handle = await open(path, "r");
    try {
      const { ino, size } = await handle.stat();
      const head = await headOf(handle);
      const known = places.find((place) => place.ino === ino && head.startsWith(place.head));
      // Shorter than it was: it was cut, and begins anew.
      const offset =
        known === undefined ? (from === "end" ? size : 0) : known.offset > size ? 0 : known.offset;
      return new LogReader(handle, ino, head, offset);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  get place(): Place {
    return { ino: this.ino, head: this.#head, offset: this.#offset - this.#rest.length };
  }

  /** The lines in what was written since, as much as is read at once; undefined where nothing was. */
  async read(): Promise<readonly string[] | undefined> {
    const { size } = await this.#handle.stat();
    if (size === this.#offset) return undefined;
    const head = await headOf(this.#handle);
    // `copytruncate` has cut it, and it may have grown again since.
    if (size < this.#offset || !head.startsWith(this.#head)) this.#beginAnew();
    this.#head = head;
    const chunk = Buffer.alloc(CHUNK_BYTES);
    const { bytesRead } = await this.#handle.read(chunk, 0, CHUNK_BYTES, this.#offset);
    this.#offset += bytesRead;
    return bytesRead === 0 ? undefined : this.#linesIn(chunk.subarray(0, bytesRead));
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  #beginAnew(): void {
    this.#offset = 0;
    this.#rest = Buffer.alloc(0);
    this.#isSkipping = false;
  }

  #linesIn(chunk: Buffer): readonly string[] {
    const lines: string[] = [];
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
      const bytes = chunk.subarray(from, end);
      const line = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
      if (!this.#isSkipping) lines.push(line.toString("utf8").replace(/\r$/, ""));
      this.#rest = Buffer.alloc(0);
      this.#isSkipping = false;
      from = end + 1;
    }
    if (!this.#isSkipping) this.#rest = Buffer.concat([this.#rest, chunk.subarray(from)]);
    if (this.#rest.length > LONGEST_LINE) {
      this.#rest = Buffer.alloc(0);
      this.#isSkipping = true;
    }
    return lines;
  }
}

async function headOf(handle: FileHandle): Promise<string> {
  const bytes = Buffer.alloc(HEAD_BYTES);
  const { bytesRead } = await handle.read(bytes, 0, HEAD_BYTES, 0);
  return bytes.toString("latin1", 0, bytesRead);
}
