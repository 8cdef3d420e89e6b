import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App } from "../app/app-process.ts";
import type { Servers } from "./peer.ts";
import { freePort } from "./ports.ts";

/** A folder for everything that a run writes, gone after it. */
export class Workspace implements Disposable {
  readonly folder: string;

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), "understudy-bench-"));
    // nginx's worker is another user where root starts it.
    chmodSync(this.folder, 0o755);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Two apps for the peers to stand before. */
export interface Apps extends AsyncDisposable {
  readonly primary: App;
  readonly backup: App;
  readonly ports: Servers;
}

export async function startApps(folder: string): Promise<Apps> {
  mkdirSync(folder, { recursive: true });
  await using starting = new AsyncDisposableStack();
  const primary = starting.use(new App("primary", await freePort(), folder));
  const backup = starting.use(new App("backup", await freePort(), folder));
  await Promise.all([primary.start(), backup.start()]);
  const running = starting.move();
  return {
    primary,
    backup,
    ports: { primary: primary.port, backup: backup.port },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
