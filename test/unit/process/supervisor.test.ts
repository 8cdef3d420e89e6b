import { describe, expect, onTestFinished, test } from "vitest";
import type { GatewayEvent } from "../../../src/events.ts";
import { Groups } from "../../../src/failover/groups.ts";
import type { BoundAddress } from "../../../src/process/bound-address.ts";
import type { Edition } from "../../../src/process/crew.ts";
import { Supervisor } from "../../../src/process/supervisor.ts";
import { SessionBindings } from "../../../src/proxy/session-bindings.ts";
import { FakeWorkers } from "../../support/fake-workers.ts";
import { readConfig } from "../../support/gateway.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const REFUSAL = { ok: false, reason: "no room" } as const;

describe("a reload", () => {
  test("goes on without a worker that dies while it prepares", async () => {
    const house = await startHouse(2);
    house.workers.obey = ({ type }, { pid }) =>
      type === "prepare" && pid === 1_000 ? "never" : { ok: true };
    const prepared = house.supervisor.prepare(house.edition(2));
    await house.advance(1);

    house.workers.nth(0).end("SIGKILL");

    expect(await prepared).toEqual({ ok: true });
    await house.supervisor.commit(house.edition(2));
    await house.advance(1);
    expect(house.states).toEqual(["0 serving", "1 serving"]);
  });

  test("is refused in time where a worker hangs, which is replaced", async () => {
    const house = await startHouse(1);
    house.workers.obey = ({ type }) => (type === "prepare" ? "never" : { ok: true });

    const prepared = house.supervisor.prepare(house.edition(2));
    await house.advance(6_000);

    expect(await prepared).toMatchObject({ ok: false, reason: expect.stringContaining("SIGKILL") });
    await house.supervisor.abort();
    await house.advance(1);
    expect(house.states).toEqual(["0 serving"]);
  });

  test("ends although a worker that it adds hangs at its start", async () => {
    const house = await startHouse(1);
    house.workers.obey = ({ type }, { pid }) =>
      type === "start" && pid === 1_001 ? "never" : { ok: true };
    await house.supervisor.prepare(house.edition(2));

    const committed = house.supervisor.commit(house.edition(2));
    await house.advance(16_000);

    await committed;
    expect(house.states).toEqual(["0 serving", "1 serving"]);
  });

  test("that takes workers away lets the others take over before they leave", async () => {
    const house = await startHouse(2);
    await house.supervisor.prepare(house.edition(1));
    let hadLeft: boolean | undefined;
    house.workers.obey = ({ type }) => {
      if (type === "take") hadLeft = house.workers.nth(1).orders.includes("retire");
      return { ok: true };
    };

    await house.supervisor.commit(house.edition(1));

    expect(house.workers.nth(0).orders).toContain("take 1 127.0.0.1:80");
    expect(hadLeft).toBe(false);
    expect(house.states).toEqual(["0 serving", "1 draining"]);
  });
});

describe("a restart", () => {
  test("does not take place where a new worker dies before all are ready", async () => {
    const house = await startHouse(2);
    house.workers.obey = (order, worker) =>
      order.type === "start" && worker === house.workers.all[3] ? "never" : { ok: true };
    const restarted = house.supervisor.restart();
    await house.advance(1);

    house.workers.nth(2).end("SIGSEGV");
    house.workers.obey = () => ({ ok: true });
    await house.advance(16_000);

    expect(await restarted).toMatchObject({ ok: false });
    expect(house.states).toEqual(["0 serving", "1 serving"]);
    expect(house.pids).toEqual([1_000, 1_001]);
  });

  test("is the time since when the old workers drain", async () => {
    const house = await startHouse(1);
    await house.advance(5_000);

    await house.supervisor.restart();

    expect(house.supervisor.workers.map(({ state, since }) => [state, since])).toEqual([
      ["draining", house.clock.wall()],
      ["serving", house.clock.wall()],
    ]);
  });

  test("leaves the old workers where the new ones cannot accept", async () => {
    const house = await startHouse(2);
    house.workers.obey = ({ type }) => (type === "take" ? REFUSAL : { ok: true });

    const restarted = house.supervisor.restart();
    await house.advance(1);

    expect(await restarted).toEqual(REFUSAL);
    expect(house.pids).toEqual([1_000, 1_001]);
    expect(house.workers.nth(0).orders).not.toContain("leave 0 127.0.0.1:80");
  });

  test("that fails leaves the place of a worker that has crashed to its successor", async () => {
    const house = await startHouse(2);
    house.workers.obey = ({ type }, { pid }) =>
      type === "take" && pid > 1_002 ? REFUSAL : { ok: true };
    house.workers.nth(0).end("SIGKILL");
    await house.advance(1);
    house.workers.nth(2).end("SIGKILL");

    await house.supervisor.restart();
    house.workers.obey = () => ({ ok: true });
    await house.advance(1_000);

    expect(house.states).toEqual(["0 serving", "1 serving"]);
    expect(house.pids).toEqual([1_005, 1_001]);
  });

  test("does not begin once the gateway stops", async () => {
    const house = await startHouse(1);
    await house.supervisor.prepare(house.edition(1));
    const restarted = house.supervisor.restart();
    const stopped = house.stop();
    await house.supervisor.abort();

    expect(await restarted).toMatchObject({ ok: false });
    await stopped;
    expect(house.workers.all.length).toBe(1);
  });
});

describe("a stop", () => {
  test("leaves no worker that a reload is about to add", async () => {
    const house = await startHouse(1);
    await house.supervisor.prepare(house.edition(3));
    house.workers.obey = ({ type }) => (type === "commit" ? "never" : { ok: true });
    const committed = house.supervisor.commit(house.edition(3));

    await house.stop();
    await committed;

    expect(house.workers.alive).toEqual([]);
    expect(house.workers.all.length).toBe(1);
  });
});

