import { describe, expect, test } from "vitest";
import type { GatewayEvent } from "../../../src/events.ts";
import { Groups } from "../../../src/failover/groups.ts";
import type { Answer, ChannelEnd } from "../../../src/process/channel.ts";
import type { Edition } from "../../../src/process/crew.ts";
import {
  type Order,
  PROTOCOL,
  type WorkerNews,
  type WorkerRequest,
} from "../../../src/process/messages.ts";
import { Supervisor } from "../../../src/process/supervisor.ts";
import type { Ending, WorkerProcess } from "../../../src/process/worker-process.ts";
import { SessionBindings } from "../../../src/proxy/session-bindings.ts";
import { configOf } from "../../support/config.ts";
import { NOTHING_TO_REPORT } from "../../support/fake-workers.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const TWO = "workers: 2";
const THREE = "workers: 3";

describe("a restart", () => {
  test("fails, and the old serve on, where a new one ends while others begin", async () => {
    const house = await House.open(2);
    const restarted = house.supervisor.restart();
    await house.turn();
    const [first, second] = house.fakes.slice(2);

    first?.hello();
    await house.turn();
    first?.end("SIGKILL");
    second?.hello();
    const answer = await restarted;

    expect(answer).toEqual({ ok: false, reason: "it ended at its start with SIGKILL" });
    expect(house.serving).toEqual([1, 2]);
    expect(house.alive).toEqual([1, 2]);
  });

  test("that nobody answers is given up after 15 s", async () => {
    const house = await House.open(2);
    const restarted = house.supervisor.restart();
    await house.turn();
    // A worker may hang before its hello, and behind it.
    house.fakes[2]?.hello();
    const mute = house.fakes[3];
    if (mute !== undefined) mute.answers = false;
    mute?.hello();
    await house.live(15_500);

    expect(await restarted).toEqual({ ok: false, reason: "it was not ready within 15 s" });
    expect(house.alive).toEqual([1, 2]);
  });

  test("that is asked for while the gateway stops starts nobody", async () => {
    const house = await House.open(2);
    const stopped = house.supervisor.stop();
    const answer = await house.supervisor.restart();
    await stopped;

    expect(answer).toEqual({ ok: false, reason: "the gateway stops" });
    expect(house.fakes.length).toBe(2);
  });
});

describe("a configuration", () => {
  test("is prepared without a worker that crashes meanwhile, whose successor begins with it", async () => {
    const house = await House.open(2);
    const [first] = house.fakes;
    if (first !== undefined) first.answers = false;

    const prepared = house.supervisor.prepare(editionOf(TWO));
    await house.turn();
    first?.end("SIGKILL");
    const answer = await prepared;
    await house.supervisor.commit(editionOf(TWO));
    await house.clock.advance(1);
    house.fakes[2]?.hello();
    await house.turn();

    expect(answer).toEqual({ ok: true });
    expect(house.serving).toEqual([2, 3]);
    expect(house.events.map(({ type }) => type)).toEqual(["worker-crashed", "worker-started"]);
  });

  test("with more workers leaves none behind where the gateway stops meanwhile", async () => {
    const house = await House.open(2);
    await house.supervisor.prepare(editionOf(THREE));
    const committed = house.supervisor.commit(editionOf(THREE));
    const stopped = house.supervisor.stop();
    await house.turn();
    house.fakes[2]?.hello();
    await Promise.all([committed, stopped]);

    expect(house.alive).toEqual([]);
    expect(house.clock.pending).toBe(0);
  });
});

test("workers that hang are killed, and told", async () => {
  const house = await House.open(1);
  await house.clock.advance(6_500);

  expect(house.events.map(({ reason }) => reason)).toEqual([
    "worker 0 (process 1): it had not reported for 6 s, and was killed; the next one starts at once",
  ]);
});

function editionOf(workers: string): Edition {
  const text = `listen: 127.0.0.1:0\n${workers}\ngroups: { app: { pools: { blue: http://a.test } } }`;
  return { config: configOf(text), addresses: [] };
}

/** A supervisor whose workers are played by the test. */
class House {
  readonly clock = new ManualClock();
  readonly fakes: FakeWorker[] = [];
  readonly events: GatewayEvent[] = [];
  readonly supervisor: Supervisor;

  static async open(workers: number): Promise<House> {
    const house = new House();
    const started = house.supervisor.start(editionOf(`workers: ${workers}`));
    await house.turn();
    for (const fake of house.fakes) fake.hello();
    await started;
    return house;
  }

  constructor() {
    const groups = new Groups(() => this.clock.now());
    groups.load(editionOf(TWO).config.groups.map(({ spec }) => spec));
    this.supervisor = new Supervisor({
      clock: this.clock,
      groups,
      launch: (end) => this.#launch(end),
      countOf: (config) => (config.workers === "auto" ? 1 : config.workers),
      cookieKey: new Uint8Array(32),
      sessions: new SessionBindings(this.clock),
      onTold: () => {},
      onEvent: (event) => this.events.push(event),
      onProof: () => {},
    });
  }

  get serving(): readonly number[] {
    const serving = this.supervisor.workers.filter(({ state }) => state === "serving");
    return serving.map(({ pid = 0 }) => pid).toSorted((a, b) => a - b);
  }

  get alive(): readonly number[] {
    return this.fakes.filter(({ isOver }) => !isOver).map(({ pid }) => pid);
  }

  /** Lets everything happen that is due now. */
  async turn(): Promise<void> {
    await this.clock.advance(0);
  }

  /** Lets time go by while all workers report. */
  async live(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 500) {
      for (const fake of this.fakes) fake.report();
      await this.clock.advance(500);
    }
  }

  #launch(end: ChannelEnd<WorkerRequest, WorkerNews>): FakeWorker {
    const fake = new FakeWorker(this.fakes.length + 1, end);
    this.fakes.push(fake);
    return fake;
  }
}

/** A worker that obeys every order, and stops where it is told to. */
class FakeWorker implements WorkerProcess {
  readonly pid: number;
  readonly ended: Promise<Ending>;
  /** Whether it answers orders. */
  answers = true;
  isOver = false;
  readonly #end: ChannelEnd<WorkerRequest, WorkerNews>;
  readonly #waiting: ((answer: Answer) => void)[] = [];
  #resolveEnd: (ending: Ending) => void = () => {};

  constructor(pid: number, end: ChannelEnd<WorkerRequest, WorkerNews>) {
    this.pid = pid;
    this.#end = end;
    this.ended = new Promise((resolve) => {
      this.#resolveEnd = resolve;
    });
  }

  hello(): void {
    this.#end.onTell({ type: "hello", protocol: PROTOCOL });
  }

  report(): void {
    if (!this.isOver) this.#end.onTell(NOTHING_TO_REPORT);
  }

  ask({ type }: Order): Promise<Answer> {
    if (this.isOver) return Promise.resolve(GONE);
    if (type === "stop" || type === "retire") this.end("exit code 0");
    if (this.answers) return Promise.resolve({ ok: true });
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  tell(): void {}

  kill(): void {
    this.end("SIGKILL");
  }

  end(words: string): void {
    if (this.isOver) return;
    this.isOver = true;
    for (const resolve of this.#waiting.splice(0)) resolve(GONE);
    this.#resolveEnd({ isOrderly: words === "exit code 0", words });
  }
}

const GONE: Answer = { ok: false, reason: "it is gone", isGone: true };
