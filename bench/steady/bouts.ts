import type { PeerName } from "../rig/peer-description.ts";

/** How often a case is played. */
export interface Rounds {
  /** Times that all peers play it. */
  readonly count: number;
  /** Bouts of Understudy alone against nginx besides, where both are there. */
  readonly own: number;
  /** Peers on each side of nginx's round: 1 where what they cost is compared with a verdict. */
  readonly abreast: number;
  /** Of one round; wrk knows whole seconds only. */
  readonly seconds: number;
}

/** Who plays one after the other. Where nginx is among them, the others are compared with it. */
export type Bout = readonly PeerName[];

const OWN_BOUT: Bout = ["understudy", "nginx", "understudy"];

/**
 * Every peer near nginx: a round of nginx's stands in the middle of those of others. Every second
 * time the order is reversed, so that a machine that grows slower, or faster, favours nobody.
 */
export function boutsOf(names: readonly PeerName[], rounds: Rounds): readonly Bout[] {
  const { count, own, abreast } = rounds;
  const both = names.includes("nginx") && names.includes("understudy");
  const ownBouts = Array.from({ length: both ? own : 0 }, () => OWN_BOUT);
  const passes = Array.from({ length: count }, (_, n) => passOf(names, abreast, n % 2 === 1));
  return [...passes.flat(), ...ownBouts];
}

/** A round by what it cost, and by that of nginx's in its bout; no ratio where nginx did not play. */
export function withRatios<Round extends { readonly cpuUs: number }>(
  bout: Bout,
  rounds: readonly Round[],
): readonly (Round & { readonly ratio: number | undefined })[] {
  const nginx = rounds[bout.indexOf("nginx")]?.cpuUs;
  return rounds.map((round) => ({
    ...round,
    ratio: nginx === undefined ? undefined : round.cpuUs / nginx,
  }));
}

function passOf(names: readonly PeerName[], abreast: number, isReversed: boolean): readonly Bout[] {
  const nginx = names.filter((name) => name === "nginx");
  const others = names.filter((name) => name !== "nginx");
  const bouts: Bout[] = others.length === 0 ? [nginx] : [];
  for (let n = 0; n < others.length; n += 2 * abreast) {
    const middle = n + abreast;
    const after = others.slice(middle, middle + abreast);
    const bout = [...others.slice(n, middle), ...nginx, ...after];
    bouts.push(isReversed ? bout.toReversed() : bout);
  }
  return bouts;
}
