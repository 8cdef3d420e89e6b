import type { AutocannonCount } from "../rig/autocannon.ts";
import { figure, table } from "../rig/table.ts";
import { whereOthersAreBetter } from "./comparison.ts";
import type { FailoverResult, PeerResult, ScenarioResult } from "./failover-result.ts";

const HEAD = [
  "",
  "requests",
  "failed GET",
  "failed POST: reached an app",
  "unseen by it",
  "slowest, s",
  "over 1 s",
  "backup after, s",
  "primary again after, s",
  "answered by the dead",
  "given to the dead",
  "autocannon: answered",
  "failed",
  "lost",
];

/** Where Understudy is behind, in words. */
export function failoverVerdict({ broken, scenarios }: FailoverResult): string {
  const better = scenarios.flatMap(whereOthersAreBetter);
  return [
    ...list("Promises that Understudy BROKE:", broken),
    ...(broken.length === 0 ? ["Understudy kept all its promises."] : []),
    ...list("Where nginx, HAProxy or Caddy did better than Understudy:", better),
  ].join("\n\n");
}

function list(title: string, sentences: readonly string[]): readonly string[] {
  return sentences.length === 0 ? [] : [title, sentences.map((one) => `- ${one}`).join("\n")];
}

/** The result as Markdown; `picture` gives a line for a scenario's picture. */
export function failoverTables(
  result: FailoverResult,
  picture: (scenario: ScenarioResult) => string = () => "",
): string {
  return result.scenarios
    .map((scenario) =>
      [
        `### ${scenario.id}: ${scenario.title}`,
        scenarioTable(scenario),
        ...notes(scenario),
        picture(scenario),
      ]
        .filter((part) => part !== "")
        .join("\n\n"),
    )
    .join("\n\n");
}

function scenarioTable({ peers }: ScenarioResult): string {
  return table(HEAD, peers.map(rowOf));
}

function rowOf(result: PeerResult): readonly string[] {
  if (!result.played) return [result.peer, result.why];
  const { account, autocannon } = result;
  return [
    result.peer,
    figure(account.issued),
    `${account.failedGets}`,
    `${account.failedPostsSent}`,
    `${account.failedPostsUnseen}`,
    seconds(account.slowestMs),
    `${account.over1s}`,
    seconds(account.backupServesMs),
    seconds(account.primaryServesMs),
    `${account.answeredByDead}`,
    `${account.askedDead}`,
    autocannon.answered.toLocaleString("en"),
    `${failedBeside(autocannon)}`,
    `${autocannon.lost}`,
  ];
}

/** A bad status has another body too, so it is counted in both. */
function failedBeside({ errors, non2xx, mismatches }: AutocannonCount): number {
  return errors + Math.max(non2xx, mismatches);
}

function notes({ peers }: ScenarioResult): readonly string[] {
  const played = peers.filter((result) => result.played);
  const own = played
    .filter(({ account }) => account.ownErrors > 0)
    .map(({ peer, account }) => `${peer} ${account.ownErrors}`);
  const tunnels = peers
    .filter((result) => !result.played || result.tunnelsAlive !== undefined)
    .map((one) => `${one.peer} ${one.played ? `${one.tunnelsAlive} of 10` : one.why}`);
  const twice = played
    .filter(({ account }) => account.postsTwice > 0)
    .map(({ peer, account }) => `${peer} ${account.postsTwice}`);
  const endless = played
    .filter(({ account }) => account.inFlight > 0)
    .map(({ peer, account }) => `${peer} ${account.inFlight}`);
  const hasTunnels = played.some(({ tunnelsAlive }) => tunnelsAlive !== undefined);
  return [
    ...line("Of the failures, the app's own 503", own),
    ...line("WebSockets alive at the end", hasTunnels ? tunnels : []),
    ...line("POSTs that arrived twice", twice),
    ...line("Without an end", endless),
  ];
}

function line(title: string, figures: readonly string[]): readonly string[] {
  return figures.length === 0 ? [] : [`${title}: ${figures.join(", ")}.`];
}

function seconds(ms: number | undefined): string {
  if (ms === undefined) return "-";
  return ms < 10_000 ? (ms / 1e3).toFixed(3) : (ms / 1e3).toFixed(1);
}
