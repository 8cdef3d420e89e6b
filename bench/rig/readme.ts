import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./root.ts";

const README = join(ROOT, "bench/README.md");

/** Stands before figures that nobody should quote. */
export const QUICK_NOTE = "**By `--quick`: to see that everything works, not to be quoted.**";

/** Puts a text between the marks `<!-- NAME -->` and `<!-- /NAME -->` of bench/README.md. */
export function writeSection(name: string, text: string): void {
  const readme = readFileSync(README, "utf8");
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [readme.indexOf(open), readme.indexOf(close)];
  if (from === -1 || to === -1) throw new Error(`bench/README.md has no marks ${open} ${close}`);
  const before = readme.slice(0, from + open.length);
  writeFileSync(README, `${before}\n\n${text}\n\n${readme.slice(to)}`);
}
