/**
 * How far apart a replica's samples are, as a splice shows them: its last few deltas, the scrape interval estimated from
 * them (`interval-estimate.ts`), and whether a gap is a hole or two samples are near-duplicates by that measure.
 *
 *     deltas   15 15 16 14 60 15 …      interval 15
 *     gap      60 > 1.5 · 15: a hole        3 < 0.45 · 15: a near-duplicate
 *
 * Estimating costs some 100 ns, so it is put off. While at least four of the deltas lie within a factor of 1.5, and all others
 * are too long to count, the estimate is known to lie between the same bounds, which is enough for nearly every gap.
 */
import { DELTAS, type Estimate, estimateFromDeltas } from "./strategy/interval-estimate.ts";

/** Two neighbouring samples that are too far apart, by their times in ms. */
export interface Hole {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A gap longer than so many intervals is a hole. */
export const HOLE_MIN = 1.5;
/** Samples closer than so many intervals are near-duplicates. */
const NEAR_MAX = 0.45;
/** So many deltas must lie between the bounds for the quantile to be one of them: one more than its index. */
const REGULAR_MIN = 4;
/** Longer than so many times the quantile a delta does not count for the estimate. */
const REGULAR_MAX = 1.5;

export const USUAL = 0;
export const HOLE = 1;
export const NEAR_DUPLICATE = 2;

export class Spacing {
  /** Time of the replica's last sample. */
  lastMs: number = -Infinity;
  /** How many deltas there are, up to DELTAS. */
  count: number = 0;
  /**
   * Deltas from `leastMs` to `mostMs` are usual; from Infinity to −Infinity where nothing is known. The estimate lies between
   * the two as well.
   */
  leastMs: number = Infinity;
  mostMs: number = -Infinity;
  readonly #intervalMs: number | undefined;
  readonly #deltas = new Float64Array(DELTAS);
  #at = 0;
  /** The interval, and whether there are deltas that it does not know of. */
  readonly #estimate: Estimate = { intervalMs: NaN, leastMs: NaN };
  #isStale = false;
  /** At least so many deltas lie between the bounds. */
  #regular = 0;

  /** `intervalMs` is taken in place of an estimate. */
  constructor(intervalMs: number | undefined) {
    this.#intervalMs = intervalMs;
    if (intervalMs !== undefined) {
      this.#estimate.intervalMs = intervalMs;
      this.leastMs = NEAR_MAX * intervalMs;
      this.mostMs = HOLE_MIN * intervalMs;
    }
  }

  /** Whether it has a measure for gaps. */
  get isKnown(): boolean {
    return this.#intervalMs !== undefined || this.count > 0;
  }

  /** The replica's next sample. */
  step(timeMs: number): void {
    const deltaMs = timeMs - this.lastMs;
    this.lastMs = timeMs;
    if (deltaMs === Infinity) {
      return;
    }
    this.#push(deltaMs);
    if (this.#intervalMs !== undefined || (deltaMs >= this.leastMs && deltaMs <= this.mostMs)) {
      return;
    }
    const isTooLong = this.mostMs > 0 && deltaMs > REGULAR_MAX * this.mostMs;
    this.#regular--;
    if (!isTooLong || this.#regular < REGULAR_MIN) {
      this.#bound();
    }
  }

  /** The replica's next samples, all at usual distances: rows behind the one at `lastMs`. */
  stepUsual(timestamps: Float64Array, start: number, end: number): void {
    for (let row = Math.max(start, end - DELTAS); row < end; row++) {
      this.#push(timestamps[row]! - timestamps[row - 1]!);
    }
    this.lastMs = timestamps[end - 1]!;
  }

  /** What a gap is that begins at this replica's last sample, or ends at it. */
  judge(gapMs: number): typeof USUAL | typeof HOLE | typeof NEAR_DUPLICATE {
    if (this.#intervalMs === undefined && this.mostMs > 0) {
      if (gapMs > HOLE_MIN * this.mostMs) {
        return HOLE;
      }
      if (gapMs < NEAR_MAX * this.leastMs) {
        return NEAR_DUPLICATE;
      }
      if (gapMs <= HOLE_MIN * this.leastMs && gapMs >= NEAR_MAX * this.mostMs) {
        return USUAL;
      }
    }
    const intervalMs = this.intervalMs();
    return gapMs > HOLE_MIN * intervalMs ? HOLE : gapMs < NEAR_MAX * intervalMs ? NEAR_DUPLICATE : USUAL;
  }

  /** The interval, given or estimated; NaN where there are no two samples. */
  intervalMs(): number {
    if (this.#isStale) {
      estimateFromDeltas(this.#deltas, this.count, this.#estimate);
      this.#isStale = false;
    }
    return this.#estimate.intervalMs;
  }

  #push(deltaMs: number): void {
    this.#deltas[this.#at] = deltaMs;
    this.#isStale = this.#intervalMs === undefined;
    this.#at = (this.#at + 1) % DELTAS;
    this.count = Math.min(this.count + 1, DELTAS);
  }

  /** Finds bounds between which the interval lies for as long as the next deltas do, or are too long to count. */
  #bound(): void {
    const deltas = this.#deltas;
    let shortestMs = Infinity;
    for (let index = 0; index < this.count; index++) {
      shortestMs = Math.min(shortestMs, deltas[index]!);
    }
    let regular = 0;
    let regularMs = 0;
    let longMs = Infinity;
    for (let index = 0; index < this.count; index++) {
      const deltaMs = deltas[index]!;
      if (deltaMs <= HOLE_MIN * shortestMs) {
        regular++;
        regularMs = Math.max(regularMs, deltaMs);
      } else {
        longMs = Math.min(longMs, deltaMs);
      }
    }
    // A fifth above the longest, so that jitter does not lead here again, but short of what must not be regular.
    const mostMs = Math.min(1.2 * regularMs, HOLE_MIN * shortestMs, (0.99 * longMs) / REGULAR_MAX);
    const isKnown = regular >= REGULAR_MIN && mostMs >= regularMs;
    this.#regular = regular;
    this.mostMs = isKnown ? mostMs : -Infinity;
    this.leastMs = isKnown ? Math.min(shortestMs, (1.01 * mostMs) / HOLE_MIN) : Infinity;
  }
}

/** The first row in `[start, end)` whose distance from the one before it is not between the two bounds, or `end`. */
export function skipUsualRows(
  timestamps: Float64Array,
  start: number,
  end: number,
  leastMs: number,
  mostMs: number,
): number {
  let beforeMs = timestamps[start - 1]!;
  let row = start;
  for (; row < end; row++) {
    const timeMs = timestamps[row]!;
    const deltaMs = timeMs - beforeMs;
    if (!(deltaMs >= leastMs && deltaMs <= mostMs)) {
      break;
    }
    beforeMs = timeMs;
  }
  return row;
}
