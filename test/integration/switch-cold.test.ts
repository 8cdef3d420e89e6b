import { describe, expect, onTestFinished, test } from "vitest";
import type { SwitchOrder } from "../../src/control/orders.ts";
import { type ServerPlace, startTestGateway, type TestGateway } from "../support/gateway.ts";
import { startScriptedServer } from "../support/scripted-server.ts";
import { OK } from "../support/server-script.ts";

describe("a switch to a cold standby that sleeps", () => {
  test("starts it, waits until it is ready, and switches", async () => {
    const gateway = await opened(["true"]);

    const outcome = await gateway.orders.switchTo("app", toGreen());

    expect(outcome).toMatchObject({ ok: true, facts: { from: "blue", to: "green" } });
    expect(outcome.lines.slice(0, 2)).toEqual([
      expect.stringMatching(/^green of app is ready after \d+ ms$/),
      expect.stringMatching(/^green serves app/),
    ]);
    expect(gateway.happened).toEqual([
      "standby-booting green",
      "server-up green",
      "standby-ready green",
      "switched blue -> green",
      "switch-proved blue -> green",
    ]);
  });

  test("comes to nothing where it does not start", async () => {
    const gateway = await opened(["false"], NOWHERE);

    const outcome = await gateway.orders.switchTo("app", toGreen());

    expect(outcome).toMatchObject({ ok: false, kind: "failed" });
    expect(outcome.lines).toEqual(["green did not start: false ended with exit status 1"]);
    expect(gateway.active).toBe("blue");
  });

  test("tells in a dry run that it would be started", async () => {
    const gateway = await opened(["false"]);

    const outcome = await gateway.orders.switchTo("app", toGreen({ dryRun: true }));

    expect(outcome.ok).toBe(true);
    expect(outcome.lines[0]).toBe("would start green, and wait until it is ready");
    expect(gateway.happened).toEqual([]);
  });

  test("starts nothing where it would be refused all the same", async () => {
    const gateway = await opened(["true"]);

    const outcome = await gateway.orders.switchTo("app", toGreen({ ifActive: "green" }));

    expect(outcome).toMatchObject({ ok: false, kind: "refused" });
    expect(gateway.happened).toEqual(["switch-refused blue -> green"]);
  });
});

function toGreen(more: Partial<SwitchOrder> = {}): SwitchOrder {
  const plain = { force: false, dryRun: false, ifActive: undefined, wait: false, guard: undefined };
  return { by: "the test", to: "green", ...plain, ...more };
}

/** Nobody listens there. */
const NOWHERE = { url: "http://127.0.0.1:1" };

/** Green runs all the time, where it is not elsewhere; that it is started is what its `start` says. */
async function opened(start: readonly string[], green?: ServerPlace): Promise<TestGateway> {
  const stack = new AsyncDisposableStack();
  onTestFinished(() => stack.disposeAsync());
  const open = async (name: string) =>
    stack.use(await startScriptedServer([OK], { name, openAtEnd: "close" }));
  return stack.use(
    await startTestGateway({
      pools: { blue: [await open("blue")], green: [green ?? (await open("green"))] },
      pool: { green: { standby: "cold", start: { exec: start }, boot_timeout: "10s" } },
      group: { health: { path: "/" } },
    }),
  );
}
