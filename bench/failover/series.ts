import type { Played } from "./played.ts";

const BIN_MS = 100;

/** Latency over time, for a picture; times in milliseconds from the beginning of the load. */
export interface Series {
  /** The slowest good answer of each tenth of a second, by when it was due. */
  readonly slowest: readonly { readonly at: number; readonly ms: number }[];
  /** Requests that failed, when they were due; the slowest of each tenth of a second. */
  readonly failed: readonly { readonly at: number; readonly ms: number }[];
  readonly acts: readonly { readonly at: number; readonly label: string }[];
}

export function seriesOf({ began, results, acts }: Played): Series {
  const binned = (ok: boolean) => {
    const bins = new Map<number, number>();
    for (const result of results) {
      if (result.ok !== ok) continue;
      const bin = Math.floor((result.dueAt - began) / BIN_MS) * BIN_MS;
      bins.set(bin, Math.max(bins.get(bin) ?? 0, result.latencyMs));
    }
    return [...bins]
      .map(([at, ms]) => ({ at, ms: Math.round(ms * 100) / 100 }))
      .sort((a, b) => a.at - b.at);
  };
  return {
    slowest: binned(true),
    failed: binned(false),
    acts: acts.map((act) => ({ at: Math.round(act.began - began), label: act.label })),
  };
}
