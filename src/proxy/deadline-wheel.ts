import type { Cancel, Clock } from "../clock.ts";

/** Milliseconds between two looks at the deadlines. */
const TICK_MS = 25;
/** Ticks that the wheel sees ahead; a later deadline is put off when its slot comes round. */
const SLOTS = 1024;
/** How far the wheel catches up at once; what is beyond was a stall and does not count. */
const MAX_TICKS_A_LOOK = 3;

const NOTHING = (): void => {};

/** One thing that may take too long. Its owner makes it once and arms it again and again. */
export class Deadline {
  expire: () => void;
  readonly #wheel: DeadlineWheel;
  /** Wheel time at which it expires; Infinity while disarmed. Only the wheel and arm() touch it. */
  at = Infinity;
  /** The tick whose slot holds it, 0 while none does. */
  tick = 0;

  constructor(wheel: DeadlineWheel, expire: () => void) {
    this.#wheel = wheel;
    this.expire = expire;
  }

  /** Expires `ms` from now, at most 50 ms late, never early; 0 = never. Replaces what was armed. */
  arm(ms: number): void {
    if (ms <= 0) this.disarm();
    else this.#wheel.arm(this, ms);
  }

  disarm(): void {
    this.at = Infinity;
  }

  /**
   * Disarmed for good. The slot that it was put in holds it until its turn, 25 s at most, and must
   * not hold a closed connection or a whole exchange with it.
   */
  end(): void {
    this.at = Infinity;
    this.expire = NOTHING;
  }
}

/**
 * All deadlines of a process on one timer. Arming and disarming store a number: a deadline stays in
 * the slot it was first put in and is put off when that slot comes round. The wheel's time stands
 * still while the event loop is stalled, so a stall is never booked as somebody's timeout.
 */
export class DeadlineWheel {
  readonly #clock: Clock;
  readonly #slots: Deadline[][] = Array.from({ length: SLOTS }, () => []);
  #tick = 1;
  #held = 0;
  #lastLook = 0;
  #owed = 0;
  #cancel: Cancel | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  arm(deadline: Deadline, ms: number): void {
    deadline.at = this.#tick * TICK_MS + ms + TICK_MS;
    if (deadline.tick === 0 || deadline.tick * TICK_MS > deadline.at) this.#hold(deadline);
    if (this.#cancel === undefined) this.#start();
  }

  /** Calls back once, as a deadline that is armed for `ms`; for what needs no more than one. */
  after(ms: number, expire: () => void): Cancel {
    const deadline = new Deadline(this, expire);
    deadline.arm(ms);
    return () => deadline.end();
  }

  /** Drops every deadline and the timer. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    for (const slot of this.#slots) slot.length = 0;
    this.#held = 0;
  }

  #hold(deadline: Deadline): void {
    const wanted = Math.ceil(deadline.at / TICK_MS);
    deadline.tick = Math.min(Math.max(wanted, this.#tick + 1), this.#tick + SLOTS - 1);
    this.#slots[deadline.tick % SLOTS]?.push(deadline);
    this.#held += 1;
  }

  #start(): void {
    this.#lastLook = this.#clock.now();
    this.#owed = 0;
    this.#cancel = this.#clock.after(TICK_MS, this.#look);
  }

  readonly #look = (): void => {
    const now = this.#clock.now();
    // Timers run a little late all the time, which is made up for; a longer pause is a stall.
    this.#owed = Math.min(this.#owed + now - this.#lastLook, MAX_TICKS_A_LOOK * TICK_MS);
    this.#lastLook = now;
    for (; this.#owed >= TICK_MS; this.#owed -= TICK_MS) this.#turn();
    this.#cancel = this.#held > 0 ? this.#clock.after(TICK_MS, this.#look) : undefined;
  };

  #turn(): void {
    this.#tick += 1;
    const index = this.#tick % SLOTS;
    const due = this.#slots[index] ?? [];
    if (due.length === 0) return;
    this.#slots[index] = [];
    this.#held -= due.length;
    for (const deadline of due) this.#visit(deadline);
  }

  #visit(deadline: Deadline): void {
    // It sits in an earlier slot too, which will look after it.
    if (deadline.tick !== this.#tick) return;
    deadline.tick = 0;
    if (deadline.at === Infinity) return;
    if (deadline.at > this.#tick * TICK_MS) return this.#hold(deadline);
    deadline.at = Infinity;
    deadline.expire();
  }
}
