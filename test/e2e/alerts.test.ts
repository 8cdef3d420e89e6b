import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { startClient } from "../../demo/strict-client.ts";
import { startDemoApp } from "../support/demo-app.ts";
import { startGatewayProgram } from "../support/gateway-program.ts";
import { MessageReceiver } from "../support/message-receiver.ts";
import { until } from "../support/until.ts";

/** How late a message may be, in milliseconds. */
const SOON_MS = 2_000;

test("a kill is told within two seconds, its end once, and the traffic sees none of it", async () => {
  await using slack = await new MessageReceiver([
    // Slow, then broken, then well: clients are not to notice.
    { status: 200, afterMs: 1_000 },
    { status: 500 },
    { status: 200 },
  ]).listen();
  await using blue = await startDemoApp("blue");
  await using green = await startDemoApp("green");
  await using gateway = await startGatewayProgram({
    groups: {
      app: {
        hold_down: "0s",
        pools: {
          blue: { url: blue.url, fail_timeout: "1s" },
          green: { url: green.url, fail_timeout: "1s", release: "v2" },
        },
      },
    },
    config: { alerts: { channels: [{ slack: slack.url }], rules: ["failover"] } },
  });
  const load = { host: "127.0.0.1", port: gateway.port, connections: 8, ratePerSecond: 100 };
  const client = startClient(load);
  await until(() => client.summary().ok > 50, "load");

  await blue.kill();
  await pause(SOON_MS);
  const soon = slack.titles;
  await blue.start();
  await until(() => slack.titles.length === 2, "the recovery is told");
  const summary = await client.stop();

  expect(soon).toEqual(["Failover detected: blue -&gt; green"]);
  expect(slack.titles.at(-1)).toBe("Recovery: back to blue (primary)");
  const [first] = slack.posted;
  for (const fact of [green.address, "*Release*\\nv2", "*Reason*"]) {
    expect(first?.body).toContain(fact);
  }
  // Whichever request met the kill first was answered by a reset, or by no server at all.
  expect(first?.body).toMatch(new RegExp(`${blue.address} (refused|reset|closed) the connection`));
  // The second try of the recovery is the one that was taken.
  expect(slack.posted.map(({ isTaken }) => isTaken)).toEqual([true, false, true]);
  expect(summary).toMatchObject({ failed: 0, strayBytes: 0 });
});
