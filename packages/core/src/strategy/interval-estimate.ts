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

/** The estimate from the first `count` deltas, in ms; NaN from none. `leastMs` is the shortest of them. */
export function estimateInterval(deltas: Float64Array, count: number, leastMs: number): number {
  const limitMs = REGULAR_MAX * quantile(deltas, count, leastMs);
  let sumMs = 0;
  let regular = 0;
  for (let index = 0; index < count; index++) {
    const deltaMs = deltas[index]!;
    if (deltaMs <= limitMs) {
      sumMs += deltaMs;
      regular++;
    }
  }
  return sumMs / regular;
}

const smallest = new Float64Array(Math.floor(QUANTILE * DELTAS) + 1);

/** The delta at index ⌊0.2 · count⌋ in ascending order: the largest of so many smallest ones. */
function quantile(deltas: Float64Array, count: number, leastMs: number): number {
  const last = Math.floor(QUANTILE * count);
  let least = 0;
  for (let index = 0; index < count; index++) {
    least += deltas[index] === leastMs ? 1 : 0;
  }
  if (least > last) {
    // Fast path: a fifth of the deltas are equally short, because servers scrape to the millisecond.
    return leastMs;
  }
  smallest.fill(Infinity);
  for (let index = 0; index < count; index++) {
    const deltaMs = deltas[index]!;
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

/** Writes the deltas of `timestamps` after `row` as far as `end`, and returns the shortest; NaN if a time does not increase. */
export function readDeltas(timestamps: Float64Array, row: number, end: number, deltas: Float64Array): number {
  let beforeMs = timestamps[row]!;
  let leastMs = Infinity;
  for (let next = row + 1; next < end; next++) {
    const timeMs = timestamps[next]!;
    const deltaMs = timeMs - beforeMs;
    deltas[next - row - 1] = deltaMs;
    if (!(deltaMs >= leastMs)) {
      leastMs = deltaMs;
    }
    beforeMs = timeMs;
  }
  return leastMs > 0 ? leastMs : NaN;
}
