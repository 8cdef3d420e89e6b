import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import { readProjectFile } from "../support/source-files.ts";

const ROOT = `${import.meta.dirname}/../..`;
const run = promisify(execFile);
/** The rig as its readers start it, ports and all, under another name. */
const ENV = { ...process.env, COMPOSE_PROJECT_NAME: "understudy-test-readme" };

/** What a section of the runbook is about is made true before its commands run. */
const TROUBLES: Readonly<Record<string, string>> = {
  "The primary is down": "docker compose kill app_blue",
  "The standby is dead": "docker compose kill app_green",
  // Workers tell what they have counted twice a second.
  "The error rate is high":
    "docker compose up --detach --wait app_green; curl localhost:8080/version; sleep 1",
  "Nothing answers": "docker compose kill app_blue app_green",
};

/** Commands that cannot run here, and why. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  "docker compose --profile monitoring up --detach":
    "its images have to be pulled; `npm run test:monitoring` has a real Prometheus",
};

/** Refused while what it asks for is dead: that is what the section shows. */
const REFUSED_IN: Readonly<Record<string, string>> = {
  "The standby is dead": "docker compose exec gateway understudy switch app green --dry-run",
  "Nothing answers": "docker compose exec gateway understudy healthcheck && echo ready",
};

const text = readProjectFile("docker/README.md");

afterAll(async () => {
  await shell("docker compose --profile debug --profile alerts down --volumes --timeout 2");
}, 60_000);

describe("docker/README.md", () => {
  test.each(sections())(
    "$title: each command does what is said of it",
    async ({ title, blocks, inline }) => {
      const trouble = TROUBLES[title];
      if (trouble !== undefined) await shell(trouble);
      for (const block of blocks) await runBlock(title, block);
      for (const command of inline)
        expect(await shell(command), command).toMatchObject({ code: 0 });
    },
    180_000,
  );

  test("leaves nothing out that is not there any more", () => {
    for (const command of [...Object.keys(LEFT_OUT), ...Object.values(REFUSED_IN)]) {
      expect(text).toContain(command);
    }
    expect(sections().map(({ title }) => title)).toEqual(
      expect.arrayContaining([...Object.keys(TROUBLES), ...Object.keys(REFUSED_IN)]),
    );
  });
});

/** Line by line; functions that it defines are there for the lines behind them. */
async function runBlock(title: string, block: string): Promise<void> {
  let functions = "";
  for (const line of block.split("\n")) {
    const [, command = "", expected] = /^(.*?)(?:\s{2,}# (.*))?$/.exec(line) ?? [];
    if (command in LEFT_OUT || command === "") continue;
    if (command.includes("() {")) {
      functions += `${command}\n`;
      continue;
    }
    const { code, output } = await shell(`${functions}${command}`);
    expect(
      [0, ...(REFUSED_IN[title] === command ? [1, 3] : [])],
      `${command}\n${output}`,
    ).toContain(code);
    // `{"pool":"blue", ...}`: how the answer begins.
    const [, begin] = /^(\{.*?), \.\.\.\}$/.exec(expected ?? "") ?? [];
    if (begin !== undefined) expect(output, command).toContain(begin);
  }
}

async function shell(command: string): Promise<{ code: number; output: string }> {
  const options = { cwd: ROOT, env: ENV, maxBuffer: 64 * 1024 * 1024 };
  try {
    const { stdout, stderr } = await run("bash", ["-o", "pipefail", "-c", command], options);
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = Object(error);
    return { code: Number(code), output: `${stdout}${stderr}` };
  }
}

/** Each with its blocks of commands, and those that stand in its tables. */
function sections() {
  return text
    .split(/^#{1,3} /m)
    .map((section) => ({
      title: section.slice(0, section.indexOf("\n")),
      blocks: Array.from(section.matchAll(/^```sh\n([\s\S]*?)\n```$/gm), ([, block = ""]) => block),
      inline: Array.from(
        section.matchAll(/^\|.*$/gm),
        ([row]) => /`((?:docker compose (?:exec|logs)|curl) [^`]+)`/.exec(row)?.[1] ?? "",
      ).filter((command) => command !== ""),
    }))
    .filter(({ blocks, inline }) => blocks.length + inline.length > 0);
}
