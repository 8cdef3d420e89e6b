import type { App, Pool } from "./app-process.ts";
import { openCrowd } from "./crowd.ts";
import type { Crowd } from "./crowd.ts";
import { inWords } from "./gateway-event.ts";
import type { LoggedEvent } from "./gateway-event.ts";
import type { Command } from "./keys.ts";
import { Monitor } from "./monitor.ts";
import { summaryLines } from "./report-text.ts";
import type { Rig } from "./rig.ts";
import type { Scene } from "./screen.ts";
import { startClient } from "./strict-client.ts";
import type { Client } from "./strict-client.ts";
import type { Summary } from "./tally.ts";

const CROWD = { webSockets: 20, socketIo: 5 };

/** What the keys do, and what there is to see of it. */
export class LiveShow {
  readonly #rig: Rig;
  readonly #client: Client;
  readonly #monitor = new Monitor();
  readonly #news: string[] = [];
  readonly #health: Record<Pool, string> = { blue: "up", green: "up" };
  #active: Pool = "blue";
  #method: "GET" | "POST" = "GET";
  #crowd: Crowd | undefined;
  #deeds: Promise<void> = Promise.resolve();

  constructor(rig: Rig, ratePerSecond: number) {
    this.#rig = rig;
    rig.events.on("any", (event) => this.#onEvent(event));
    this.#client = startClient({
      host: "127.0.0.1",
      port: rig.port,
      ratePerSecond,
      connections: 64,
      stopMs: 2_000,
      onResult: (result) => this.#monitor.add(result, performance.now()),
    });
  }

  scene(): Scene {
    this.#monitor.note(this.#rig.log.read());
    const { blue, green } = this.#rig.apps;
    return {
      port: this.#rig.port,
      method: this.#method,
      apps: [blue, green],
      active: this.#active,
      health: this.#health,
      summary: this.#client.summary(),
      monitor: this.#monitor,
      recent: this.#monitor.recent(performance.now()),
      sockets: this.#crowd?.summary(),
      news: this.#news,
    };
  }

  /** One deed after the other, in the order of the keys. */
  obey(command: Exclude<Command, "quit">): void {
    this.#deeds = this.#deeds
      .then(() => this.#do(command))
      .catch((error: unknown) =>
        this.#tell(error instanceof Error ? error.message : String(error)),
      );
  }

  /** Ends sockets, load, gateway and apps; gives what is to be said of it all. */
  async end(): Promise<string[]> {
    await this.#deeds;
    await this.#crowd?.close();
    const summary = await this.#client.stop();
    await this.#rig.stop();
    this.#monitor.note(this.#rig.log.read());
    return summaryLines(totalOf(summary, this.#monitor), this.#monitor.excuses);
  }

  async #do(command: Exclude<Command, "quit">): Promise<void> {
    const serving = this.#rig.apps[this.#active];
    switch (command) {
      case "kill":
        return await this.#harm(serving, "kill -9 of", () => serving.kill());
      case "error":
        return await this.#harm(serving, "503s from", () => serving.misbehave("error"));
      case "hang":
        return await this.#harm(serving, "no answer from", () => serving.misbehave("timeout"));
      case "revive":
        this.#tell("what is broken is mended; the gateway's next check finds it");
        await Promise.all(Object.values(this.#rig.apps).map((app) => app.revive()));
        return;
      case "method":
        this.#method = this.#method === "GET" ? "POST" : "GET";
        this.#client.setPostRatio(this.#method === "GET" ? 0 : 1);
        return;
      case "sockets":
        return await this.#toggleCrowd();
    }
  }

  async #toggleCrowd(): Promise<void> {
    const crowd = this.#crowd;
    if (crowd === undefined) {
      this.#crowd = openCrowd(this.#rig.port, CROWD);
      this.#tell(`${CROWD.webSockets} WebSockets and ${CROWD.socketIo} Socket.IO clients come`);
      return;
    }
    this.#crowd = undefined;
    await crowd.close();
    this.#tell("all sockets are closed");
  }

  async #harm({ pool, pid }: App, what: string, deed: () => Promise<void>): Promise<void> {
    const other = pool === "blue" ? "green" : "blue";
    const warning = this.#health[other] === "up" ? "" : `, though ${other} is not back yet`;
    this.#tell(pid === undefined ? `${pool} is dead already` : `${what} ${pool}${warning}`);
    await deed();
  }

  #onEvent(event: LoggedEvent): void {
    if ("to" in event) this.#active = event.to === "green" ? "green" : "blue";
    if ("pool" in event)
      this.#health[event.pool === "green" ? "green" : "blue"] = event.event.slice("server-".length);
    this.#tell(inWords(event));
  }

  #tell(text: string): void {
    this.#news.push(`${new Date().toTimeString().slice(0, 8)} ${text}`);
    if (this.#news.length > 20) this.#news.shift();
  }
}

function totalOf(
  { issued, ok, failed, inFlight, byMethod, byPool, latencyMs }: Summary,
  m: Monitor,
) {
  return {
    requests: issued,
    ok,
    failed,
    inFlight,
    posts: byMethod.POST.issued,
    byPool: { blue: byPool["blue"] ?? 0, green: byPool["green"] ?? 0 },
    retried: m.retried,
    rescued: m.rescued,
    latencyMs,
  };
}
