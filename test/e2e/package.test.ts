import { execFileSync } from "node:child_process";
import { existsSync, realpathSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { startProgram } from "../support/program.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const MAIN = join(ROOT, "dist/main.js");
/** Loaded first, it makes the Node that runs take itself for an old one. */
const PRETEND =
  "data:text/javascript,Object.defineProperty(process,'versions',{value:{node:'22.1.0'}})";

beforeAll(() => {
  execFileSync("npm", ["run", "build"], { cwd: ROOT, stdio: "pipe" });
}, 60_000);

test("the built program runs by its own name", async () => {
  expect(statSync(MAIN).mode & 0o777).toBe(0o755);
  const config = join(ROOT, "config/understudy.yaml");

  expect(await outcome(process.execPath, [MAIN, "check", "--config", config])).toMatchObject({
    exit: { code: 0, signal: null },
    stdout: expect.stringContaining("blue (primary): 127.0.0.1:3001"),
    stderr: "",
  });
});

const oldNodes = [
  [process.execPath, ["--import", PRETEND], "22.1.0"] as const,
  // A real one where this machine has one: only that shows that it can read the file at all.
  ...nodesOnPath().flatMap(({ path, version }) =>
    Number.parseInt(version, 10) < 24 ? [[path, [], version] as const] : [],
  ),
];

test.each(oldNodes)("%s %j is told that %s is too old", async (node, flags, version) => {
  expect(await outcome(node, [...flags, MAIN, "run"])).toEqual({
    exit: { code: 2, signal: null },
    stdout: "",
    stderr: `understudy needs Node 24 or newer; this is ${version} (${node})\n`,
  });
});

async function outcome(command: string, args: readonly string[]) {
  await using program = startProgram(command, args);
  const exit = await program.exit();
  return { exit, stdout: program.stdout, stderr: program.stderr };
}

/** The Nodes of this machine, without the one that this project brings. */
function nodesOnPath(): readonly { readonly path: string; readonly version: string }[] {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const paths = folders
    .filter((folder) => !folder.includes("node_modules"))
    .map((folder) => join(folder, "node"))
    .filter((path) => existsSync(path))
    .map((path) => realpathSync(path));
  return [...new Set(paths)].map((path) => ({ path, version: versionOf(path) }));
}

function versionOf(path: string): string {
  return execFileSync(path, ["-p", "process.versions.node"], { encoding: "utf8" }).trim();
}
