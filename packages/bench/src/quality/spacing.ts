/**
 * How well samples cover time, from their timestamps alone.
 *
 *     samples       ●─────────●─────────●──●────────────────────●
 *     covered       ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━         ━━━━      1.25 intervals after each
 *     uncovered                                        ·········
 *     near-duplicate                       ^                             less than 0.45 intervals after the one before
 */

/** A sample stands for the time up to so many intervals after it. */
export const REACH_INTERVALS = 1.25;
const NEAR_INTERVALS = 0.45;

/** The part of [fromMs, toMs], in ms, that lies more than 1.25 intervals after the last of ascending timestamps in it. */
export function uncoveredMs(timestamps: Float64Array, intervalMs: number, fromMs: number, toMs: number): number {
  const reachMs = REACH_INTERVALS * intervalMs;
  let coveredToMs = fromMs;
  let total = 0;
  for (const timestamp of timestamps) {
    if (timestamp > toMs) {
      break;
    }
    if (timestamp >= fromMs) {
      total += Math.max(0, timestamp - coveredToMs);
      coveredToMs = timestamp + reachMs;
    }
  }
  return total + Math.max(0, toMs - coveredToMs);
}

/** How many of ascending timestamps come less than 0.45 intervals after the one before. */
export function countNearDuplicates(timestamps: Float64Array, intervalMs: number): number {
  const limitMs = NEAR_INTERVALS * intervalMs;
  let count = 0;
  for (let row = 1; row < timestamps.length; row++) {
    if (timestamps[row]! - timestamps[row - 1]! < limitMs) {
      count++;
    }
  }
  return count;
}

/** How many rows come from another replica than the one before. */
export function countSwitches(replicas: Uint8Array): number {
  let count = 0;
  for (let row = 1; row < replicas.length; row++) {
    if (replicas[row] !== replicas[row - 1]) {
      count++;
    }
  }
  return count;
}
