import type { PeerName } from "../rig/peer-description.ts";
import type { Account } from "./account.ts";
import type { ScenarioResult } from "./failover-result.ts";

const RIVALS: ReadonlySet<PeerName> = new Set(["nginx", "haproxy", "caddy"]);
/** Figures that are nearer to each other than this are the machine's or chance, not the proxy's. */
const SAME_MS = 250;
const SAME_POSTS = 2;

interface Measure {
  readonly title: string;
  /** Less is better; undefined where the scenario has no such thing. */
  readonly of: (account: Account) => number | undefined;
  readonly isTime: boolean;
  readonly tolerance: number;
}

const MEASURES: readonly Measure[] = [
  { title: "failed GETs", of: (account) => account.failedGets, isTime: false, tolerance: 0 },
  {
    title: "failed POSTs",
    of: ({ failedPostsSent, failedPostsUnseen }) => failedPostsSent + failedPostsUnseen,
    isTime: false,
    tolerance: SAME_POSTS,
  },
  {
    title: "slowest request",
    of: (account) => account.slowestMs,
    isTime: true,
    tolerance: SAME_MS,
  },
  {
    title: "until the backup serves",
    of: (account) => account.backupServesMs,
    isTime: true,
    tolerance: SAME_MS,
  },
  {
    title: "until the primary serves again",
    of: (account) => account.primaryServesMs,
    isTime: true,
    tolerance: SAME_MS,
  },
];

/** Where nginx, HAProxy or Caddy did better than Understudy: a sentence each. */
export function whereOthersAreBetter({ id, peers }: ScenarioResult): readonly string[] {
  const played = peers.filter((result) => result.played);
  const own = played.find(({ peer }) => peer === "understudy");
  if (own === undefined) return [];
  return played
    .filter(({ peer }) => RIVALS.has(peer))
    .flatMap(({ peer, account }) => {
      const better = MEASURES.filter((measure) => isBetter(measure, account, own.account));
      const told = better.map(({ title, of, isTime }) => {
        const [theirs, ours] = [of(account), of(own.account)].map((value) => write(value, isTime));
        return `${title} ${theirs} against ${ours}`;
      });
      return told.length === 0 ? [] : [`${id}, ${peer}: ${told.join("; ")}`];
    });
}

function isBetter({ of, tolerance }: Measure, theirs: Account, ours: Account): boolean {
  const [their, our] = [of(theirs), of(ours)];
  return their !== undefined && our !== undefined && their + tolerance < our;
}

function write(value: number | undefined, isTime: boolean): string {
  if (value === undefined) return "-";
  return isTime ? `${(value / 1e3).toFixed(2)} s` : `${value}`;
}
