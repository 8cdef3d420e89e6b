import type { ExchangeStory } from "./exchange-story.ts";
import type { Clock } from "../clock.ts";
import { type PoolTraffic, trafficKey } from "../observe/pool-traffic.ts";
import type { DeadlineWheel } from "../proxy/deadline-wheel.ts";
import { type Answer, DONE } from "./channel.ts";
import type { WorkerFacts } from "./crew.ts";
import type { Order, SupervisorNews, WorkerNews, WorkerRequest, WorkerStart } from "./messages.ts";
import { PROTOCOL } from "./messages.ts";
import type { ProofNews } from "./proof-news.ts";
import type { GroupWaits, ServerLoads } from "./service.ts";
import type { HubPeer, StateHub } from "./state-hub.ts";
import type { WorkerUse } from "./worker-use.ts";
import type { Ending, Launch, WorkerProcess } from "./worker-process.ts";

/** Milliseconds that a process may take until it is ready to accept. */
const BOOT_MS = 15_000;
/** Milliseconds for a worker to obey an order: none takes any time. */
const OBEY_MS = 5_000;

export interface MemberTools {
  readonly clock: Clock;
  /** For the limits of orders: it books no stall of ours as a worker's. */
  readonly wheel: DeadlineWheel;
  readonly hub: StateHub;
  readonly launch: Launch;
  /** A worker asks; answered when all others know. */
  readonly onAsk: (member: Member, request: WorkerRequest) => Promise<Answer>;
  readonly onTold: (news: Extract<WorkerNews, { type: "told" }>) => void;
  readonly onProof: (news: ProofNews) => void;
  readonly onStories: (stories: readonly ExchangeStory[]) => void;
  readonly onEnd: (member: Member) => void;
}

/** One worker as its supervisor knows it. */
export class Member {
  readonly slot: number;
  /** Somebody waits for the outcome of its start. */
  readonly isAwaited: boolean;
  /** Why it did not start, or ended. */
  problem: string | undefined;
  isOver = false;
  /** Its end is expected. */
  isDismissed = false;
  /** Since when it is in its state, in milliseconds since the epoch. */
  since: number;
  /** Ids of the sockets that it accepts from. */
  readonly sockets = new Set<string>();
  connections = 0;
  use: WorkerUse | undefined;
  loads: ServerLoads = [];
  waits: GroupWaits = [];
  readonly #traffic = new Map<string, PoolTraffic>();
  /** Times the supervisor looked in vain for a report. */
  silences = 0;
  /** Milliseconds that it served and told nothing of, as it crashed. */
  uncountedMs = 0;
  /** Monotonic, when it reported last. */
  #reportedAt: number | undefined;
  readonly ended: Promise<void>;
  readonly #tools: MemberTools;
  readonly #process: WorkerProcess;
  #peer: HubPeer | undefined;
  #state: WorkerFacts["state"] = "starting";
  #onHello: (answer: Answer) => void = () => {};
  readonly #hello: Promise<Answer>;

  constructor(slot: number, isAwaited: boolean, tools: MemberTools) {
    this.slot = slot;
    this.isAwaited = isAwaited;
    this.#tools = tools;
    this.since = tools.clock.wall();
    this.#hello = new Promise((resolve) => {
      this.#onHello = resolve;
    });
    this.#process = tools.launch({
      onAsk: (request) => tools.onAsk(this, request),
      onTell: (news) => this.#hear(news),
    });
    this.ended = this.#process.ended.then((ending) => this.#onEnded(ending));
  }

  /** It has been told what it begins with, and hears of everything since. */
  get isInformed(): boolean {
    return this.#peer !== undefined && !this.isOver;
  }

  /** What its clients met so far, by its last report. */
  get traffic(): readonly PoolTraffic[] {
    return [...this.#traffic.values()];
  }

  get state(): WorkerFacts["state"] {
    return this.#state;
  }

  enter(state: WorkerFacts["state"]): void {
    if (state !== this.#state) this.since = this.#tools.clock.wall();
    this.#state = state;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Whether it is still there, and if not, why. */
  get standing(): Answer {
    if (!this.isOver) return DONE;
    return { ok: false, reason: this.problem ?? "it ended" };
  }

  /**
   * Resolves when it is ready to accept, or with the reason why it never will be. `newest` is asked
   * once the process listens.
   */
  async begin(newest: () => Omit<WorkerStart, "state">): Promise<Answer> {
    const cancel = this.#tools.wheel.after(BOOT_MS, () =>
      this.kill(`it was not ready within ${BOOT_MS / 1000} s`),
    );
    const answer = await this.#begin(newest);
    cancel();
    if (answer.ok) return answer;
    this.problem ??= answer.reason;
    return { ok: false, reason: this.problem };
  }

  async #begin(newest: () => Omit<WorkerStart, "state">): Promise<Answer> {
    const hello = await this.#hello;
    if (!hello.ok) return hello;
    this.#peer = this.#tools.hub.admit((news) => this.tell(news));
    return this.#process.ask({ type: "start", start: { ...newest(), state: this.#peer.state } });
  }

  /** A configuration has taken the place of another. */
  commit(): Promise<Answer> {
    if (this.#peer === undefined) return Promise.resolve({ ok: false, reason: "it is starting" });
    return this.ask({ type: "commit", state: this.#peer.state });
  }

  /** Whoever does not obey in time hangs, and is killed: nobody waits for it for ever. */
  async ask(order: Order, handle?: object): Promise<Answer> {
    const cancel = this.#tools.wheel.after(OBEY_MS, () =>
      this.kill(`it did not obey within ${OBEY_MS / 1000} s, and was killed`),
    );
    const answer = await this.#process.ask(order, handle);
    cancel();
    return answer;
  }

  tell(news: SupervisorNews): void {
    this.#process.tell(news);
  }

  /** `why`: what was wrong with it, in words. */
  kill(why?: string): void {
    this.problem ??= why;
    this.#process.kill();
  }

  #hear(news: WorkerNews): void {
    switch (news.type) {
      case "hello":
        return this.#onHello(helloAnswer(news.protocol));
      case "event":
        return this.#peer?.hear(news.news);
      case "behind":
        if (this.#peer !== undefined) this.tell({ type: "states", state: this.#peer.state });
        return;
      case "report":
        this.silences = 0;
        this.#reportedAt = this.#tools.clock.now();
        this.connections = news.connections;
        this.use = news.use;
        this.loads = news.loads;
        this.waits = news.waits;
        if (news.stories.length > 0) this.#tools.onStories(news.stories);
        for (const one of news.traffic) this.#traffic.set(trafficKey(one), one);
        return;
      case "proof":
        return this.#tools.onProof(news.news);
      case "told":
        return this.#tools.onTold(news);
    }
  }

  #onEnded({ isOrderly, words }: Ending): void {
    this.isOver = true;
    const now = this.#tools.clock.now();
    if (!isOrderly) this.uncountedMs = now - (this.#reportedAt ?? now);
    this.isDismissed ||= this.state === "draining" && isOrderly;
    const when = this.state === "starting" ? " at its start" : "";
    this.problem ??= `it ended${when} with ${words}`;
    this.#onHello({ ok: false, reason: this.problem });
    this.#peer?.leave();
    this.connections = 0;
    this.loads = [];
    this.waits = [];
    this.#tools.onEnd(this);
  }
}

function helloAnswer(protocol: number): Answer {
  if (protocol === PROTOCOL) return { ok: true };
  const reason = "the code on disk is of another version: stop the gateway and start it again";
  return { ok: false, reason };
}
