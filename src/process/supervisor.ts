import type { ExchangeStory } from "./exchange-story.ts";
import { type Cancel, type Clock, stayAlive } from "../clock.ts";
import type { Config } from "../config/config.ts";
import type { GatewayEvent } from "../events.ts";
import type { Groups } from "../failover/groups.ts";
import { type PoolTraffic, sumTraffic } from "../observe/pool-traffic.ts";
import { DeadlineWheel } from "../proxy/deadline-wheel.ts";
import type { SessionBindings } from "../proxy/session-bindings.ts";
import { type Answer, DONE } from "./channel.ts";
import type { Crew, Edition, WorkerFacts } from "./crew.ts";
import { Handover, type Present } from "./handover.ts";
import { Member, type MemberTools } from "./member.ts";
import type { WorkerNews, WorkerRequest } from "./messages.ts";
import { afterCrash } from "./respawn.ts";
import { Serial } from "./serial.ts";
import type { ProofNews } from "./proof-news.ts";
import type { GroupWaits, ServerLoads } from "./service.ts";
import { StateHub } from "./state-hub.ts";
import type { Launch } from "./worker-process.ts";

/** Milliseconds between two looks at whether every worker still reports. */
const WATCH_MS = 500;
/** A worker that has not reported this often hangs, and is replaced. */
const MOST_SILENCES = 12;
/** Milliseconds that a worker gets to end at once. */
const QUIT_MS = 500;
/** Milliseconds for its last log lines once a worker has nothing left to serve. */
const LAST_LINES_MS = 3_000;

const STOPPING: Answer = { ok: false, reason: "the gateway stops" };

/** How many stories of exchanges are kept. */
const MOST_STORIES = 1_000;

export interface SupervisorTools {
  readonly clock: Clock;
  readonly groups: Groups;
  readonly launch: Launch;
  /** How many workers a configuration asks for. */
  readonly countOf: (config: Config) => number;
  readonly cookieKey: Uint8Array;
  readonly sessions: SessionBindings;
  readonly onTold: (news: Extract<WorkerNews, { type: "told" }>) => void;
  readonly onEvent: (event: GatewayEvent) => void;
  readonly onProof: (news: ProofNews) => void;
}

/** The place of one worker; who fills it changes. */
interface Slot {
  readonly index: number;
  current: Member | undefined;
  crashes: readonly number[];
  crashCount: number;
  /** Of its last crash, in milliseconds since the epoch; before one, of its making. */
  since: number;
}

/** Workers that serve, each in a process of its own, and their replacement. */
export class Supervisor implements Crew {
  readonly #tools: SupervisorTools;
  readonly #memberTools: MemberTools;
  readonly #hub: StateHub;
  readonly #wheel: DeadlineWheel;
  readonly #members = new Set<Member>();
  /** Who comes and goes, and by which configuration, is changed by one at a time. */
  readonly #changes = new Serial();
  readonly #handover = new Handover(() => this.#present());
  #slots: Slot[] = [];
  /** Of workers that have ended. */
  #pastTraffic: readonly PoolTraffic[] = [];
  #uncountedMs = 0;
  #stories: readonly ExchangeStory[] = [];
  #edition: Edition | undefined;
  #endChange: () => void = () => {};
  #isStopping = false;
  #cancelWatch: Cancel = () => {};
  #letGo: Cancel = () => {};

