import type { Answer, ChannelEnd } from "../../src/process/channel.ts";
import {
  type Order,
  PROTOCOL,
  type WorkerNews,
  type WorkerRequest,
} from "../../src/process/messages.ts";
import type { Ending, Launch, WorkerProcess } from "../../src/process/worker-process.ts";

type Obedience = Answer | "never";

/** Of a worker that serves nobody. */
export const NOTHING_TO_REPORT: WorkerNews = {
  type: "report",
  connections: 0,
  use: { cpuSeconds: 0, busySeconds: 0, residentBytes: 0, delayMs: 0 },
  loads: [],
  waits: [],
  traffic: [],
  stories: [],
};

/** The processes that a supervisor has started; they do nothing but say that they have obeyed. */
export class FakeWorkers {
  readonly all: FakeWorker[] = [];
  /** What becomes of an order. */
  obey: (order: Order, worker: FakeWorker) => Obedience = () => ({ ok: true });
  /** Whether a new process says hello by itself. */
  areWellBehaved = true;

  readonly launch: Launch = (end) => {
    const worker = new FakeWorker(this, 1_000 + this.all.length, end);
    this.all.push(worker);
    if (this.areWellBehaved) queueMicrotask(() => worker.sayHello());
    return worker;
  };

  get alive(): readonly FakeWorker[] {
    return this.all.filter(({ isAlive }) => isAlive);
  }

  /** Every living one tells that it is well, as it does every half second. */
  report(): void {
    for (const worker of this.alive) worker.report();
  }

  nth(n: number): FakeWorker {
    const worker = this.all[n];
    if (worker === undefined) throw new Error(`no worker ${n} was started`);
    return worker;
  }
}

export class FakeWorker implements WorkerProcess {
  readonly pid: number;
  readonly ended: Promise<Ending>;
  /** What it was asked so far, in short: `start`, `take 0 127.0.0.1:80`, `commit`. */
  readonly orders: string[] = [];
  isAlive = true;
  readonly #house: FakeWorkers;
  readonly #end: ChannelEnd<WorkerRequest, WorkerNews>;
  readonly #unanswered = new Set<(answer: Answer) => void>();
  #onEnded: (ending: Ending) => void = () => {};

  constructor(house: FakeWorkers, pid: number, end: ChannelEnd<WorkerRequest, WorkerNews>) {
    this.#house = house;
    this.pid = pid;
    this.#end = end;
    this.ended = new Promise((resolve) => {
      this.#onEnded = resolve;
    });
  }

  sayHello(): void {
    this.#end.onTell({ type: "hello", protocol: PROTOCOL });
  }

  report(): void {
    this.#end.onTell(NOTHING_TO_REPORT);
  }

  /** It tells the others of a session. */
  learn(sid: string): Promise<Answer> {
    const session = { group: "app", sid, server: "blue 127.0.0.1:3001", idleMs: 1_000 };
    return this.#end.onAsk({ type: "learn", session }, undefined);
  }

  ask(order: Order): Promise<Answer> {
    if (!this.isAlive)
      return Promise.resolve({ ok: false, reason: "the worker ended", isGone: true });
    this.orders.push("id" in order ? `${order.type} ${order.id}` : order.type);
    const obedience = this.#house.obey(order, this);
    if (obedience !== "never") return Promise.resolve(obedience);
    return new Promise((resolve) => {
      this.#unanswered.add(resolve);
    });
  }

  tell(): void {}

  kill(): void {
    this.end("SIGKILL");
  }

  end(words: string): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.#onEnded({ isOrderly: words === "exit code 0", words });
    const reason = `the worker ended (${words})`;
    for (const resolve of this.#unanswered) resolve({ ok: false, reason, isGone: true });
  }
}
