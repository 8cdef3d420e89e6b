import type { TestGateway } from "./gateway.ts";
import { connectRaw, type RawConnection, requestText } from "./raw-client.ts";
import { standsStill } from "./waits.ts";

/** How much less than what was enough to stand still; below what the gateway keeps for a client. */
const FEWER = 4;

/**
 * A client that reads nothing and is owed nothing more: its answers fill the kernel, and the gateway's own buffer by
 * half. How many that are differs from one connection to the next.
 */
export async function connectFull(
  gateway: TestGateway,
): Promise<{ readonly client: RawConnection; readonly count: number }> {
  let count = 4_000;
  for (let round = 0; round < 10; round += 1) {
    const client = await connectRaw(gateway);
    client.pause();
    const before = gateway.exchanges.length;
    client.send(requestText({}).repeat(count));
    await standsStill(() => gateway.exchanges.length);
    const served = gateway.exchanges.length - before;
    if (served === count) return { client, count };
    client.leave();
    await standsStill(() => gateway.exchanges.length);
    count = served - FEWER;
  }
  throw new Error("no two connections take the same number of answers");
}
