import { expect, test } from "vitest";
import { frame } from "../support/frames.ts";
import { startTestGateway } from "../support/gateway.ts";
import { startHandServer } from "../support/hand-server.ts";
import { openTunnel } from "../support/handshake.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { connectMany, type RawConnection } from "../support/raw-client.ts";
import { isTrueWithin } from "../support/waits.ts";

const TUNNELS = 120;

/** What either side may do at any time. */
const DEEDS: readonly ((one: RawConnection) => void)[] = [
  (one) => one.send(frame({ length: 300 })),
  (one) => one.send(frame({ length: 70_000 }).subarray(0, 40_000)),
  (one) => one.send(frame({ length: 300 }).subarray(0, 3)),
  (one) => one.send(Buffer.from([0x88, 2, 3, 232])),
  (one) => one.finish(),
  (one) => one.leave(),
  (one) => one.reset(),
  (one) => one.pause(),
];

/** Numbers from 0 up to 1 that are the same in every run. */
function chances(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
}

test.each([
  [1, "switch"],
  [2, "switch"],
  [3, "strike"],
  [4, "drain"],
  [5, "stop"],
] as const)(
  "whatever both sides do around a goodbye (%d, %s), no tunnel, socket or timer is left",
  async (seed, order) => {
    const random = chances(seed);
    const clock = new ManualClock();
    await using blue = await startHandServer();
    await using green = await startHandServer();
    await using gateway = await startTestGateway({
      pools: { blue: [blue], green: [green] },
      group: { drain: { tunnels: "1s", spread: "2s", grace: "1s" } },
      clock,
      random,
    });
    await using clients = await connectMany(gateway, TUNNELS);
    const sides: RawConnection[] = [];
    for (const client of clients.all) sides.push(client, await openTunnel(client, blue));
    const act = async (deeds: number): Promise<void> => {
      for (let n = 0; n < deeds; n++) {
        const deed = DEEDS[Math.floor(random() * DEEDS.length)];
        const side = sides[Math.floor(random() * sides.length)];
        if (deed !== undefined && side !== undefined) deed(side);
        if (n % 20 === 0) await clock.advance(50);
      }
    };

    await act(80);
    const stopped = order === "stop" ? gateway.stop() : undefined;
    if (order === "switch") gateway.switchTo("green");
    if (order === "strike") gateway.strike(0);
    if (order === "drain") gateway.drain(0);
    await act(200);
    // Longer than any wait of a goodbye, one after the other.
    await clock.advance(200_000);
    const left = [gateway.connections, ...gateway.tunnels];
    for (const side of sides) side.leave();
    await (stopped && clock.runUntil(stopped));

    await isTrueWithin(3_000, () => gateway.exchanges.length === TUNNELS);
    expect(gateway.exchanges.filter(({ closedBy }) => closedBy !== undefined)).toHaveLength(
      TUNNELS,
    );
    expect(left).toEqual([0, "blue 0", "green 0"]);
  },
);
