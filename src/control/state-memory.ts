import { NOTHING_SAVED, type SavedState, type StateStore } from "./state-store.ts";

/** Orders for as long as the gateway runs: where it has no file to keep them in. */
export class StateMemory implements StateStore {
  #saved: SavedState = NOTHING_SAVED;

  get saved(): SavedState {
    return this.#saved;
  }

  save(change: (saved: SavedState) => SavedState): Promise<{ ok: true }> {
    this.#saved = change(this.#saved);
    return Promise.resolve({ ok: true });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
