/**
 * What is measured of a series, from the times of its samples. I is the scrape interval; with I = 10:
 *
 *     time        0        10        20                  40  43       53
 *     sample      o         o         o                   o   o        o
 *                                     └─ hole: > 1.5 I ───┘   └ near-duplicate: < 0.45 I after the one before
 *                                            └─ uncovered ┘   later than 1.25 I after the last sample
 *
 * The same numbers describe each replica and the spliced series; a stale marker counts as a sample, as it does for `penalty`.
 */

/** A stretch of time, in milliseconds. */
export interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Two neighbouring samples further apart than so many intervals are a hole. */
const HOLE_INTERVALS = 1.5;
/** Two neighbouring samples closer than so many intervals are near-duplicates. */
const NEAR_DUPLICATE_INTERVALS = 0.45;
/** A sample covers so many intervals after it. */
const COVERED_INTERVALS = 1.25;

/** From the first sample of any of the columns to the last one of any. One of them has at least one. */
export function spanColumns(columns: readonly Float64Array[]): Stretch {
  const filled = columns.filter(({ length }) => length > 0);
  return {
    fromMs: Math.min(...filled.map((timestamps) => timestamps[0]!)),
    toMs: Math.max(...filled.map((timestamps) => timestamps[timestamps.length - 1]!)),
  };
}

/** The scrape interval as the samples show it: the median step of all replicas, in ms; undefined where there is no step. */
export function estimateInterval(columns: readonly Float64Array[]): number | undefined {
  const steps = columns.flatMap((timestamps) =>
    Array.from(timestamps.subarray(1), (timestampMs, row) => timestampMs - timestamps[row]!),
  );
  return steps.toSorted((left, right) => left - right)[steps.length >> 1];
}

/** The rows before a hole: sample `row` and sample `row + 1` are too far apart. */
export function findHoles(timestamps: Float64Array, intervalMs: number): number[] {
  const rows: number[] = [];
  for (let row = 0; row + 1 < timestamps.length; row++) {
    if (timestamps[row + 1]! - timestamps[row]! > HOLE_INTERVALS * intervalMs) {
      rows.push(row);
    }
  }
  return rows;
}

export function countNearDuplicates(timestamps: Float64Array, intervalMs: number): number {
  let count = 0;
  for (let row = 1; row < timestamps.length; row++) {
    if (timestamps[row]! - timestamps[row - 1]! < NEAR_DUPLICATE_INTERVALS * intervalMs) {
      count++;
    }
  }
  return count;
}

/** How often neighbouring samples come from different replicas; `replicas` has one number a sample. */
export function countSwitches(replicas: Uint8Array): number {
  let count = 0;
  for (let row = 1; row < replicas.length; row++) {
    if (replicas[row] !== replicas[row - 1]) {
      count++;
    }
  }
  return count;
}

/** The stretches of the window that no sample covers, in order. The samples lie inside the window. */
export function findUncovered(timestamps: Float64Array, window: Stretch, intervalMs: number): Stretch[] {
  const stretches: Stretch[] = [];
  let fromMs = window.fromMs;
  for (const timestampMs of [...timestamps, window.toMs]) {
    if (timestampMs > fromMs) {
      stretches.push({ fromMs, toMs: timestampMs });
    }
    fromMs = timestampMs + COVERED_INTERVALS * intervalMs;
  }
  return stretches;
}

/** The share of a window that lies in none of the stretches, from 0 to 1. */
export function measureCoverage(uncovered: readonly Stretch[], window: Stretch): number {
  const uncoveredMs = uncovered.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
  return 1 - uncoveredMs / (window.toMs - window.fromMs);
}
