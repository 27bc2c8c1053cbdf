/**
 * The scrape interval of a replica, estimated from the times between its scrapes: of at most 16 of them the mean of those that
 * are no longer than 1.5 × their 20 % quantile. So missed scrapes do not count as long as a fifth of the deltas are whole.
 *
 *     deltas     15 15 30 15 45 15 15 15 30 …     quantile 15, those up to 22.5 count, mean 15
 */

/** How many deltas are looked at (W). */
export const DELTAS = 16;
const QUANTILE = 0.2;
const REGULAR_MAX = 1.5;

/** What is known of some deltas: the estimate in ms, NaN from none, and the shortest; NaN if a time does not increase. */
export interface Estimate {
  intervalMs: number;
  leastMs: number;
}

const deltas = new Float64Array(DELTAS);
const smallest = new Float64Array(Math.floor(QUANTILE * DELTAS) + 1);

/** Estimates from the deltas between rows `start` to `end`, at most 17 of them. */
export function estimateInterval(timestamps: Float64Array, start: number, end: number, estimate: Estimate): void {
  const count = end - start - 1;
  let beforeMs = timestamps[start]!;
  let leastMs = Infinity;
  /** How many are the shortest. */
  let least = 0;
  for (let index = 0; index < count; index++) {
    const timeMs = timestamps[start + index + 1]!;
    const deltaMs = timeMs - beforeMs;
    deltas[index] = deltaMs;
    if (!(deltaMs >= leastMs)) {
      leastMs = deltaMs;
      least = 0;
    }
    least += deltaMs === leastMs ? 1 : 0;
    beforeMs = timeMs;
  }
  const last = Math.floor(QUANTILE * count);
  // Fast path: a fifth of the deltas are equally short, because servers scrape to the millisecond.
  const quantileMs = least > last ? leastMs : findQuantile(deltas, count, last);
  estimate.intervalMs = averageRegular(deltas, count, quantileMs);
  estimate.leastMs = leastMs > 0 ? leastMs : NaN;
}

/** The same of deltas that are at hand, in any order: the estimate in ms, NaN from none. */
export function estimateFromDeltas(given: Float64Array, count: number): number {
  return averageRegular(given, count, findQuantile(given, count, Math.floor(QUANTILE * count)));
}

/** The mean of those deltas that are not much longer than the quantile. */
function averageRegular(given: Float64Array, count: number, quantileMs: number): number {
  const limitMs = REGULAR_MAX * quantileMs;
  let sumMs = 0;
  let regular = 0;
  for (let index = 0; index < count; index++) {
    const deltaMs = given[index]!;
    const isRegular = deltaMs <= limitMs ? 1 : 0;
    sumMs += isRegular * deltaMs;
    regular += isRegular;
  }
  return sumMs / regular;
}

/** The delta at index `last` in ascending order: the largest of so many smallest ones. */
function findQuantile(given: Float64Array, count: number, last: number): number {
  smallest.fill(Infinity);
  for (let index = 0; index < count; index++) {
    const deltaMs = given[index]!;
    if (deltaMs < smallest[last]!) {
      let place = last;
      while (place > 0 && smallest[place - 1]! > deltaMs) {
        smallest[place] = smallest[place - 1]!;
        place--;
      }
      smallest[place] = deltaMs;
    }
  }
  return smallest[last]!;
}
