import type { Objective } from "../events.ts";

/** What a group promises its clients, over 30 days. */
export interface ServiceLevel {
  /** Part of the requests that are not answered by a 5xx, 0 to 1; undefined = nothing is promised. */
  readonly availability: number | undefined;
  /** Part of the requests that take no longer than this. */
  readonly latency: { readonly part: number; readonly underMs: number } | undefined;
}

/** The part of the requests that has to be good. */
export function objectivesOf({
  availability,
  latency,
}: ServiceLevel): readonly (readonly [Objective, number])[] {
  return [
    ...(availability === undefined ? [] : [["availability", availability] as const]),
    ...(latency === undefined ? [] : [["latency", latency.part] as const]),
  ];
}
