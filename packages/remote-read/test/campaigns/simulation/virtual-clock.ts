/**
 * Time that goes on only when nothing else can happen: `setTimeout` and `clearTimeout` of the whole process are this clock's
 * while it runs. Nothing under test takes time from anywhere else, and streams and promises take none, so that a simulated minute
 * is over as soon as its work is done, and is the same each time.
 *
 *     everything that can happen happens ──▶ the earliest timer is taken, the time is now its ──▶ it is called ──▶ again
 */

interface Timer {
  readonly dueMs: number;
  readonly call: () => void;
}

export class VirtualClock {
  nowMs = 0;
  /** By number; of equal times the lower number goes first. */
  readonly #timers = new Map<number, Timer>();
  #numbers = 0;

  /** How many timers wait. */
  get waiting(): number {
    return this.#timers.size;
  }

  /** Calls back at a later time; gives what `clear` takes. */
  set(call: () => void, delayMs: number): number {
    this.#numbers++;
    this.#timers.set(this.#numbers, { dueMs: this.nowMs + Math.max(0, delayMs), call });
    return this.#numbers;
  }

  clear(timer: number | undefined): void {
    this.#timers.delete(timer ?? 0);
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.set(resolve, delayMs);
    });
  }

  /**
   * Runs until no timer is left. `onSettled` is called each time before that, when nothing can happen without time going on.
   *
   * @throws Error if that takes longer than `limitMs` of its time: then something hangs, or goes on for ever.
   */
  async run(limitMs: number, onSettled: () => void): Promise<void> {
    const { setTimeout: realSet, clearTimeout: realClear } = globalThis;
    const set = (call: () => void, delayMs = 0): number => this.set(call, delayMs);
    globalThis.setTimeout = set as unknown as typeof setTimeout;
    globalThis.clearTimeout = ((timer?: number) => this.clear(timer)) as typeof clearTimeout;
    try {
      for (;;) {
        await settle();
        onSettled();
        const next = this.#takeEarliest();
        if (next === undefined) {
          return;
        }
        this.nowMs = next.dueMs;
        if (this.nowMs > limitMs) {
          throw new Error(`there is still something going on after ${limitMs} ms`);
        }
        next.call();
      }
    } finally {
      globalThis.setTimeout = realSet;
      globalThis.clearTimeout = realClear;
    }
  }

  #takeEarliest(): Timer | undefined {
    let earliest: [number, Timer] | undefined;
    for (const entry of this.#timers) {
      if (earliest === undefined || entry[1].dueMs < earliest[1].dueMs) {
        earliest = entry;
      }
    }
    this.clear(earliest?.[0]);
    return earliest?.[1];
  }
}

/** Comes back when all promises that can be settled are: they go before the next turn of the event loop. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