describe("a worker that dies", () => {
  test("is replaced at once, and its socket is accepted from by another until then", async () => {
    const house = await startHouse(2);

    house.workers.nth(1).end("SIGKILL");
    await house.advance(1);

    expect(house.workers.nth(0).orders.slice(-2)).toEqual([
      "take 1 127.0.0.1:80",
      "leave 1 127.0.0.1:80",
    ]);
    expect(house.states).toEqual(["0 serving", "1 serving"]);
    expect(house.told).toEqual(["worker-crashed 1", "worker-started 1"]);
  });

  test("is shown once while its successor starts", async () => {
    const house = await startHouse(2);
    house.workers.areWellBehaved = false;

    house.workers.nth(1).end("SIGKILL");
    await house.advance(1);

    expect(house.states).toEqual(["0 serving", "1 starting"]);
  });
});

test("a worker that cannot accept is asked again until it can", async () => {
  const house = await startHouse(2);
  house.workers.obey = ({ type }) => (type === "take" ? REFUSAL : { ok: true });
  house.workers.nth(1).end("SIGKILL");
  await house.advance(1);
  const [first] = house.workers.all;
  if (first === undefined) throw new Error("no worker");
  house.workers.obey = () => ({ ok: true });
  first.orders.length = 0;

  await house.advance(1_000);

  expect(house.workers.nth(2).orders).toContain("take 1 127.0.0.1:80");
  expect(house.workers.nth(2).orders.at(-1)).toBe("take 1 127.0.0.1:80");
});

test("a worker that does not obey is replaced, but not because this process stood still", async () => {
  const house = await startHouse(1);
  house.workers.obey = ({ type }) => (type === "ping" ? "never" : { ok: true });
  void house.supervisor.settled();

  house.clock.stall(60_000);
  await house.advance(1_000);
  const afterStall = house.pids;
  await house.advance(6_000);

  expect([afterStall, house.pids]).toEqual([[1_000], [1_001]]);
});

describe("a session", () => {
  test("that begins while a worker starts is known to it, and nobody waits for that", async () => {
    const house = await startHouse(2);
    house.workers.obey = ({ type }, worker) =>
      type === "start" || (type === "learn" && worker.pid === 1_002) ? "never" : { ok: true };
    house.workers.nth(1).end("SIGKILL");
    await house.advance(1);

    const learnt = house.workers.nth(0).learn("s1");

    expect(await learnt).toEqual({ ok: true });
    expect(house.workers.nth(2).orders).toEqual(["start", "learn"]);
  });

  test("is known to a worker that drains: its client may come back on an old connection", async () => {
    const house = await startHouse(1);
    await house.supervisor.restart();

    await house.workers.nth(1).learn("s1");

    expect(house.workers.nth(0).orders.at(-1)).toBe("learn");
  });

  test("that begins while a process loads is part of what it starts with", async () => {
    const house = await startHouse(2);
    house.workers.areWellBehaved = false;
    house.workers.nth(1).end("SIGKILL");
    await house.advance(1);
    await house.workers.nth(0).learn("s1");
    const known: number[] = [];
    house.workers.obey = (order) => {
      if (order.type === "start") known.push(order.start.sessions.length);
      return { ok: true };
    };

    house.workers.nth(2).sayHello();
    await house.advance(1);

    expect(known).toEqual([1]);
  });
});

async function startHouse(workers: number): Promise<House> {
  const house = new House();
  onTestFinished(() => house.stop());
  await house.supervisor.start(house.edition(workers));
  return house;
}

/** A supervisor whose workers are told what to do by the test. */
class House {
  readonly clock = new ManualClock();
  readonly workers = new FakeWorkers();
  readonly told: string[] = [];
  readonly supervisor: Supervisor;

  constructor() {
    const groups = new Groups(() => this.clock.now());
    groups.load(configFor(1).groups.map(({ spec }) => spec));
    this.supervisor = new Supervisor({
      clock: this.clock,
      groups,
      launch: this.workers.launch,
      countOf: ({ workers }) => Number(workers),
      cookieKey: new Uint8Array(),
      sessions: new SessionBindings(this.clock),
      onTold: () => {},
      onEvent: (event) => this.told.push(wordsFor(event)),
      onProof: () => {},
    });
  }

  /** `0 serving`, `1 waiting`: what fills each slot. */
  get states(): readonly string[] {
    return this.supervisor.workers.map(({ slot, state }) => `${slot} ${state}`);
  }

  get pids(): readonly (number | undefined)[] {
    return this.supervisor.workers.map(({ pid }) => pid);
  }

  edition(workers: number): Edition {
    return { config: configFor(workers), addresses: [ADDRESS] };
  }

  /** Workers that live report in between. */
  async advance(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 500) {
      this.workers.report();
      await this.clock.advance(Math.min(500, left));
    }
  }

  async stop(): Promise<void> {
    const stopped = this.supervisor.stop();
    for (const worker of this.workers.alive) worker.end("exit code 0");
    await stopped;
  }
}

const ADDRESS: BoundAddress = {
  key: "127.0.0.1:80",
  address: { kind: "tcp", host: "127.0.0.1", port: 80 },
  shown: "127.0.0.1:80",
  sockets: Array.from({ length: 2 }, () => ({ listen: () => 0, close: () => {} })),
};

function configFor(workers: number) {
  return readConfig({
    pools: { blue: [{ url: "http://127.0.0.1:3001" }] },
    top: { workers },
  });
}

function wordsFor(event: GatewayEvent): string {
  return "worker" in event ? `${event.type} ${event.worker}` : event.type;
}
