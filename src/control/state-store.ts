import type { Admin } from "../failover/server.ts";

/** What was ordered of one group; what is missing is as configured. Times in milliseconds since the epoch. */
export interface SavedGroup {
  /** What the configuration said of `primary` when another one was made it: an edit of that key is the later word. */
  readonly primary?: { readonly name: string; readonly configured: string } | undefined;
  readonly active?: string | undefined;
  /** By the server's key; those that are not `ready`. */
  readonly admin?: Readonly<Record<string, Admin>> | undefined;
  readonly door?:
    | { readonly kind: "held"; readonly since: number; readonly until: number }
    | { readonly kind: "maintenance"; readonly since: number }
    | undefined;
  readonly split?: Readonly<Record<string, number>> | undefined;
  /** Cold standbys that run. */
  readonly awake?: readonly string[] | undefined;
  readonly lastSwitch?:
    | { readonly from: string; readonly to: string; readonly at: number; readonly by: string }
    | undefined;
}

/** All that outlives a restart of the gateway, beside its configuration. */
export interface SavedState {
  readonly groups: Readonly<Record<string, SavedGroup>>;
  /** Groups given at run time, as they would stand in the file; in place of one of that name there. */
  readonly defined: Readonly<Record<string, unknown>>;
  /** Groups of the file that were deleted at run time. */
  readonly deleted: readonly string[];
}

export const NOTHING_SAVED: SavedState = { groups: {}, defined: {}, deleted: [] };

/** Where orders are kept. One gateway has a file; several that agree would have a store that they share. */
export interface StateStore {
  /** As of now; NOTHING_SAVED where nothing was kept, or what was kept cannot be read. */
  readonly saved: SavedState;
  /** Resolves once it would outlive a crash, or with why it would not. The change counts for this run in any case. */
  save(
    change: (saved: SavedState) => SavedState,
  ): Promise<{ ok: true } | { ok: false; reason: string }>;
  /** Resolves when nothing of it is under way any more. */
  close(): Promise<void>;
}
