import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { z } from "zod";

const REPORT = z.object({
  requests: z.number(),
  ok: z.number(),
  failed: z.number(),
  inFlight: z.number(),
  unsent: z.number(),
  logged: z.number(),
  problems: z.array(z.string()),
  byPool: z.object({ blue: z.number(), green: z.number() }),
  acts: z.array(
    z.object({ act: z.string(), seen: z.boolean(), failed: z.number(), requests: z.number() }),
  ),
});

test("the demo by itself shows kill, 503 and hang without one failed request", async () => {
  const demo = startDemo();
  const output = text(demo.stdout);
  const family = await familyOnce(demo, "hang ");

  const [status] = await once(demo, "close");

  const report = REPORT.parse(JSON.parse(await output));
  expect({ status, problems: report.problems }).toEqual({ status: 0, problems: [] });
  expect(report.acts.map(({ act, seen, failed }) => ({ act, seen, failed }))).toEqual(
    ["calm", "kill", "revive", "503", "503-end", "hang", "hang-end"].map((act) => ({
      act,
      seen: true,
      failed: 0,
    })),
  );
  expect(report.requests).toBeGreaterThan(2_000);
  const { requests } = report;
  expect(report).toMatchObject({ ok: requests, failed: 0, inFlight: 0, unsent: 0 });
  expect(report.logged).toBe(requests);
  expect(report.acts.reduce((sum, act) => sum + act.requests, 0)).toBe(requests);
  expect(report.byPool.blue + report.byPool.green).toBe(requests);
  expect(family).toHaveLength(3);
  expect(family.filter(isAlive)).toEqual([]);
});

test.each(["SIGKILL", "SIGTERM", "SIGINT"] as const)(
  "when the demo is ended by %s, the apps and the gateway end too, and no file is left",
  async (signal) => {
    using folder = openFolder();
    const demo = startDemo(folder.path);
    demo.stdout.resume();
    // Told when all are up and none was killed yet.
    const family = await familyOnce(demo, "gateway ");

    demo.kill(signal);
    await once(demo, "close");

    expect(family).toHaveLength(3);
    await expect.poll(() => family.filter(isAlive), { timeout: 10_000 }).toEqual([]);
    expect(readdirSync(folder.path)).toEqual([]);
  },
);

function startDemo(folder = tmpdir()) {
  return spawn(process.execPath, ["demo/demo.ts", "--auto", "--json"], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function openFolder() {
  const path = mkdtempSync(join(tmpdir(), "understudy-demo-test-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** The demo's children once a line on its stderr begins with these words. */
async function familyOnce(demo: ReturnType<typeof startDemo>, words: string): Promise<number[]> {
  const { promise, resolve, reject } = Promise.withResolvers<number[]>();
  const said: string[] = [];
  createInterface({ input: demo.stderr }).on("line", (line) => {
    said.push(line);
    if (line.startsWith(words)) resolve(childrenOf(demo.pid));
  });
  demo.once("close", () => reject(new Error(`the demo ended too soon: ${said.join("\n")}`)));
  return await promise;
}

function childrenOf(pid: number | undefined): number[] {
  return processes().filter((one) => parentOf(one) === pid);
}

function processes(): number[] {
  return readdirSync("/proc").map(Number).filter(Number.isInteger);
}

/** The fields behind the name, which may hold anything: state, parent, ... */
function statOf(pid: number): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return [];
  }
}

function parentOf(pid: number): number {
  return Number(statOf(pid)[1]);
}

/** A zombie has ended; only nobody has asked for its status yet. */
function isAlive(pid: number): boolean {
  const state = statOf(pid)[0];
  return state !== undefined && state !== "Z";
}
