/**
 * What happened in a simulation, as lines: virtual time, who, what. Of events at the same time only the order of each one's own
 * counts, since engines may take promises that are ready at once in another order.
 */
import { createHash } from "node:crypto";

import type { VirtualClock } from "./virtual-clock.ts";

interface Event {
  readonly timeMs: number;
  readonly who: string;
  readonly what: string;
}

export class Trace {
  readonly #clock: VirtualClock;
  readonly #events: Event[] = [];

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  tell(who: string, what: string): void {
    this.#events.push({ timeMs: this.#clock.nowMs, who, what });
  }

  lines(): string[] {
    return this.#events
      .toSorted((one, other) => one.timeMs - other.timeMs || compareText(one.who, other.who))
      .map(({ timeMs, who, what }) => `${timeMs.toFixed(3)} ${who}: ${what}`);
  }

  hash(): string {
    return createHash("sha256").update(this.lines().join("\n")).digest("hex").slice(0, 16);
  }
}

/** A few letters that stand for bytes. */
export function fingerprint(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 8);
}

function compareText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
