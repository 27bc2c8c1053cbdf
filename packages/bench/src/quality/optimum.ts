/**
 * The bound for every strategy without doubles: the least uncovered time that any subset of all replicas' samples reaches
 * if neighbours are at least half an interval apart.
 *
 * Dynamic programming over ascending timestamps. best(i) is the least uncovered time up to sample i if it is chosen, and
 * its predecessor j is one of two kinds:
 *
 *     near   0.5 to 1.25 intervals before i   best(j)                              the least in a window that moves along
 *     far    more than 1.25 before i          best(j) + t(i) − t(j) − 1.25 I       the least best(j) − t(j) so far
 */
import { REACH_INTERVALS } from "./spacing.ts";

const APART_INTERVALS = 0.5;

/** In ms, over [fromMs, toMs], with uncovered time as `uncoveredMs` counts it. O(n) while samples are not ever denser. */
export function leastUncoveredMs(timestamps: Float64Array, intervalMs: number, fromMs: number, toMs: number): number {
  const times = timestamps.filter((timestamp) => timestamp >= fromMs && timestamp <= toMs);
  const reachMs = REACH_INTERVALS * intervalMs;
  const apartMs = APART_INTERVALS * intervalMs;
  const best = new Float64Array(times.length);
  let least = toMs - fromMs;
  /** Rows before it are more than the reach before the row in hand, and so counted in `far`. */
  let near = 0;
  let far = Infinity;
  for (let row = 0; row < times.length; row++) {
    const time = times[row]!;
    while (time - times[near]! > reachMs) {
      far = Math.min(far, best[near]! - times[near]!);
      near++;
    }
    let value = Math.min(time - fromMs, far + time - reachMs);
    for (let before = near; before < row && time - times[before]! >= apartMs; before++) {
      value = Math.min(value, best[before]!);
    }
    best[row] = value;
    least = Math.min(least, value + Math.max(0, toMs - time - reachMs));
  }
  return least;
}
