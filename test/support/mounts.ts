import { spawnSync } from "node:child_process";

/** Whether this user may mount; in most containers not even root may. */
export function mayMount(folder: string): boolean {
  if (!run("mount", "-t", "tmpfs", "-o", "size=64k", "understudy-test", folder)) return false;
  unmount(folder);
  return true;
}

/** A file at the place of another, as a container gets it by `--volume FILE:FILE`. */
export function bindMount(file: string, at: string): void {
  if (!run("mount", "--bind", file, at)) throw new Error(`cannot mount ${file} at ${at}`);
}

/** A disk of so many kilobytes at a folder. */
export function mountSmallDisk(folder: string, kilobytes: number): void {
  const options = ["-t", "tmpfs", "-o", `size=${kilobytes}k`];
  if (!run("mount", ...options, "understudy-test", folder)) throw new Error("cannot mount a disk");
}

/** Whoever still uses it keeps it until he is done. */
export function unmount(at: string): void {
  run("umount", "--lazy", at);
}

function run(command: string, ...args: readonly string[]): boolean {
  return spawnSync(command, args).status === 0;
}