  constructor(tools: SupervisorTools) {
    this.#tools = tools;
    const { clock, groups, launch, onTold, onProof } = tools;
    this.#hub = new StateHub(groups, clock);
    this.#wheel = new DeadlineWheel(clock);
    this.#memberTools = {
      clock,
      wheel: this.#wheel,
      hub: this.#hub,
      launch,
      onTold,
      onProof,
      onStories: (stories) => {
        this.#stories = [...this.#stories, ...stories].slice(-MOST_STORIES);
      },
      onAsk: (member, request) => this.#share(member, request),
      onEnd: (member) => this.#onEnd(member),
    };
  }

  get workers(): readonly WorkerFacts[] {
    const members = Array.from(this.#members, (member) => this.#factsOf(member));
    const isStarting = (slot: number): boolean =>
      members.some((member) => member.slot === slot && member.state === "starting");
    const waiting = this.#slots.filter(
      ({ current, index }) => current === undefined && !isStarting(index),
    );
    return [
      ...members,
      ...waiting.map(({ index, since, crashCount }) => {
        return {
          slot: index,
          pid: undefined,
          state: "waiting" as const,
          since,
          crashes: crashCount,
          connections: 0,
          use: undefined,
        };
      }),
    ].toSorted((a, b) => a.slot - b.slot);
  }

  get connections(): number {
    return Array.from(this.#members).reduce((sum, { connections }) => sum + connections, 0);
  }

  get loads(): ServerLoads {
    return Array.from(this.#members).flatMap(({ loads }) => loads);
  }

  get stories(): readonly ExchangeStory[] {
    return this.#stories;
  }

  get waits(): GroupWaits {
    return Array.from(this.#members).flatMap(({ waits }) => waits);
  }

  get traffic(): readonly PoolTraffic[] {
    const present = Array.from(this.#members).flatMap(({ traffic }) => traffic);
    return sumTraffic([...this.#pastTraffic, ...present]);
  }

  get uncountedMs(): number {
    return this.#uncountedMs;
  }

  async start(first: Edition): Promise<void> {
    this.#edition = first;
    // Nothing else does while every worker has crashed and waits for its next start.
    this.#letGo = stayAlive();
    this.#resize(this.#tools.countOf(first.config));
    const answers = await Promise.all(this.#slots.map((slot) => this.#fill(slot, true)));
    const failed = answers.find(({ ok }) => !ok);
    const problem = failed ?? (await this.#handover.run());
    if (!problem.ok) {
      await this.stop();
      throw new Error(`a worker cannot start: ${problem.reason}`);
    }
    this.#watch();
  }

  async prepare({ config }: Edition): Promise<Answer> {
    await new Promise<void>((begun) => {
      void this.#changes.run(
        () =>
          new Promise<void>((end) => {
            this.#endChange = end;
            begun();
          }),
      );
    });
    const answers = await this.#askServing((member) => member.ask({ type: "prepare", config }));
    // Whoever has just died has a successor that begins with what is committed by then; where all have,
    // that is no accident.
    const answered = answers.filter((answer) => answer.ok || answer.isGone !== true);
    return (answered.length > 0 ? answered : answers).find(({ ok }) => !ok) ?? DONE;
  }

  async commit(next: Edition): Promise<void> {
    this.#edition = next;
    this.#hub.beginConfig();
    await this.#obeyed(this.#serving(), (member) => member.commit());
    const { added, surplus } = this.#resize(this.#tools.countOf(next.config));
    await Promise.all(added.map((slot) => this.#fill(slot, false)));
    await this.#handover.run();
    for (const member of surplus) this.#retire(member);
    this.#endChange();
  }

  async abort(): Promise<void> {
    await this.#askServing((member) => member.ask({ type: "abort" }));
    this.#endChange();
  }

  async settled(): Promise<void> {
    this.#hub.flush();
    await this.#obeyed(this.#living(), (member) => member.ask({ type: "ping" }));
  }

  restart(): Promise<Answer> {
    return this.#changes.run(() => this.#restart());
  }

  reopenLogs(): void {
    for (const member of this.#members) member.tell({ type: "reopen-logs" });
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#cancelWatch();
    const limitMs = (this.#edition?.config.shutdownTimeoutMs ?? 0) + LAST_LINES_MS;
    const cancel = this.#tools.clock.after(limitMs, () => {
      for (const member of this.#members) member.kill();
    });
    const members = Array.from(this.#members);
    for (const member of members) {
      if (member.state === "starting") member.kill();
      else void member.ask({ type: "stop" });
    }
    await Promise.all(members.map(({ ended }) => ended));
    cancel();
    this.#hub.stop();
    this.#wheel.stop();
    this.#letGo();
  }

  destroy(): void {
    for (const member of this.#members) member.tell({ type: "destroy" });
  }

  async kill(): Promise<void> {
    const members = Array.from(this.#members);
    this.#isStopping = true;
    for (const member of members) member.tell({ type: "quit" });
    const cancel = this.#tools.clock.after(QUIT_MS, () => {
      for (const member of members) member.kill();
    });
    await Promise.all(members.map(({ ended }) => ended));
    cancel();
  }

  // ---- who comes and goes

  /** Gives the slots that are new, and the workers of those that were given up. */
  #resize(count: number): { added: readonly Slot[]; surplus: readonly Member[] } {
    const since = this.#tools.clock.wall();
    const added = Array.from({ length: Math.max(0, count - this.#slots.length) }, (_, at) => ({
      index: this.#slots.length + at,
      current: undefined,
      crashes: [],
      crashCount: 0,
      since,
    }));
    const surplus = this.#slots.slice(count).flatMap(({ current }) => current ?? []);
    this.#slots = [...this.#slots.slice(0, count), ...added];
    return { added, surplus };
  }

  async #restart(): Promise<Answer> {
    if (this.#isStopping) return STOPPING;
    const fresh = this.#slots.map(({ index }) => this.#launch(index, true));
    const answers = await Promise.all(fresh.map((member) => this.#begin(member)));
    // One that was ready may have ended while the others began.
    const standings = fresh.map(({ standing }) => standing);
    const failed = this.#isStopping ? STOPPING : [...answers, ...standings].find(({ ok }) => !ok);
    const taken = failed ?? (await this.#takeOver(fresh));
    if (!taken.ok) for (const member of fresh) this.#dismiss(member);
    return taken;
  }

  /** Where one of them cannot accept, those that serve go on. */
  async #takeOver(fresh: readonly Member[]): Promise<Answer> {
    const old = this.#serving();
    for (const member of fresh) this.#place(member);
    const taken = await this.#handover.run();
    for (const member of old) {
      if (taken.ok) this.#retire(member);
      else this.#place(member);
    }
    return taken;
  }

  /** `isAwaited`: somebody reports a failure, so that it is no crash. */
  async #fill(slot: Slot, isAwaited: boolean): Promise<Answer> {
    if (this.#isStopping) return STOPPING;
    const member = this.#launch(slot.index, isAwaited);
    const answer = await this.#begin(member);
    if (this.#isStopping || !answer.ok) member.kill();
    else this.#place(member);
    return answer;
  }

  #launch(slot: number, isAwaited: boolean): Member {
    const member = new Member(slot, isAwaited, this.#memberTools);
    this.#members.add(member);
    return member;
  }

  #begin(member: Member): Promise<Answer> {
    const { cookieKey, sessions } = this.#tools;
    const config = this.#edition?.config;
    if (config === undefined) throw new Error("nothing to serve yet");
    return member.begin(() => ({ config, cookieKey, sessions: sessions.snapshot() }));
  }

  #place(member: Member): void {
    const slot = this.#slots[member.slot];
    if (slot === undefined) return this.#dismiss(member);
    member.enter("serving");
    slot.current = member;
    // It may have died while it waited for its turn.
    if (member.isOver) this.#onEnd(member);
  }

  #retire(member: Member): void {
    member.enter("draining");
    member.sockets.clear();
    void member.ask({ type: "retire" });
  }

  /** A worker that was started in vain. */
  #dismiss(member: Member): void {
    const slot = this.#slots[member.slot];
    if (slot?.current === member) slot.current = undefined;
    member.enter("draining");
    member.isDismissed = true;
    member.kill();
  }

  #onEnd(member: Member): void {
    if (this.#members.delete(member)) {
      this.#pastTraffic = sumTraffic([...this.#pastTraffic, ...member.traffic]);
      this.#uncountedMs += member.uncountedMs;
    }
    if (this.#isStopping || member.isDismissed) return;
    if (member.state === "draining") return this.#tellLoss(member);
    const isStart = member.state === "starting";
    const slot = this.#slots[member.slot];
    if (slot === undefined || (isStart ? member.isAwaited : slot.current !== member)) return;
    if (!isStart) slot.current = undefined;
    this.#onCrash(slot, member);
  }

  /** What it still served is lost; whoever took over from it serves on. */
  #tellLoss({ slot, pid = 0, problem = "it ended" }: Member): void {
    const reason = `worker ${slot} (process ${pid}): ${problem}; it was draining, so none takes its place`;
    this.#tools.onEvent({ type: "worker-crashed", worker: slot, reason });
  }

  #onCrash(slot: Slot, { pid = 0, problem = "it ended" }: Member): void {
    const { clock, onEvent } = this.#tools;
    const isAlone = this.#serving().length === 0;
    const { crashes, pauseMs, isLoop } = afterCrash(slot.crashes, clock.now(), isAlone);
    slot.crashes = crashes;
    slot.crashCount += 1;
    slot.since = clock.wall();
    const next = pauseMs === 0 ? "at once" : `in ${pauseMs / 1000} s`;
    const again = isLoop ? `, ${crashes.length} times within a minute` : "";
    const what = `worker ${slot.index} (process ${pid}): ${problem}${again}`;
    const reason = `${what}; the next one starts ${next}`;
    onEvent({ type: isLoop ? "worker-crash-loop" : "worker-crashed", worker: slot.index, reason });
    void this.#handover.run();
    clock.after(pauseMs, () => void this.#changes.run(() => this.#refill(slot)));
  }

  async #refill(slot: Slot): Promise<void> {
    if (this.#isStopping || slot.current !== undefined || this.#slots[slot.index] !== slot) return;
    if (!(await this.#fill(slot, false)).ok) return;
    await this.#handover.run();
    const reason = `worker ${slot.index} serves again`;
    this.#tools.onEvent({ type: "worker-started", worker: slot.index, reason });
  }

  /** Kills workers that have hung up inside, and offers sockets again that could not be taken. */
  #watch(): void {
    this.#cancelWatch = this.#tools.clock.after(WATCH_MS, () => {
      for (const member of this.#members) {
        if (member.state === "starting" || ++member.silences <= MOST_SILENCES) continue;
        member.kill(
          `it had not reported for ${(MOST_SILENCES * WATCH_MS) / 1000} s, and was killed`,
        );
      }
      if (this.#handover.isIncomplete) void this.#handover.run();
      this.#watch();
    });
  }

  // ---- orders to all

  /** Once the gateway stops, nobody begins to accept. */
  #present(): Present {
    const addresses = this.#edition?.addresses ?? [];
    return { addresses, serving: this.#isStopping ? [] : this.#serving() };
  }

  #serving(): readonly Member[] {
    return this.#slots.flatMap(({ current }) => (current === undefined ? [] : [current]));
  }

  /** Those that serve, and those that still have connections. */
  #living(): readonly Member[] {
    return Array.from(this.#members).filter(({ state }) => state !== "starting");
  }

  #askServing(ask: (member: Member) => Promise<Answer>): Promise<readonly Answer[]> {
    return Promise.all(this.#serving().map(ask));
  }

  /** Resolves when they have obeyed; whoever refuses is replaced. */
  async #obeyed(
    members: readonly Member[],
    ask: (member: Member) => Promise<Answer>,
  ): Promise<void> {
    const orders = members.map(async (member) => {
      const answer = await ask(member);
      if (!answer.ok) member.kill(answer.reason);
    });
    await Promise.all(orders);
  }

  async #share(from: Member, { session }: WorkerRequest): Promise<Answer> {
    const { group, sid, ...where } = session;
    this.#tools.sessions.learn(group, sid, where);
    const others = Array.from(this.#members).filter(
      (member) => member !== from && member.isInformed,
    );
    const told = others.map(async (member) => {
      const learnt = member.ask({ type: "learn", session });
      // One that starts learns it before it accepts anybody, as orders come one after the other.
      if (member.state !== "starting") await learnt;
    });
    await Promise.all(told);
    return DONE;
  }

  #factsOf({ slot, pid, state, since, connections, use }: Member): WorkerFacts {
    const crashes = this.#slots[slot]?.crashCount ?? 0;
    return { slot, pid, state, since, crashes, connections, use };
  }
}
