import { expect, test } from "vitest";
import { SocketTally } from "../../../demo/socket-tally.ts";

test("clients that have not been heard of are away, and their first connection is no reconnect", () => {
  const tally = new SocketTally(3);

  tally.lost(0, 10);
  tally.opened(0, "blue", 20);
  tally.opened(1, "green", 30);

  expect(tally.summary()).toEqual({
    byPool: { blue: 1, green: 1 },
    away: 1,
    reconnects: 0,
    longestReconnectMs: 0,
    echoed: 0,
    unanswered: 0,
  });
});

test("a reconnect lasts from the loss to the next opening, however many attempts fail", () => {
  const tally = new SocketTally(2);
  for (const client of [0, 1]) tally.opened(client, "blue", 0);

  tally.lost(0, 100);
  tally.lost(1, 100);
  const between = tally.summary();
  tally.opened(0, "green", 250);
  tally.lost(1, 300);
  tally.opened(1, "green", 500);
  tally.lost(0, 600);
  tally.opened(0, "blue", 610);

  expect(between).toMatchObject({ byPool: { blue: 0, green: 0 }, away: 2, reconnects: 0 });
  expect(tally.summary()).toMatchObject({
    byPool: { blue: 1, green: 1 },
    away: 0,
    reconnects: 3,
    longestReconnectMs: 400,
  });
});

test("a client that is told its pool again stays one", () => {
  const tally = new SocketTally(1);

  tally.opened(0, "blue", 0);
  tally.opened(0, "blue", 1_000);

  expect(tally.summary()).toMatchObject({ byPool: { blue: 1, green: 0 }, reconnects: 0 });
});

test("echoes and messages without one are summed", () => {
  const tally = new SocketTally(1);

  tally.echoed();
  tally.unanswered(0);
  tally.unanswered(2);
  tally.unanswered(3);

  expect(tally.summary()).toMatchObject({ echoed: 1, unanswered: 5 });
});
