import { expect, test } from "vitest";
import { storyOf } from "../support/exchange-story.ts";
import { startTestGateway } from "../support/gateway.ts";
import { startHandServer } from "../support/hand-server.ts";
import { ask, connectRaw, requestText } from "../support/raw-client.ts";
import { startScriptedServer } from "../support/scripted-server.ts";
import { OK } from "../support/server-script.ts";

test("a request that waits on a server that is drained is answered by it, the next elsewhere", async () => {
  await using blue = await startHandServer();
  await using green = await startScriptedServer([OK], { name: "green" });
  await using gateway = await startTestGateway({ pools: { blue: [blue], green: [green] } });
  await using client = await connectRaw(gateway);
  client.send(requestText({}));
  const connection = await blue.request();

  gateway.drain(0);
  const next = await ask(gateway);
  connection.reply(200, "blue");
  const told = await client.answer();

  expect([told?.body, next?.body]).toEqual(["blue", "green answered 200\n"]);
  expect(storyOf(await gateway.exchange(1))).toEqual(["GET / 200", "blue body ok 200 return"]);
});
