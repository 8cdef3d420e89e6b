import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { type Client, startClient } from "../../demo/strict-client.ts";
import { until } from "../support/until.ts";
import { docker, type Pool, Rig } from "./rig.ts";

const PER_SECOND = 200;

/** What happens to a container, and what makes it well again. */
interface Hurt {
  readonly name: string;
  readonly hurt: (rig: Rig, pool: Pool) => Promise<unknown>;
  readonly mend: (rig: Rig, pool: Pool) => Promise<unknown>;
}

const HURTS: readonly Hurt[] = [
  {
    name: "stopped",
    hurt: (rig, pool) => docker(["stop", rig.container(pool)]),
    mend: (rig, pool) => docker(["start", rig.container(pool)]),
  },
  {
    name: "killed",
    hurt: (rig, pool) => docker(["kill", rig.container(pool)]),
    mend: (rig, pool) => docker(["start", rig.container(pool)]),
  },
  {
    name: "paused",
    hurt: (rig, pool) => docker(["pause", rig.container(pool)]),
    mend: (rig, pool) => docker(["unpause", rig.container(pool)]),
  },
  {
    name: "cut off from the network",
    hurt: (rig, pool) => docker(["network", "disconnect", rig.network, rig.container(pool)]),
    mend: (rig, pool) =>
      docker(["network", "connect", "--alias", `app_${pool}`, rig.network, rig.container(pool)]),
  },
];

const LINE = z.object({
  status: z.number(),
  attempts: z
    .array(z.object({ pool: z.string(), cause: z.string(), decision: z.string() }).partial())
    .default([]),
});

describe("containers under load", () => {
  // They come and go as often as no container should: none of them is to be held down for that.
  const rig = new Rig("hurt", (config) =>
    config.replace("format: blue_green", "format: json").concat("\n    flap: { changes: 0 }\n"),
  );

  beforeAll(() => rig.up(), 180_000);
  afterAll(() => rig[Symbol.asyncDispose](), 60_000);

  describe.each(HURTS)("one that is $name", ({ hurt, mend }) => {
    test("fails no GET where it serves, and serves again by itself", async () => {
      await using load = await startLoad(rig);

      await hurt(rig, "blue");
      await servedBy(load, "green");
      await rig.untilActive("green");
      await mend(rig, "blue");
      await rig.untilActive("blue");
      await servedBy(load, "blue");

      expect(await load.stop()).toMatchObject({ failed: 0, unsent: 0, strayBytes: 0 });
    });

    test("fails no GET where it stands by, and is known to be dead meanwhile", async () => {
      await using load = await startLoad(rig);

      await hurt(rig, "green");
      await until(async () => (await rig.health("green")) !== "up", "green is known to be dead");
      await mend(rig, "green");
      await until(async () => (await rig.health("green")) === "up", "green is well");

      const { failed, byPool } = await load.stop();
      expect([failed, Object.keys(byPool)]).toEqual([0, ["blue"]]);
    });
  });

  test("another release on a new address takes over from the one before without a failed GET", async () => {
    await using load = await startLoad(rig);

    await rig.up(["app_blue"], { RELEASE_ID_BLUE: "v2" });
    await rig.untilActive("blue");
    await servedBy(load, "blue");

    expect(await load.stop()).toMatchObject({ failed: 0, unsent: 0 });
    const answer = await fetch(`http://127.0.0.1:${rig.port}/version`);
    expect(await answer.json()).toMatchObject({ pool: "blue", release: "v2" });
  });

  test("both gone: it answers all the same, and serves by itself as soon as one is back", async () => {
    await Promise.all([
      docker(["kill", rig.container("blue")]),
      docker(["kill", rig.container("green")]),
    ]);
    const url = `http://127.0.0.1:${rig.port}/version`;
    const dead = await fetch(url);
    await docker(["start", rig.container("green")]);
    const isServed = async (): Promise<boolean> => (await fetch(url)).status === 200;
    await until(isServed, "green serves");
    await docker(["start", rig.container("blue")]);
    await rig.untilActive("blue");

    expect([502, 503, 504]).toContain(dead.status);
  });

  test("the log names pool, cause and decision of each attempt", async () => {
    const lines = (await rig.accessLog()).map((line) => LINE.parse(JSON.parse(line)));
    const rescued = lines.filter(({ status, attempts }) => status === 200 && attempts.length > 1);

    expect(rescued.length).toBeGreaterThan(0);
    for (const { attempts } of rescued) {
      expect(attempts[0]).toEqual({
        pool: expect.stringMatching(/^(blue|green)$/),
        cause: expect.any(String),
        decision: expect.stringMatching(/^(next|rescue|redial)$/),
      });
    }
  });
});

/** GETs at a fixed rate; leaves nothing behind where a test fails. */
interface Load extends Client, AsyncDisposable {}

async function startLoad({ port }: Rig): Promise<Load> {
  const client = startClient({
    host: "127.0.0.1",
    port,
    ratePerSecond: PER_SECOND,
    connections: 64,
  });
  const load = { ...client, [Symbol.asyncDispose]: async () => void (await client.stop()) };
  await until(() => load.summary().ok > PER_SECOND / 2, "load");
  return load;
}

/** Waits for more answers of this pool. */
async function servedBy(load: Load, pool: Pool): Promise<void> {
  const before = load.summary().byPool[pool] ?? 0;
  const enough = (): boolean => (load.summary().byPool[pool] ?? 0) > before + PER_SECOND / 2;
  await until(enough, `${pool} answers`);
}
