import { chmodSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { postConfig } from "./caddy-admin.ts";
import { onProxyCore } from "./cores.ts";
import { findProgram } from "./has-program.ts";
import type { PeerDescription } from "./peer-description.ts";
import { freePort } from "./ports.ts";
import { Program } from "./program.ts";
import { ROOT } from "./root.ts";

/** The ports of the apps. */
export interface Servers {
  readonly primary: number;
  readonly backup: number;
}

export interface PeerSettings {
  readonly servers: Servers;
  /** For its files; made where it is missing. */
  readonly folder: string;
  /** Of Understudy; the others have but one. Default: a line like nginx's. */
  readonly logFormat?: "json";
  /** Of Understudy. Default: 1, as the others have. */
  readonly workers?: number;
  /** Further lines of its configuration. */
  readonly more?: string;
}

/** For starting, on a busy machine, in milliseconds. */
const START_MS = 20_000;
const LINE =
  "$remote_addr [$time_iso8601] '$request' $status $body_bytes_sent " +
  "$request_time $upstream_addr $upstream_status $upstream_response_time";

/** Starts a peer on the core of the proxy; resolves once a request comes through to the app. */
export async function startPeer(
  description: PeerDescription,
  settings: PeerSettings,
): Promise<Peer> {
  mkdirSync(settings.folder, { recursive: true });
  // nginx's worker is another user where root starts it.
  chmodSync(settings.folder, 0o755);
  const ports = { own: await freePort(), admin: await freePort() };
  const peer = new Peer(description, settings, ports);
  await peer.start();
  return peer;
}

export class Peer implements AsyncDisposable {
  readonly description: PeerDescription;
  readonly port: number;
  readonly adminPort: number;
  readonly accessLog: string;
  readonly #settings: PeerSettings;
  readonly #configFile: string;
  readonly #outputFile: string;
  #program: Program | undefined;

  constructor(
    description: PeerDescription,
    settings: PeerSettings,
    ports: { readonly own: number; readonly admin: number },
  ) {
    this.description = description;
    this.#settings = settings;
    this.port = ports.own;
    this.adminPort = ports.admin;
    this.accessLog = join(settings.folder, "access.log");
    this.#configFile = join(settings.folder, description.template ?? "none");
    this.#outputFile = join(settings.folder, "output");
  }

  get pid(): number {
    if (this.#program === undefined) throw new Error(`${this.description.name} is not running`);
    return this.#program.pid;
  }

  async start(): Promise<void> {
    const { program, args, env, name } = this.description;
    const file = findProgram(program) ?? program;
    this.#writeConfig(this.#settings.servers);
    const filledEnv = Object.entries(env).map(([key, value]) => [key, this.#fill(value)]);
    const command = onProxyCore([file, ...args.map((arg) => this.#fill(arg))]);
    const started = new Program(command, {
      outputFile: this.#outputFile,
      env: Object.fromEntries(filledEnv),
    });
    this.#program = started;
    const giveUpAt = performance.now() + START_MS;
    while (!(await this.#answers())) {
      if (started.isOver || performance.now() > giveUpAt)
        throw new Error(`${name} does not start:\n${started.lastWords()}`);
      await after(20);
    }
  }

  /** Ends in order, as a service manager would have it, and starts again. */
  async restart(): Promise<void> {
    await this.#program?.end(this.description.stopSignal);
    await this.start();
  }

  /** Has it read its configuration again, with these servers; false where it cannot. */
  async reload(servers: Servers): Promise<boolean> {
    const { reload } = this.description;
    if (reload.by === "nothing") return false;
    const config = this.#writeConfig(servers);
    if (reload.by === "signal") this.#program?.signal(reload.signal);
    else await postConfig(this.adminPort, config);
    return true;
  }

  /** New processes take the place of those that serve; false where it knows no such thing. */
  renew(): boolean {
    const { renew } = this.description;
    if (renew.by === "nothing") return false;
    this.#program?.signal(renew.signal);
    return true;
  }

  /** Forgets what is logged so far: a bench writes gigabytes. */
  clearLogs(): void {
    truncateSync(this.#outputFile);
    try {
      truncateSync(this.accessLog);
    } catch {
      // Not every peer writes one.
    }
  }

  async stop(): Promise<void> {
    await this.#program?.end(this.description.stopSignal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program?.end("SIGTERM");
  }

  async #answers(): Promise<boolean> {
    try {
      const answer = await fetch(`http://127.0.0.1:${this.port}/healthz`);
      await answer.arrayBuffer();
      return answer.status === 200;
    } catch {
      return false;
    }
  }

  #writeConfig(servers: Servers): string {
    const { template } = this.description;
    if (template === undefined) return "";
    const text = readFileSync(join(ROOT, "bench/peers", template), "utf8");
    const config = this.#fill(`${text}${this.#settings.more ?? ""}`, servers);
    writeFileSync(this.#configFile, config);
    return config;
  }

  #fill(text: string, servers = this.#settings.servers): string {
    const values = new Map([
      ["PORT", `${this.port}`],
      ["ADMIN", `${this.adminPort}`],
      ["WORKERS", `${this.#settings.workers ?? 1}`],
      ["PRIMARY", `${servers.primary}`],
      ["BACKUP", `${servers.backup}`],
      ["FOLDER", this.#settings.folder],
      ["CONFIG", this.#configFile],
      ["LOG", this.accessLog],
      ["LOG_FORMAT", this.#settings.logFormat ?? LINE],
    ]);
    return text.replaceAll(/@([A-Z_]+)@/g, (mark, name: string) => values.get(name) ?? mark);
  }
}
