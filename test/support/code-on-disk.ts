import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { MAIN } from "./gateway-program.ts";

/** What a worker that starts from the code on the disk does. */
export type Deed = "serves" | "ends" | "hangs";

const DEEDS: Readonly<Record<Deed, string>> = {
  serves: `await import(${JSON.stringify(pathToFileURL(MAIN).href)})`,
  ends: "process.exit(3)",
  hangs: "setInterval(() => {}, 1_000)",
};

/** The command's code in a file of its own, which can be replaced; it counts the workers started. */
export class CodeOnDisk implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "understudy-code-"));

  constructor() {
    this.replace("serves");
  }

  get main(): string {
    return join(this.#folder, "main.mjs");
  }

  /** How many workers were started so far. */
  get starts(): number {
    return existsSync(this.#startsFile) ? readFileSync(this.#startsFile, "utf8").length : 0;
  }

  replace(deed: Deed): void {
    const count = `appendFileSync(${JSON.stringify(this.#startsFile)}, ".")`;
    const lines = [
      'import { appendFileSync } from "node:fs";',
      `const isWorker = process.argv[2] === "worker";`,
      `if (isWorker) ${count};`,
      `if (isWorker) ${DEEDS[deed]}; else ${DEEDS.serves};`,
    ];
    writeFileSync(this.main, lines.join("\n"));
  }

  get #startsFile(): string {
    return join(this.#folder, "starts");
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }
}
