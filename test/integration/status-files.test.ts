import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { isTrueWithin } from "../support/waits.ts";

const POOLS = {
  blue: [{ url: "http://127.0.0.1:1" }],
  green: [{ url: "http://127.0.0.1:2" }],
};

describe("failover_status_dir", () => {
  test("has a file for each pool, which follows what serves", async () => {
    const folder = aFolder();
    await using gateway = await opened(folder);
    await say(folder, { blue: "online", green: "offline" });

    gateway.switchTo("green");

    await say(folder, { blue: "offline", green: "online" });
    expect(readdirSync(join(folder, "app")).toSorted()).toEqual(["blue", "green"]);
  });

  test("loses what belongs to a pool that is gone, and everything where nobody wants it any more", async () => {
    const folder = aFolder();
    await using gateway = await opened(folder);
    await say(folder, { blue: "online", green: "offline" });

    await gateway.reload({ pools: { blue: POOLS.blue }, top: { failover_status_dir: folder } });
    await say(folder, { blue: "online" });
    await gateway.reload({ pools: { blue: POOLS.blue } });

    await say(folder, {});
  });

  test("that cannot be written hurts nobody, and is tried again at the next change", async () => {
    const folder = aFolder();
    const place = join(folder, "app");
    writeFileSync(place, "in the way");
    await using gateway = await opened(folder);

    rmSync(place);
    gateway.switchTo("green");

    await say(folder, { blue: "offline", green: "online" });
  });
});

function aFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "understudy-status-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  return folder;
}

function opened(folder: string): Promise<TestGateway> {
  return startTestGateway({ pools: POOLS, top: { failover_status_dir: folder } });
}

/** Until the files of the group say so. */
async function say(folder: string, words: Readonly<Record<string, string>>): Promise<void> {
  const place = join(folder, "app");
  const read = (): unknown => {
    try {
      const names = readdirSync(place).toSorted();
      return names.map((name) => [name, readFileSync(join(place, name), "utf8")]);
    } catch {
      return undefined;
    }
  };
  const wanted = Object.entries(words).map(([name, word]) => [name, `${word}\n`]);
  await isTrueWithin(5_000, () => JSON.stringify(read()) === JSON.stringify(wanted));
  expect(read()).toEqual(wanted);
}
