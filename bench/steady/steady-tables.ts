import type { PeerName } from "../rig/peer-description.ts";
import { median, middleHalf, spread } from "../rig/statistics.ts";
import { figure, percent, table } from "../rig/table.ts";
import type { Round } from "./measure.ts";
import type { CaseResult, ComparedRound, SteadyResult } from "./steady-result.ts";
import { TUNNEL_GOAL_KB } from "./tunnel-memory.ts";

/** The result as Markdown. */
export function steadyTables(result: SteadyResult): string {
  const { cases, crossCheck, memory, tunnels } = result;
  const parts: string[] = [];
  if (cases.length > 0) {
    parts.push(
      "CPU per request, or per message there and back, in us, median (median of the ratios to nginx):",
      cpuTable(cases),
    );
    parts.push(
      "Spread of the ratios: between which two the middle half lies (of nginx: its us, (max - min) / median):",
      spreadTable(cases),
    );
    parts.push("Requests or messages per second, with the proxy on one core:", rateTable(cases));
    parts.push("Latency in ms, p50 / p99:", latencyTable(cases));
    parts.push("Understudy's share of the kernel, and its goals:", goalTable(cases));
  }
  if (crossCheck !== undefined)
    parts.push("The load generators against each other:", crossTable(cases, crossCheck));
  if (memory.length > 0) parts.push("Memory (PSS of all processes):", memoryTable(result));
  if (tunnels.length > 0) parts.push("Memory of idle tunnels (PSS):", tunnelTable(result));
  return parts.join("\n\n");
}

function cpuTable(cases: readonly CaseResult[]): string {
  return perPeer(cases, (rounds) => {
    const ratio = ratioOf(rounds);
    return `${figure(cpuOf(rounds))}${ratio === undefined ? "" : ` (${ratio.toFixed(2)})`}`;
  });
}

function spreadTable(cases: readonly CaseResult[]): string {
  return perPeer(cases, (rounds, peer) => {
    if (rounds.length < 2) return "-";
    const ratios = ratiosOf(rounds);
    const isCompared = peer !== "nginx" && ratios.length > 0;
    return isCompared ? halfOf(ratios) : percent(spread(rounds.map(({ cpuUs }) => cpuUs)));
  });
}

function rateTable(cases: readonly CaseResult[]): string {
  return perPeer(cases, (rounds) => {
    const rate = figure(median(rounds.map(({ requests, seconds }) => requests / seconds)));
    const failed = rounds.reduce((sum, round) => sum + round.failed, 0);
    return failed === 0 ? rate : `${rate}, ${failed} FAILED`;
  });
}

function latencyTable(cases: readonly CaseResult[]): string {
  return perPeer(cases, (rounds) => {
    const p50 = median(rounds.map(({ p50Ms }) => p50Ms));
    const p99 = median(rounds.map(({ p99Ms }) => p99Ms));
    // wrk does not measure it where requests are pipelined.
    return p99 < p50 || p99 === 0 ? "-" : `${figure(p50)} / ${figure(p99)}`;
  });
}

function perPeer(
  cases: readonly CaseResult[],
  cell: (rounds: readonly ComparedRound[], peer: PeerName) => string,
): string {
  const peers = cases[0]?.peers.map(({ peer }) => peer) ?? [];
  const rows = cases.map((result) => {
    const cells = peers.map((peer) => {
      const rounds = roundsOf(result, peer) ?? [];
      return rounds.length === 0 ? "no upgrades" : cell(rounds, peer);
    });
    return [result.case.title, ...cells];
  });
  return table(["", ...peers], rows);
}

function goalTable(cases: readonly CaseResult[]): string {
  const rows = cases.flatMap((result) => {
    const own = roundsOf(result, "understudy");
    if (own === undefined) return [];
    const kernel = percent(median(own.map(({ kernelShare }) => kernelShare)));
    const { goal, title } = result.case;
    const ratio = ratioOf(own);
    if (goal === undefined || ratio === undefined) return [[title, kernel]];
    const half = own.length < 2 ? "-" : halfOf(ratiosOf(own));
    const goals = [`${goal.ratio}`, `${goal.limit}`, verdict(ratio, goal)];
    return [[title, kernel, ratio.toFixed(2), half, `${own.length}`, ...goals]];
  });
  return table(["", "kernel", "ratio to nginx", "middle half", "of", "goal", "limit", ""], rows);
}

