import { expect, test } from "vitest";
import { startTestGateway } from "../support/gateway.ts";

test("a gateway whose access log cannot be opened has closed its event log again", async () => {
  const before = process.listenerCount("exit");

  const started = startTestGateway({ top: { access_log: { file: "/nowhere/at/all.log" } } });

  await expect(started).rejects.toThrow("ENOENT");
  expect(process.listenerCount("exit")).toBe(before);
});
