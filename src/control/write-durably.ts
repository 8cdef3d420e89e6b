import { readdirSync, rmSync } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** What tells one writing of a file from another. */
export interface FileMark {
  readonly ino: bigint;
  readonly mtimeNs: bigint;
  readonly size: bigint;
}

let count = 0;

/**
 * Replaces a file as a whole: whoever reads it, and whenever the machine or this process ends, finds
 * all of the old text or all of the new one. Resolves once the new one would outlive a power cut;
 * rejects with Node's error, the old file as it was.
 */
export async function writeDurably(path: string, text: string): Promise<FileMark> {
  const folder = dirname(path);
  const beside = join(folder, `.${basename(path)}.${process.pid}.${++count}.tmp`);
  try {
    const mark = await writeNew(beside, text);
    await rename(beside, path);
    await syncFolder(folder);
    return mark;
  } catch (error) {
    await rm(beside, { force: true }).catch(() => {});
    throw error;
  }
}

/** Removes what a process left beside the file that was killed while it wrote. */
export function removeLeftovers(path: string): void {
  const folder = dirname(path);
  const begin = `.${basename(path)}.`;
  try {
    const left = readdirSync(folder).filter(
      (name) => name.startsWith(begin) && /^\d+\.\d+\.tmp$/.test(name.slice(begin.length)),
    );
    for (const name of left) rmSync(join(folder, name), { force: true });
  } catch {
    // They hurt nobody: whoever cannot remove them cannot write either, which is told there.
  }
}

async function writeNew(path: string, text: string): Promise<FileMark> {
  // Orders may hold what a group's definition keeps secret.
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
    return await file.stat({ bigint: true });
  } finally {
    await file.close();
  }
}

/** Without it a power cut can take the new name back. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await syncWhereItCan(handle);
  } finally {
    await handle.close();
  }
}

/** Some network file systems know no such thing for folders; they keep names at once. */
async function syncWhereItCan(handle: FileHandle): Promise<void> {
  try {
    await handle.sync();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code !== "EINVAL" && code !== "ENOTSUP" && code !== "EPERM") throw error;
  }
}
