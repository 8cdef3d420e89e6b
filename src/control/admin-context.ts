import type { Metrics } from "../observe/metrics.ts";
import type { Control } from "./control.ts";
import type { EventStreams } from "./event-streams.ts";
import type { Moment } from "./group-view.ts";

/** What the routes of the admin API go by. */
export interface AdminContext {
  readonly control: Control;
  /** The gateway's own. */
  readonly version: string;
  readonly metrics: Metrics;
  readonly streams: EventStreams;
  readonly moment: () => Moment;
}
