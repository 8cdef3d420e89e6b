import { expect, test } from "vitest";
import { launcherOf } from "../../../src/process/worker-process.ts";

const NOBODY = { onAsk: () => Promise.reject(new Error("nobody asks")), onTell: () => {} };

test("a process that cannot be started is one that has ended", async () => {
  // As where memory is short, fork() throws.
  const worker = launcherOf("main\0.ts")(NOBODY);

  expect(await worker.ended).toMatchObject({ words: expect.stringContaining("null bytes") });
  expect(await worker.ask({ type: "ping" })).toMatchObject({ ok: false });
  worker.tell({ type: "quit" });
  worker.kill();
});
