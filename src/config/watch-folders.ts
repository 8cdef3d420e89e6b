import { readlinkSync } from "node:fs";
import { dirname, join, parse, resolve } from "node:path";
import { watch } from "chokidar";

/**
 * Calls back at every change of these files (absolute paths) that the system tells of, and of the
 * symbolic links on the way to them. It watches their folders, as a file that is replaced takes its
 * watch with it. Files and folders need not be there; trouble is not told. Returns its end.
 */
export function watchFolders(files: readonly string[], onSign: () => void): () => Promise<void> {
  const names = new Set(files.flatMap((file) => trailOf(file)));
  const folders = new Set(Array.from(names, (name) => dirname(name)));
  const watcher = watch([...folders], {
    // By the name alone: a log beside the file changes often, and must not cost a look each time.
    ignored: (path) => !names.has(path) && !folders.has(path),
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

/** As many symbolic links as Linux follows. */
const MOST_LINKS = 40;

/** Every symbolic link on the way to a file, and at the end the file itself. */
function trailOf(path: string, links = MOST_LINKS): readonly string[] {
  const { root } = parse(path);
  const steps = path.slice(root.length).split("/");
  let at = root;
  for (const [index, step] of steps.entries()) {
    at = join(at, step);
    const target = targetOf(at);
    if (target === undefined || links === 0) continue;
    const rest = resolve(dirname(at), target, ...steps.slice(index + 1));
    return [at, ...trailOf(rest, links - 1)];
  }
  return [path];
}

function targetOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
