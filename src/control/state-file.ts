import { readFileSync, realpathSync, renameSync, statSync } from "node:fs";
import { stat } from "node:fs/promises";
import type { Cancel, Clock } from "../clock.ts";
import type { GatewayEvent } from "../events.ts";
import { Serial } from "../process/serial.ts";
import { parseState, stateText } from "./state-schema.ts";
import { NOTHING_SAVED, type SavedState, type StateStore } from "./state-store.ts";
import { type FileMark, removeLeftovers, writeDurably } from "./write-durably.ts";

/** Milliseconds after which what could not be written is tried again. */
const RETRY_MS = 10_000;

const WRITTEN = { ok: true } as const;

export interface StateFileTools {
  readonly clock: Clock;
  readonly tell: (event: GatewayEvent) => void;
}

type Kept = Awaited<ReturnType<StateStore["save"]>>;

/**
 * Orders in a file of their own. There is no lock that a killed gateway could leave behind: whoever writes looks
 * whether the file is still the one that it read or wrote last, and where it is not, leaves it to whom it belongs.
 */
export class StateFile implements StateStore {
  readonly #path: string;
  readonly #tools: StateFileTools;
  readonly #writes = new Serial();
  #saved: SavedState = NOTHING_SAVED;
  /** As far as this gateway knows it; undefined where there is none. */
  #onDisk: { readonly text: string; readonly mark: FileMark } | undefined;
  /** The write that has not begun yet: it will see whatever is saved until then. */
  #next: Promise<Kept> | undefined;
  /** Why the last write failed. */
  #trouble: string | undefined;
  #cancelRetry: Cancel = () => {};
  #isClosed = false;

  /** Reads the file; what cannot be read is set aside. */
  constructor(path: string, tools: StateFileTools) {
    this.#path = followLinks(path);
    this.#tools = tools;
    removeLeftovers(this.#path);
    this.#read();
  }

  get saved(): SavedState {
    return this.#saved;
  }

  save(change: (saved: SavedState) => SavedState): Promise<Kept> {
    this.#saved = change(this.#saved);
    return this.#request();
  }

  /** Resolves when what was saved is written, or cannot be. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelRetry();
    await this.#writes.run(() => Promise.resolve());
  }

  #read(): void {
    try {
      const text = readFileSync(this.#path, "utf8");
      const parsed = parseState(text);
      if (!parsed.ok) return this.#setAside(parsed.reason);
      this.#saved = parsed.saved;
      this.#onDisk = { text, mark: statSync(this.#path, { bigint: true }) };
    } catch (error) {
      if (codeOf(error) !== "ENOENT") this.#setAside(reasonOf(error));
    }
  }

  /** It may be all that is left of somebody's orders. */
  #setAside(reason: string): void {
    const time = new Date(this.#tools.clock.wall()).toISOString().replaceAll(":", "-");
    const aside = `${this.#path}.unreadable-${time}`;
    let where = `it is now ${aside}`;
    try {
      renameSync(this.#path, aside);
    } catch (error) {
      where = `and it cannot be set aside: ${reasonOf(error)}`;
    }
    this.#tools.tell({
      type: "state-unreadable",
      reason: `${this.#path} cannot be used: ${reason}; ${where}`,
    });
  }

  #request(): Promise<Kept> {
    this.#next ??= this.#writes.run(() => {
      this.#next = undefined;
      return this.#write();
    });
    return this.#next;
  }

  async #write(): Promise<Kept> {
    const text = stateText(this.#saved);
    if (text === this.#onDisk?.text || (this.#onDisk === undefined && isNothing(this.#saved))) {
      return WRITTEN;
    }
    this.#cancelRetry();
    try {
      await this.#mustBeOurs();
      this.#onDisk = { text, mark: await writeDurably(this.#path, text) };
    } catch (error) {
      return this.#onTrouble(reasonOf(error));
    }
    if (this.#trouble !== undefined) {
      this.#trouble = undefined;
      this.#tools.tell({ type: "state-written", reason: `${this.#path} is written again` });
    }
    return WRITTEN;
  }

  #onTrouble(why: string): Kept {
    const reason = `${this.#path}: ${why}`;
    if (this.#trouble === undefined) this.#tools.tell({ type: "state-unwritable", reason });
    this.#trouble = reason;
    if (!this.#isClosed) {
      this.#cancelRetry = this.#tools.clock.after(RETRY_MS, () => void this.#request());
    }
    return { ok: false, reason };
  }

  async #mustBeOurs(): Promise<void> {
    const found = await markOf(this.#path);
    if (found === undefined || isSame(found, this.#onDisk?.mark)) return;
    throw new Error("somebody else has written it: does a second gateway use the same file?");
  }
}

/** The file itself, so that a link to it stays. */
function followLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

async function markOf(path: string): Promise<FileMark | undefined> {
  try {
    return await stat(path, { bigint: true });
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function isSame(found: FileMark, known: FileMark | undefined): boolean {
  return found.ino === known?.ino && found.mtimeNs === known.mtimeNs && found.size === known.size;
}

/** A file that would say nothing need not be made. */
function isNothing({ groups, defined, deleted }: SavedState): boolean {
  const entries = [...Object.keys(groups), ...Object.keys(defined), ...deleted];
  return entries.length === 0;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