function verdict(ratio: number, goal: { readonly ratio: number; readonly limit: number }): string {
  if (ratio <= goal.ratio) return "goal met";
  return ratio <= goal.limit ? "within the limit" : "ABOVE THE LIMIT";
}

/** CPU per request by both, and the answers of the app that each did not count. */
function crossTable(cases: readonly CaseResult[], crossCheck: CaseResult): string {
  const byWrk = cases.find((result) => result.case.name === crossCheck.case.name);
  const rows = crossCheck.peers.map(({ peer, rounds }) => {
    const wrk = (byWrk && roundsOf(byWrk, peer)) ?? [];
    return [
      peer,
      figure(cpuOf(wrk)),
      figure(cpuOf(rounds)),
      `${Math.max(...wrk.map(({ uncounted }) => uncounted))}`,
      `${Math.max(...rounds.map(({ uncounted }) => uncounted))}`,
    ];
  });
  const { title, connections } = crossCheck.case;
  return [
    table(["", "us by wrk", "us by autocannon", "uncounted by wrk", "by autocannon"], rows),
    `(${title}. Uncounted: answers of the app beyond those that the load generator counted; up to ` +
      `${connections} are under way at the end.)`,
  ].join("\n\n");
}

function memoryTable({ memory }: SteadyResult): string {
  const rows = memory.map(({ peer, memory }) => [
    peer,
    figure(memory.atRest / 2 ** 20),
    figure(memory.withClients / 2 ** 20),
    figure(memory.perClient / 2 ** 10),
    `${memory.lostClients}`,
    figure(memory.afterSoak / 2 ** 20),
  ]);
  const clients = memory[0]?.memory.clients.toLocaleString("en") ?? "";
  return table(
    ["", "at rest, MB", `${clients} idle clients, MB`, "KB per client", "lost", "after a soak, MB"],
    rows,
  );
}

function tunnelTable({ tunnels }: SteadyResult): string {
  const nginx = tunnels.find(({ peer }) => peer === "nginx")?.memory;
  const rows = tunnels.map(({ peer, memory }) => {
    const aboveKb = (memory.perTunnel - (nginx?.perTunnel ?? Number.NaN)) / 2 ** 10;
    const isMet = aboveKb <= TUNNEL_GOAL_KB;
    return [
      peer,
      memory.tunnels.toLocaleString("en"),
      figure(memory.perTunnel / 2 ** 10),
      figure(aboveKb),
      peer !== "understudy" || nginx === undefined ? "" : isMet ? "goal met" : "ABOVE THE GOAL",
      `${memory.lost}`,
      `${memory.left}`,
    ];
  });
  const goal = `goal: ${TUNNEL_GOAL_KB}`;
  return table(["", "tunnels", "KB each", "above nginx", goal, "lost", "sockets left"], rows);
}

function roundsOf(result: CaseResult, name: PeerName): readonly ComparedRound[] | undefined {
  return result.peers.find(({ peer }) => peer === name)?.rounds;
}

function cpuOf(rounds: readonly Round[]): number {
  return median(rounds.map(({ cpuUs }) => cpuUs));
}

/** The median of the ratios to nginx, not the ratio of medians: slow moments meet both of a pair. */
function ratioOf(rounds: readonly ComparedRound[]): number | undefined {
  const ratios = ratiosOf(rounds);
  return ratios.length === 0 ? undefined : median(ratios);
}

function ratiosOf(rounds: readonly ComparedRound[]): readonly number[] {
  return rounds.map(({ ratio }) => ratio).filter((ratio) => ratio !== undefined);
}

function halfOf(ratios: readonly number[]): string {
  return middleHalf(ratios)
    .map((ratio) => ratio.toFixed(2))
    .join(" - ");
}
