import { expect, test } from "vitest";
import { openCrowd } from "../../demo/crowd.ts";
import { startDemoApp } from "../support/demo-app.ts";
import { startTestGateway } from "../support/gateway.ts";
import { until } from "../support/until.ts";

const SIZE = { webSockets: 4, socketIo: 3 };
const ALL = SIZE.webSockets + SIZE.socketIo;

test("clients of both kinds are on the other pool soon after kill -9, and leave nothing behind", async () => {
  await using blue = await startDemoApp("blue");
  await using green = await startDemoApp("green");
  await using gateway = await startTestGateway({
    pools: { blue: [blue], green: [green] },
    group: { affinity: "socketio" },
  });
  await using stack = new AsyncDisposableStack();
  const crowd = stack.adopt(openCrowd(gateway.port, SIZE), (crowd) => crowd.close());
  await until(() => crowd.summary().byPool.blue === ALL, "all are on blue");
  await until(() => crowd.summary().echoed >= ALL, "messages come back");

  await blue.kill();
  await until(() => crowd.summary().byPool.green === ALL, "all are on green");
  const { reconnects, longestReconnectMs, echoed } = crowd.summary();
  await until(() => crowd.summary().echoed >= echoed + ALL, "messages come back again");
  await crowd.close();

  expect(reconnects).toBe(ALL);
  expect(longestReconnectMs).toBeLessThan(2_000);
  await until(() => gateway.connections === 0, "all clients have left");
  expect(crowd.summary()).toMatchObject({ reconnects, away: 0 });
});

test("clients that find no server keep trying, and can be closed while they do", async () => {
  await using blue = await startDemoApp("blue");
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  const crowd = openCrowd(gateway.port, SIZE);
  await until(() => crowd.summary().byPool.blue === ALL, "all are on blue");

  await blue.kill();
  await until(() => crowd.summary().away === ALL, "all are away");
  await crowd.close();

  await until(() => gateway.connections === 0, "all clients have left");
});
