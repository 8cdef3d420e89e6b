import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { startScriptedServer } from "../support/scripted-server.ts";
import { OK } from "../support/server-script.ts";
import { isTrueWithin } from "../support/waits.ts";

const TO_GREEN = {
  by: "the test",
  to: "green",
  force: false,
  dryRun: false,
  ifActive: undefined,
  wait: false,
  guard: undefined,
};

test("a program runs with the facts of what has happened, one after the other", async () => {
  const { gateway, written } = await opened((file) => [
    {
      on: ["server-down", "failover"],
      exec: [
        "bash",
        "-c",
        `echo "$UNDERSTUDY_EVENT $UNDERSTUDY_GROUP $UNDERSTUDY_POOL$UNDERSTUDY_TO $FAILOVER_STATUS" >>${file}`,
      ],
    },
  ]);

  gateway.strike(0);
  await ran(gateway, 2);

  expect(written()).toBe("server-down app blue offline\nfailover app green online\n");
  expect(hooksOf(gateway)).toEqual(["hook-ran bash server-down", "hook-ran bash failover"]);
});

test("one that fails is told, and disturbs nobody", async () => {
  const { gateway } = await opened(() => [
    { on: ["failover"], exec: ["bash", "-c", "echo no pager; exit 7"] },
  ]);

  gateway.strike(0);
  await ran(gateway, 1);

  expect(gateway.active).toBe("green");
  expect(gateway.events.at(-1)).toEqual({
    type: "hook-failed",
    hook: "bash",
    on: "failover",
    group: "app",
    reason: "bash ended with exit status 7: no pager",
  });
});

test("a hook of another group does not run", async () => {
  const { gateway } = await opened(() => [
    { on: ["failover"], group: "other", exec: ["true"] },
    { on: ["failover"], group: "app", exec: ["true"] },
  ]);

  gateway.strike(0);
  await ran(gateway, 1);

  expect(hooksOf(gateway)).toEqual(["hook-ran true failover"]);
});

test("a hook before a switch may say no, unless the operator insists", async () => {
  const { gateway } = await opened(() => [
    { on: ["before_switch"], exec: ["bash", "-c", "echo migrations are open; exit 1"] },
  ]);

  const refusal = await gateway.orders.switchTo("app", TO_GREEN);
  const { active } = gateway;
  const insisted = await gateway.orders.switchTo("app", { ...TO_GREEN, force: true });

  expect(refusal).toMatchObject({ ok: false, kind: "refused" });
  expect(refusal.lines[0]).toBe(
    "app is not switched to green: the hook bash does not want it: bash ended with exit status 1: migrations are open",
  );
  expect(active).toBe("blue");
  expect(insisted.ok).toBe(true);
});

async function opened(hooks: (file: string) => readonly object[]) {
  const folder = mkdtempSync(join(tmpdir(), "understudy-hooks-"));
  const stack = new AsyncDisposableStack();
  stack.defer(() => rmSync(folder, { recursive: true }));
  onTestFinished(() => stack.disposeAsync());
  const file = join(folder, "hooks.log");
  const start = async (name: string) =>
    stack.use(await startScriptedServer([OK], { name, openAtEnd: "close" }));
  const pools = { blue: [await start("blue")], green: [await start("green")] };
  const gateway = stack.use(await startTestGateway({ pools, top: { hooks: hooks(file) } }));
  return { gateway, written: () => readFileSync(file, "utf8") };
}

/** Until so many hooks have ended. */
async function ran(gateway: TestGateway, count: number): Promise<void> {
  expect(await isTrueWithin(10_000, () => hooksOf(gateway).length >= count)).toBe(true);
}

function hooksOf(gateway: TestGateway): readonly string[] {
  return gateway.events.flatMap((event) =>
    "hook" in event ? [`${event.type} ${event.hook} ${event.on}`] : [],
  );
}
