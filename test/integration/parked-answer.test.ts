import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { storyOf } from "../support/exchange-story.ts";
import { startTestGateway } from "../support/gateway.ts";
import { startHandServer } from "../support/hand-server.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { noise } from "../support/noise.ts";
import { connectRaw, requestText } from "../support/raw-client.ts";
import { standsStill } from "../support/waits.ts";

test("a server whose answer was put aside takes nothing of the body that the next one gets", async () => {
  const body = Buffer.from(noise(24 * 1024 * 1024), "latin1");
  await using blue = await startHandServer();
  await using green = await startHandServer();
  await using gateway = await startTestGateway({
    pools: { blue: [blue], green: [green] },
    group: { replay: { memory: "64m" } },
  });
  await using client = await connectRaw(gateway);

  client.send(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`);
  const first = await blue.accept();
  await first.until("\r\n\r\n");
  first.pause();
  client.sendInPieces(body);
  await standsStill(() => client.pendingBytes);
  first.send("HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\nhalf");
  const second = await green.accept();
  second.pause();
  await standsStill(() => client.pendingBytes);
  first.resume();
  await standsStill(() => first.unread.length);
  second.resume();
  await second.until("\r\n\r\n");
  const taken = await second.bytes(body.length);
  second.reply(200, "green");
  const told = await client.answer();

  expect(digest(taken)).toBe(digest(body));
  expect([told?.status, told?.body]).toEqual([200, "green"]);
});

test("an answer that was put aside to its last byte leaves a connection that can be used", async () => {
  await using blue = await startHandServer();
  await using green = await startHandServer();
  await using gateway = await startTestGateway({
    pools: { blue: [blue], green: [green] },
    server: { max_fails: 3 },
  });
  await using client = await connectRaw(gateway);

  client.send(requestText({}));
  const first = await blue.request();
  first.reply(503, "x".repeat(65_600));
  const second = await green.request();
  second.reply(200);
  await client.answer();
  client.send(requestText({}));
  await first.request();
  first.reply(200, "blue");
  const told = await client.answer();

  expect([told?.status, told?.body]).toEqual([200, "blue"]);
  expect(storyOf(await gateway.exchange(1))).toEqual([
    "GET / 200",
    "blue reused body ok 200 return",
  ]);
});

test("a failure's own answer may take as long as it makes progress", async () => {
  const clock = new ManualClock();
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({
    pools: { blue: [blue] },
    group: { timeouts: { read: "1s" } },
    clock,
  });
  await using client = await connectRaw(gateway);

  client.send(requestText({ method: "POST" }));
  const connection = await blue.request();
  connection.send("HTTP/1.1 503 Busy\r\nContent-Length: 8\r\n\r\n");
  for (const piece of ["I ", "am ", "sor"]) {
    connection.send(piece);
    await client.until(piece);
    await clock.advance(700);
  }

  expect(storyOf(await gateway.exchange())).toEqual([
    "POST / 503",
    "blue head status 503 counted return",
  ]);
});

function digest(bytes: string | Buffer): string {
  const all = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes;
  return createHash("sha256").update(all).digest("hex");
}
