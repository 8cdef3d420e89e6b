import { systemClock } from "../clock.ts";
import { reuseUnchanged } from "../config/reuse-unchanged.ts";
import { Resolver } from "../proxy/resolver.ts";
import { SessionBindings } from "../proxy/session-bindings.ts";
import { SharedSessions } from "../proxy/shared-sessions.ts";
import { type Answer, Channel, DONE, type Packet } from "./channel.ts";
import type {
  Order,
  SessionNews,
  StateNews,
  SupervisorNews,
  WorkerNews,
  WorkerRequest,
  WorkerStart,
} from "./messages.ts";
import { PROTOCOL } from "./messages.ts";
import { Replica } from "./replica.ts";
import { Service } from "./service.ts";
import { UseMeter } from "./worker-use.ts";

/** Milliseconds between two reports of what there is to do. */
const REPORT_MS = 500;

/** Signals that reach all processes of a terminal or a unit: what they mean, the supervisor says. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2"] as const;

/** A process that moves bytes, by the orders of the supervisor that started it. */
export function runWorker(): void {
  for (const signal of SIGNALS) process.on(signal, () => {});
  const worker = new Worker();
  process.on("message", (packet: Packet<Order, SupervisorNews>, handle) => {
    worker.receive(packet, handle);
  });
  process.on("disconnect", () => worker.onOrphaned());
  worker.start();
}

class Worker {
  readonly #channel: Channel<WorkerRequest, WorkerNews, Order, SupervisorNews>;
  readonly #replica: Replica;
  readonly #local = new SessionBindings(systemClock);
  readonly #sessions: SharedSessions;
  readonly #use = new UseMeter();
  #service: Service | undefined;
  /** Resolves when the last message has left this process. */
  #sent: Promise<void> = Promise.resolve();

  constructor() {
    this.#channel = new Channel<WorkerRequest, WorkerNews, Order, SupervisorNews>(
      (packet) => this.#send(packet),
      this,
    );
    this.#replica = new Replica(
      () => systemClock.now(),
      (news) => this.#channel.tell(news),
    );
    this.#sessions = new SharedSessions({
      local: this.#local,
      clock: systemClock,
      tell: async (group, sid, session) => {
        await this.#channel.ask({ type: "learn", session: { group, sid, ...session } });
      },
    });
  }

  start(): void {
    this.#channel.tell({ type: "hello", protocol: PROTOCOL });
  }

  receive(packet: Packet<Order, SupervisorNews>, handle: object | undefined): void {
    this.#channel.receive(packet, handle);
  }

  async onAsk(order: Order, handle: object | undefined): Promise<Answer> {
    try {
      await this.#obey(order, handle);
      return DONE;
    } catch (error) {
      return { ok: false, reason: error instanceof Error ? error.message : String(error) };
    }
  }

  onTell(news: SupervisorNews): void {
    switch (news.type) {
      case "states":
        return this.#replica.hear(news.state);
      case "beat":
        return this.#replica.onBeat(news.version, news.seen);
      case "reopen-logs":
        return this.#service?.reopenLogs();
      case "destroy":
        return this.#service?.destroy();
      case "quit":
        process.exit(1);
    }
  }

  /** The supervisor is gone: its successor needs the addresses, the clients their answers. */
  onOrphaned(): void {
    this.#channel.close("the supervisor is gone");
    void this.#end((service) => service.stop());
  }

  async #obey(order: Order, handle: object | undefined): Promise<void> {
    if (order.type === "start") return this.#begin(order.start);
    const service = this.#mustServe();
    switch (order.type) {
      case "take":
        if (handle === undefined) throw new Error("the socket was lost on its way");
        return service.take(order.id, order.address, handle);
      case "leave":
        return service.leave(order.id);
      case "prepare":
        return service.prepare(reuseUnchanged(service.config, order.config));
      case "commit":
        return this.#commit(service, order.state);
      case "abort":
        return service.abort();
      case "learn":
        return this.#learn(order.session);
      case "ping":
        return this.#report(service);
      case "retire":
        void this.#end(() => service.retire());
        return;
      case "stop":
        void this.#end(() => service.stop());
    }
  }

  #begin(start: WorkerStart): void {
    const { config, state, cookieKey, sessions } = start;
    this.#replica.load(
      config.groups.map(({ spec }) => spec),
      state,
    );
    this.#local.adopt(sessions);
    this.#service = new Service(config, {
      clock: systemClock,
      groups: this.#replica,
      sessions: this.#sessions,
      cookieKey,
      resolver: new Resolver(systemClock),
      random: Math.random,
      onExchange: () => {},
      onProof: (news) => this.#channel.tell({ type: "proof", news }),
      tell: (level, fields, message) =>
        this.#channel.tell({ type: "told", level, fields, message }),
    });
    this.#reportOften(this.#service);
  }

  #commit(service: Service, state: StateNews): void {
    const { prepared } = service;
    if (prepared === undefined) throw new Error("nothing was prepared");
    this.#replica.load(
      prepared.groups.map(({ spec }) => spec),
      state,
    );
    service.commit();
  }

  #learn({ group, sid, ...session }: SessionNews): void {
    this.#sessions.hear(group, sid, session);
  }

  #report(service: Service): void {
    const { connections, loads, waits } = service;
    const traffic = service.takeTraffic();
    const stories = service.takeStories();
    const use = this.#use.read();
    this.#channel.tell({ type: "report", connections, use, loads, waits, traffic, stories });
  }

  #reportOften(service: Service): void {
    this.#report(service);
    const dueAt = systemClock.now() + REPORT_MS;
    systemClock.after(REPORT_MS, () => {
      this.#use.noteDelay(systemClock.now() - dueAt);
      this.#reportOften(service);
    });
  }

  #mustServe(): Service {
    if (this.#service === undefined) throw new Error("the worker has not been started");
    return this.#service;
  }

  /** Every connection has had its time: nothing is left to do here. */
  async #end(how: (service: Service) => Promise<void>): Promise<void> {
    if (this.#service !== undefined) {
      await how(this.#service);
      this.#report(this.#service);
    }
    // exit() leaves behind what has not left.
    if (process.connected) await this.#sent;
    process.exit(0);
  }

  #send(packet: Packet<WorkerRequest, WorkerNews>): void {
    if (!process.connected) return;
    this.#sent = new Promise((resolve) => {
      // Fails only where the supervisor has gone, which "disconnect" tells.
      process.send?.(packet, undefined, undefined, () => resolve());
    });
  }
}
