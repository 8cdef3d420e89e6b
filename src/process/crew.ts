import type { ExchangeStory } from "./exchange-story.ts";
import type { Config } from "../config/config.ts";
import type { BoundAddress } from "./bound-address.ts";
import type { Answer } from "./channel.ts";
import type { PoolTraffic } from "../observe/pool-traffic.ts";
import type { WorkerUse } from "./worker-use.ts";
import type { GroupWaits, ServerLoads } from "./service.ts";

/** One process that moves bytes. */
export interface WorkerFacts {
  readonly slot: number;
  /** Undefined while its successor waits to be started. */
  readonly pid: number | undefined;
  readonly state: "starting" | "serving" | "draining" | "waiting";
  /** Since when it is in its state, in milliseconds since the epoch. */
  readonly since: number;
  /** Of this slot so far. */
  readonly crashes: number;
  /** Client connections open, as of the last half second. */
  readonly connections: number;
  /** Undefined until its first report. */
  readonly use: WorkerUse | undefined;
}

/** A configuration, and where its clients come in. */
export interface Edition {
  readonly config: Config;
  readonly addresses: readonly BoundAddress[];
}

/** Those who serve: this process itself, or workers. */
export interface Crew {
  /** Empty where everything is in one process. */
  readonly workers: readonly WorkerFacts[];
  readonly connections: number;
  readonly loads: ServerLoads;
  readonly waits: GroupWaits;
  /** What clients met since the gateway started. */
  readonly traffic: readonly PoolTraffic[];
  /** Milliseconds of service that are in no traffic, since the worker crashed before it told of them. */
  readonly uncountedMs: number;
  /** What there is to tell of the last exchanges, oldest first. */
  readonly stories: readonly ExchangeStory[];
  /** Resolves when all serve; rejects, with nobody left, where one cannot. */
  start(first: Edition): Promise<void>;
  /** Everything of a configuration that can fail, on all of them; until commit() or abort() nobody comes or goes. */
  prepare(next: Edition): Promise<Answer>;
  /** Resolves when all serve by what was prepared; the states of the groups are those of it by now. */
  commit(next: Edition): Promise<void>;
  abort(): Promise<void>;
  /** Resolves when all go by the states of now, and loads and traffic are those of a moment since. */
  settled(): Promise<void>;
  /** New processes from the code on disk take the place of the present ones. */
  restart(): Promise<Answer>;
  reopenLogs(): void;
  /** Accepts nothing more, lets exchanges end up to `shutdown_timeout`, leaves nothing behind. */
  stop(): Promise<void>;
  /** Breaks what a stop() still waits for. */
  destroy(): void;
  /** Ends every worker where it stands; the log keeps what it has. */
  kill(): Promise<void>;
}
