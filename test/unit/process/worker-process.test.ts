import { expect, test } from "vitest";
import { launcherOf } from "../../../src/process/worker-process.ts";

const NOBODY = { onAsk: () => Promise.reject(new Error("nobody asks")), onTell: () => {} };

test.each([
  ["cannot be started at all", "main\0.ts"],
  ["ends at its start", "/nowhere/main.ts"],
])("a process that %s is one that has ended", async (_, main) => {
  const worker = launcherOf(main)(NOBODY);

  const { words } = await worker.ended;

  expect(words).toMatch(/null bytes|exit code 1/);
  expect(await worker.ask({ type: "ping" })).toMatchObject({ ok: false });
  worker.tell({ type: "quit" });
  worker.kill();
});
