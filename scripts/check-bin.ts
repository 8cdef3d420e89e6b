/**
 * Makes the built entry file a program: it must stand where package.json's `bin` says and begin with
 * its `#!` line; tsc does not set the mode that lets it be run by its name.
 */
import { chmodSync, readFileSync } from "node:fs";
import { z } from "zod";

const root = new URL("../", import.meta.url);
const MANIFEST = z.object({ bin: z.record(z.string(), z.string()) });
const { bin } = MANIFEST.parse(JSON.parse(readFileSync(new URL("package.json", root), "utf8")));

for (const path of Object.values(bin)) {
  const file = new URL(path, root);
  const firstLine = readFileSync(file, "utf8").split("\n", 1)[0];
  if (firstLine !== "#!/usr/bin/env node")
    throw new Error(`${path} begins with ${JSON.stringify(firstLine)}`);
  chmodSync(file, 0o755);
}
