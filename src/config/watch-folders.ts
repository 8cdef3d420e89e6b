import { realpathSync } from "node:fs";
import { dirname } from "node:path";
import { watch } from "chokidar";

/**
 * Calls back at every change of these files (absolute paths) that the system tells of, and of the
 * symbolic links beside them. It watches their folders, as a file that is replaced takes its watch
 * with it. Files and folders need not be there; trouble is not told. Returns its end.
 */
export function watchFolders(files: readonly string[], onSign: () => void): () => Promise<void> {
  const names = new Set(files.flatMap((file) => [file, realPath(file)]));
  const folders = foldersOf(files);
  const watcher = watch([...folders], {
    ignored: (path, stats) =>
      stats !== undefined && !stats.isSymbolicLink() && !names.has(path) && !folders.has(path),
    depth: 0,
    followSymlinks: false,
    ignoreInitial: true,
    atomic: false,
    persistent: false,
  });
  watcher.on("all", onSign);
  // Without a watch left to be had, for example: whoever relies on it looks by himself as well.
  watcher.on("error", () => {});
  return () => watcher.close();
}

/** The folders that hold the files by their names, and those that hold what these lead to. */
function foldersOf(files: readonly string[]): ReadonlySet<string> {
  const folders = files.flatMap((file) => [dirname(file), dirname(realPath(file))]);
  return new Set(folders.flatMap((folder) => [folder, realPath(folder)]));
}

/** The path without symbolic links; as it came where nothing is there. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
