import { type ChildProcess, fork } from "node:child_process";
import { type Answer, Channel, type ChannelEnd, type Packet } from "./channel.ts";
import type { Order, SupervisorNews, WorkerNews, WorkerRequest } from "./messages.ts";

/** How a worker ended, in words: `exit code 1`, `SIGKILL`. */
export type Ending = { readonly isOrderly: boolean; readonly words: string };

export interface WorkerProcess {
  readonly pid: number | undefined;
  /** Told before orders that were not answered fail. */
  readonly ended: Promise<Ending>;
  ask(order: Order, handle?: object): Promise<Answer>;
  tell(news: SupervisorNews): void;
  kill(): void;
}

/** Starts a worker; what it says goes to `end`. */
export type Launch = (end: ChannelEnd<WorkerRequest, WorkerNews>) => WorkerProcess;

/** Workers that run `main` (the path of the command's own code, read from the disk at each start). */
export function launcherOf(main: string): Launch {
  return (end) => new Fork(main, end);
}

interface Sender {
  send(packet: object, handle: unknown, options: object, onSent: () => void): boolean;
}

class Fork implements WorkerProcess {
  /** Undefined where the system has no room for another process, which fork() throws. */
  readonly #child: ChildProcess | undefined;
  readonly #channel: Channel<Order, SupervisorNews, WorkerRequest, WorkerNews>;
  #onEnded: (ending: Ending) => void = () => {};
  readonly ended = new Promise<Ending>((resolve) => {
    this.#onEnded = resolve;
  });

  constructor(main: string, end: ChannelEnd<WorkerRequest, WorkerNews>) {
    this.#channel = new Channel<Order, SupervisorNews, WorkerRequest, WorkerNews>(
      (packet, handle) => this.#send(packet, handle),
      end,
    );
    try {
      this.#child = fork(main, ["worker"], { serialization: "advanced" });
      this.#listen(this.#child);
    } catch (error) {
      this.#finish(error instanceof Error ? error.message : String(error));
    }
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  ask(order: Order, handle?: object): Promise<Answer> {
    return this.#channel.ask(order, handle);
  }

  tell(news: SupervisorNews): void {
    this.#channel.tell(news);
  }

  kill(): void {
    this.#child?.kill("SIGKILL");
  }

  #listen(child: ChildProcess): void {
    child.on("message", (packet: Packet<WorkerRequest, WorkerNews>) =>
      this.#channel.receive(packet),
    );
    // "exit" comes before the last of what it said.
    child.on("close", (code, signal) => this.#finish(signal ?? `exit code ${code}`, code === 0));
    child.on("error", (error) => {
      if (child.pid === undefined) this.#finish(error.message);
    });
  }

  #finish(words: string, isOrderly = false): void {
    this.#onEnded({ isOrderly, words });
    this.#channel.close(`the worker ended (${words})`);
  }

  #send(packet: Packet<Order, SupervisorNews>, handle: object | undefined): void {
    // Fails only where the worker is about to be gone, which "close" tells.
    if (this.#child?.connected !== true) return;
    // Sockets go without the classes of Node that its types ask for.
    const child: Sender = this.#child;
    child.send(packet, handle, {}, () => {});
  }
}
