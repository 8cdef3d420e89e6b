import type { Message, Signal } from "./alert.ts";

/** What is known of one thing that may be told. */
interface Entry {
  /** The latest. */
  readonly signal: Signal;
  readonly isActive: boolean;
  /** When it became so, the last time; milliseconds since the epoch. */
  readonly activeSince: number;
  /** Whoever reads the messages believes so. */
  readonly isTold: boolean;
  /** It goes on as something else since then: a failover from green to amber behind one from blue to green. */
  readonly isChanged: boolean;
  /** Of what no message has told so far: how often it was raised or noted, how often it ended, since when. */
  readonly raises: number;
  readonly clears: number;
  readonly since: number;
  /** No message that it is raised before this time; milliseconds since the epoch. */
  readonly quietUntil: number;
}

export interface ActiveAlert {
  readonly signal: Signal;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** The entries by their key, as plain data. */
export type KeptBook = Readonly<Record<string, Entry>>;

/** A message without its number. */
export type Told = Omit<Message, "id">;

export interface BookRules {
  readonly cooldownMs: number;
  /** Nothing is told of this group, or of any. */
  readonly isMuted: (group: string | undefined) => boolean;
}

/**
 * Decides what is told: one thing once, its end at once, and nothing of it again within the cooldown; what happens meanwhile is
 * folded into one message behind it. What is muted is told afterwards where it lasts.
 */
export class AlertBook {
  #entries: KeptBook;

  constructor(kept: KeptBook = {}) {
    this.#entries = kept;
  }

  get kept(): KeptBook {
    return this.#entries;
  }

  /** What goes on at the moment. */
  get active(): readonly ActiveAlert[] {
    return Object.values(this.#entries)
      .filter(({ isActive }) => isActive)
      .map(({ signal, activeSince: since }) => ({ signal, since }));
  }

  /** Takes a signal; what there is to tell of it now. */
  hear(signal: Signal, now: number, rules: BookRules): Told | undefined {
    const entry = this.#entries[signal.key] ?? begun(signal, now);
    const isActive = signal.kind === "raise";
    if (isActive && entry.isActive) {
      const isChanged = entry.isChanged || signal.title !== entry.signal.title;
      return this.#tell({ ...entry, signal, isChanged }, now, rules);
    }
    // It was never raised.
    if (signal.kind === "clear" && !entry.isActive) return undefined;
    const isEnd = signal.kind === "clear";
    return this.#tell(
      {
        ...entry,
        signal,
        isActive,
        isChanged: false,
        activeSince: isActive ? now : entry.activeSince,
        raises: entry.raises + (isEnd ? 0 : 1),
        clears: entry.clears + (isEnd ? 1 : 0),
        since: entry.raises + entry.clears === 0 ? now : entry.since,
      },
      now,
      rules,
    );
  }

  /** What is due by now: the end of a cooldown, or of a time in which nothing was told. */
  due(now: number, rules: BookRules): readonly Told[] {
    const untold = Object.values(this.#entries).filter(
      ({ raises, clears, isChanged, quietUntil }) =>
        raises + clears > 0 || isChanged || now >= quietUntil,
    );
    return untold.flatMap((entry) => this.#tell(entry, now, rules) ?? []);
  }

  #tell(entry: Entry, now: number, rules: BookRules): Told | undefined {
    const next = nextOf(entry, now, rules);
    if (next === "wait") return this.#set(entry);
    if (next === "nothing") return this.#forget(entry, now);
    const { isActive } = entry;
    const quietUntil = isEndAlone(entry) ? entry.quietUntil : now + rules.cooldownMs;
    const told = { isTold: isActive, isChanged: false, raises: 0, clears: 0, since: now };
    this.#set({ ...entry, ...told, quietUntil });
    return messageOf(entry, now);
  }

  #set(entry: Entry): undefined {
    this.#entries = { ...this.#entries, [entry.signal.key]: entry };
  }

  /** Nobody has to hear of it; nor has it to be remembered where it is over. */
  #forget(entry: Entry, now: number): undefined {
    const { [entry.signal.key]: _, ...others } = this.#entries;
    const isOver = !entry.isActive && !entry.isTold && now >= entry.quietUntil;
    if (isOver) this.#entries = others;
    else this.#set({ ...entry, raises: 0, clears: 0 });
  }
}

function begun(signal: Signal, now: number): Entry {
  const count = { raises: 0, clears: 0, since: now };
  const untold = { isTold: false, isChanged: false };
  return { signal, isActive: false, activeSince: now, ...untold, ...count, quietUntil: 0 };
}

function nextOf(entry: Entry, now: number, { isMuted }: BookRules): "tell" | "wait" | "nothing" {
  const { signal, isActive, isTold, isChanged, raises, clears, quietUntil } = entry;
  if (isMuted(signal.group)) return isActive || isTold ? "wait" : "nothing";
  const isKnown = isActive && isTold && !isChanged;
  if (isKnown || (raises + clears === 0 && !isChanged)) return "nothing";
  if (isEndAlone(entry)) return "tell";
  return now >= quietUntil ? "tell" : "wait";
}

/** The end of what was told, and nothing else since. */
function isEndAlone({ isActive, isTold, raises, clears }: Entry): boolean {
  return isTold && !isActive && clears === 1 && raises === 0;
}

function messageOf({ signal, isActive, raises, clears, since }: Entry, now: number): Told {
  const { rule, group, title, facts, kind } = signal;
  const state = kind === "note" ? "note" : isActive ? "firing" : "resolved";
  const times = Math.max(raises, clears);
  const seconds = Math.round((now - since) / 1_000);
  const folded = { label: "Folded", value: `${times} times in ${seconds} s` };
  return {
    at: now,
    rule,
    group,
    state,
    level: signal.level,
    title,
    facts: times > 1 ? [...facts, folded] : facts,
  };
}
