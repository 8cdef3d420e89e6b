import { startScriptedServer, type ScriptedServer } from "../support/scripted-server.ts";
import {
  holdClosedPort,
  holdSilentPort,
  type UnreachablePort,
} from "../support/unreachable-port.ts";
import type { LogLine, ServerFacts } from "./gateway.ts";
import type { Player } from "./vector.ts";

/** Starts the servers of a vector under the names A, B, C. */
export async function startCast(players: readonly Player[]): Promise<Cast> {
  const servers = await Promise.all(players.map(async (player, i) => startPlayer(player, i)));
  return new Cast(players, servers);
}

type Started = ScriptedServer | UnreachablePort;

/** RFC 2606 keeps `.invalid` without names for ever. */
const NAMELESS = "nowhere.invalid";

/** What stands for a server that nobody can find. */
const NO_SERVER: UnreachablePort = { port: 80, async [Symbol.asyncDispose]() {} };

async function startPlayer({ part, check }: Player, index: number): Promise<Started> {
  if (part === "refused") return await holdClosedPort();
  if (part === "silent") return await holdSilentPort();
  if (part === "nameless") return NO_SERVER;
  return await startScriptedServer(part, { name: letterOf(index), ...(check && { check }) });
}

/** The servers behind a gateway, and their names. */
export class Cast implements AsyncDisposable {
  /** What a gateway is told of them. */
  readonly facts: readonly ServerFacts[];
  readonly #servers: readonly Started[];
  readonly #scripted: readonly ScriptedServer[];

  constructor(players: readonly Player[], servers: readonly Started[]) {
    this.#servers = servers;
    this.#scripted = servers.filter((server) => "received" in server);
    this.facts = players.map((player, i) => ({
      address: `${player.part === "nameless" ? NAMELESS : "127.0.0.1"}:${servers[i]?.port}`,
      backup: player.backup ?? false,
      down: player.down ?? false,
      maxFails: player.maxFails ?? 1,
      failTimeout: player.failTimeout ?? "3s",
      maxConns: player.maxConns ?? 0,
    }));
  }

  /** Waits until a server has the request for this path. */
  async received(path: string): Promise<void> {
    await Promise.race(this.#scripted.map(async (server) => server.received(path)));
  }

  /** Waits until a gateway's check has come to this server. */
  async checked(letter: string): Promise<void> {
    await this.#find(letter)?.checked();
  }

  /** The paths that clients asked this server for, in their order. */
  pathsOf(letter: string): readonly string[] {
    return this.#find(letter)?.arrivals.map((arrival) => arrival.path) ?? [];
  }

  /** Lets the held answers go. */
  release(): void {
    for (const server of this.#scripted) server.release();
  }

  /** Waits until no connection to a server is open. */
  async quiet(): Promise<void> {
    await Promise.all(this.#scripted.map(async (server) => server.quiet()));
  }

  /** A log line with letters for addresses, as the table has it. */
  withLetters(line: LogLine): Omit<LogLine, "path"> {
    const { status, upstreamAddr, upstreamStatus } = line;
    const named = upstreamAddr.split(", ").map((address) => this.#letterOf(address));
    return { status, upstreamAddr: named.join(", "), upstreamStatus };
  }

  #find(letter: string): ScriptedServer | undefined {
    return this.#scripted.find((server) => server.name === letter);
  }

  #letterOf(address: string): string {
    const index = this.facts.findIndex((server) => server.address === address);
    return index === -1 ? address : letterOf(index);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#servers.map(async (server) => server[Symbol.asyncDispose]()));
  }
}

function letterOf(index: number): string {
  return "ABC".charAt(index);
}
