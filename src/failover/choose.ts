import type { GroupState, PoolState } from "./group-state.ts";
import { draw } from "./rendezvous.ts";
import type { ServerState } from "./server.ts";
import { available, describeServer, isServing, isTrial } from "./server.ts";

/** What changes with every request, kept apart from the state so that a pick copies nothing. */
export interface Seat {
  /** Exchanges on the server now. */
  inFlight: number;
  /** Its place in the smooth weighted round robin; begins at 0. */
  current: number;
}

export interface Pick {
  readonly server: ServerState;
  /** True where this request takes the server's one trial slot: apply `trial-started`. */
  readonly trial: boolean;
}

/**
 * The server for the next attempt, or undefined where none is left: the pools in turn, `first` before
 * all others, within a pool by the draw of `drawKey` or, where it is empty, by balance; never one that was tried in this
 * exchange, is full or unavailable. `seats[i]` belongs to `state.servers[i]`.
 */
export function chooseServer(
  state: GroupState,
  seats: readonly Seat[],
  tried: readonly number[],
  drawKey: string,
  now: number,
  first?: string,
): Pick | undefined {
  const asked: Asked = { state, seats, tried, now };
  const preferred =
    first === undefined ? undefined : state.pools.find(({ name }) => name === first);
  if (preferred !== undefined) {
    const server = chooseInPool(asked, preferred, false, drawKey);
    if (server !== undefined) return { server, trial: isTrial(server, state.spec.policy, now) };
  }
  let turn = 0;
  for (const pool of state.turns) {
    const server = chooseInPool(asked, pool, turn < state.ahead, drawKey);
    if (server !== undefined) return { server, trial: isTrial(server, state.spec.policy, now) };
    turn++;
  }
  return undefined;
}

/**
 * How many servers an exchange may still try: those neither tried nor taken out by the operator (as
 * in nginx, one that is down counts: it may be up again by then), within `tries`.
 */
export function triesLeft({ spec, servers }: GroupState, tried: readonly number[]): number {
  const left = servers.filter((one) => one.admin === "ready" && !tried.includes(one.index)).length;
  const { tries } = spec.policy;
  return tries === 0 ? left : Math.max(0, Math.min(left, tries - tried.length));
}

/** Why nothing was chosen, in words for the log and the gateway's own answer. */
export function whyNone(
  state: GroupState,
  seats: readonly Seat[],
  tried: readonly number[],
  now: number,
): string {
  const { name } = state.spec;
  if (state.servers.length === 0) return `group "${name}" has no servers`;
  const asked: Asked = { state, seats, tried, now };
  return `no server of group "${name}" is left: ${state.servers.map((one) => whyNot(asked, one)).join(", ")}`;
}

interface Asked {
  readonly state: GroupState;
  readonly seats: readonly Seat[];
  readonly tried: readonly number[];
  readonly now: number;
}

function whyNot({ state, seats, tried, now }: Asked, server: ServerState): string {
  const { index, spec } = server;
  if (tried.includes(index)) return `${spec.address} was tried`;
  if (!available(server, state.spec.policy, now)) return describeServer(server);
  return `${spec.address} is full (${seats[index]?.inFlight} of ${spec.maxConns} connections)`;
}

function chooseInPool(
  asked: Asked,
  pool: PoolState,
  trialsOnly: boolean,
  drawKey: string,
): ServerState | undefined {
  if (drawKey !== "") return highestDraw(asked, pool, trialsOnly, drawKey);
  const isByLoad = asked.state.spec.balance.kind === "least_conn";
  return nextInTurn(
    asked,
    pool,
    trialsOnly,
    isByLoad ? leastLoad(asked, pool, trialsOnly) : Infinity,
  );
}

/** Smooth weighted round robin, as in nginx, among those that are free and not above a load. */
function nextInTurn(
  asked: Asked,
  pool: PoolState,
  trialsOnly: boolean,
  highestLoad: number,
): ServerState | undefined {
  let best: ServerState | undefined;
  let bestSeat: Seat | undefined;
  let total = 0;
  for (const server of pool.servers) {
    const seat = asked.seats[server.index];
    const { weight } = server.spec;
    if (seat === undefined || !isFree(asked, server, seat, trialsOnly)) continue;
    if (seat.inFlight / weight > highestLoad) continue;
    seat.current += weight;
    total += weight;
    if (bestSeat === undefined || seat.current > bestSeat.current) {
      best = server;
      bestSeat = seat;
    }
  }
  if (bestSeat !== undefined) bestSeat.current -= total;
  return best;
}

function leastLoad(asked: Asked, pool: PoolState, trialsOnly: boolean): number {
  let least = Infinity;
  for (const server of pool.servers) {
    const seat = asked.seats[server.index];
    if (seat === undefined || !isFree(asked, server, seat, trialsOnly)) continue;
    least = Math.min(least, seat.inFlight / server.spec.weight);
  }
  return least;
}

function highestDraw(
  asked: Asked,
  pool: PoolState,
  trialsOnly: boolean,
  drawKey: string,
): ServerState | undefined {
  let best: ServerState | undefined;
  let highest = 0;
  for (const server of pool.servers) {
    const seat = asked.seats[server.index];
    if (seat === undefined || !isFree(asked, server, seat, trialsOnly)) continue;
    const drawn = draw(drawKey, server.spec.key, server.spec.weight);
    if (drawn > highest) {
      best = server;
      highest = drawn;
    }
  }
  return best;
}

function isFree(
  { state, tried, now }: Asked,
  server: ServerState,
  seat: Seat,
  trialsOnly: boolean,
): boolean {
  if (tried.length > 0 && tried.includes(server.index)) return false;
  if (isFull(server, seat) || (trialsOnly && isServing(server))) return false;
  return available(server, state.spec.policy, now);
}

function isFull({ spec }: ServerState, seat: Seat): boolean {
  return spec.maxConns > 0 && seat.inFlight >= spec.maxConns;
}
