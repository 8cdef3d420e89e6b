import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { GroupState } from "../failover/group-state.ts";
import type { Groups } from "../failover/groups.ts";
import { failoverStatus } from "./group-view.ts";

export interface StatusFilesTools {
  readonly groups: Groups;
  /** Where a relative folder begins. */
  readonly base: string;
  /** Told once, until it works again. */
  readonly onTrouble: (reason: string) => void;
}

/**
 * Keeps `FOLDER/GROUP/POOL` with `online` or `offline` current, for apps that mount the folder: each file is replaced as a
 * whole. That of a pool that is gone goes too; all stay as they are when the gateway stops, which may be for a moment.
 */
export class StatusFiles {
  readonly #tools: StatusFilesTools;
  readonly #unsubscribe: () => void;
  /** Undefined: nobody wants them. */
  #folder: string | undefined;
  /** What is to stand in the files by their paths. */
  #due = new Map<string, string>();
  #written: ReadonlyMap<string, string> = new Map();
  #writing: Promise<void> | undefined;
  #isInTrouble = false;

  constructor(tools: StatusFilesTools) {
    this.#tools = tools;
    this.#unsubscribe = tools.groups.subscribe(() => this.#look());
  }

  /** The groups were loaded, or the folder is another one. */
  follow(folder: string | undefined): void {
    this.#folder = folder && resolve(this.#tools.base, folder);
    this.#look();
  }

  /** Resolves once everything is written. */
  async stop(): Promise<void> {
    this.#unsubscribe();
    await this.#writing;
  }

  #look(): void {
    const folder = this.#folder;
    const groups = folder === undefined ? [] : Array.from(this.#tools.groups);
    this.#due = new Map(groups.flatMap((group) => filesOf(folder ?? "", group)));
    if (isSame(this.#due, this.#written)) return;
    this.#writing ??= this.#write();
  }

  /** Until nothing is left to do, or something cannot be done. */
  async #write(): Promise<void> {
    while (!isSame(this.#due, this.#written)) {
      const due = this.#due;
      try {
        await writeChanges(this.#written, due);
        this.#written = due;
        this.#isInTrouble = false;
      } catch (error) {
        if (!this.#isInTrouble) this.#tools.onTrouble(String(error));
        this.#isInTrouble = true;
        // The next change of any group tries again.
        if (this.#due === due) break;
      }
    }
    this.#writing = undefined;
  }
}

function filesOf(folder: string, group: GroupState): readonly (readonly [string, string])[] {
  const { name, pools } = group.spec;
  return pools.map((pool) => [join(folder, name, pool.name), failoverStatus(group, pool.name)]);
}

function isSame(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  return one.size === other.size && [...one].every(([path, word]) => other.get(path) === word);
}

/** The one that went offline first: two that say online would be worse than none. */
async function writeChanges(
  before: ReadonlyMap<string, string>,
  due: ReadonlyMap<string, string>,
): Promise<void> {
  for (const path of before.keys()) if (!due.has(path)) await rm(path, { force: true });
  const changed = [...due].filter(([path, word]) => before.get(path) !== word);
  const [offline, online] = [
    changed.filter(([, word]) => word !== "online"),
    changed.filter(([, word]) => word === "online"),
  ];
  for (const [path, word] of [...offline, ...online]) await replace(path, `${word}\n`);
}

async function replace(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const beside = `${path}.tmp`;
  await writeFile(beside, text, { mode: 0o644 });
  await rename(beside, path);
}
