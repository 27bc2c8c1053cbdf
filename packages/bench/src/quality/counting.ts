/**
 * What a spliced counter and a spliced gauge say, held against the truth.
 *
 *     counter   ●  ●  ●           a drop that no reset explains is a false one: `rate` would count
 *                      ●  ●  ●    everything that was ever counted as new
 */
import type { Outcome } from "./outcome.ts";
import type { Scraped } from "./scrapes.ts";
import { GAUGE_REACH, generationAt, type Truth } from "./truth.ts";

const INCREASE_INTERVALS = 4;
const STEP_INTERVALS = 1.1;
/** `increase` reaches beyond the first and the last sample up to so many mean distances, as Prometheus does it. */
const EXTRAPOLATED_DISTANCES = 1.1;

/** Shares of the true increase: 0 is right, 1 all wrong. */
export interface IncreaseErrors {
  /** On the average; where nothing is shown, nothing is taken as shown, which is an error of 1. */
  readonly mean: number;
  /** On the average where something is shown. */
  readonly meanWhereShown: number;
  readonly shownShare: number;
}

/** How many drops of live samples are not the truth's: each reset of the truth explains one drop. */
export function countFalseResets(live: Outcome, replicas: readonly Scraped[], truth: Truth): number {
  let explained = 0;
  let count = 0;
  for (let row = 0; row < live.timestamps.length; row++) {
    const generation = generationAt(truth, live.timestamps[row]! - replicas[live.replicas[row]!]!.skewMs);
    if (row > 0 && live.values[row]! < live.values[row - 1]! && generation <= explained) {
      count++;
    }
    explained = Math.max(explained, generation);
  }
  return count;
}

/** What is asked in [firstMs, lastMs], and what the truth answers: the same for every strategy. Columns of equal length. */
export interface Questions {
  readonly intervalMs: number;
  /** Ascending, 1.1 intervals apart, so that scrapes are met at every phase. */
  readonly atMs: Float64Array;
  /** What was counted in the 4 intervals before. */
  readonly increases: Float64Array;
  readonly gauges: Float64Array;
}

export function makeQuestions(truth: Truth, intervalMs: number, firstMs: number, lastMs: number): Questions {
  const reachMs = INCREASE_INTERVALS * intervalMs;
  const stepMs = STEP_INTERVALS * intervalMs;
  const count = Math.floor((lastMs - firstMs - reachMs) / stepMs);
  const atMs = Float64Array.from({ length: count }, (_, index) => firstMs + reachMs + index * stepMs);
  return {
    intervalMs,
    atMs,
    increases: atMs.map((timeMs) => truth.totalAt(timeMs) - truth.totalAt(timeMs - reachMs)),
    gauges: atMs.map((timeMs) => truth.gaugeAt(timeMs)),
  };
}

/** `increase` over 4 intervals at each question, against what was counted. */
export function measureIncrease(
  { timestamps, values }: Outcome,
  { intervalMs, atMs, increases }: Questions,
): IncreaseErrors {
  let start = 0;
  let end = 0;
  let shown = 0;
  let errors = 0;
  for (let question = 0; question < atMs.length; question++) {
    const toMs = atMs[question]!;
    const fromMs = toMs - INCREASE_INTERVALS * intervalMs;
    while (start < timestamps.length && timestamps[start]! <= fromMs) {
      start++;
    }
    end = Math.max(end, start);
    while (end < timestamps.length && timestamps[end]! <= toMs) {
      end++;
    }
    if (end - start >= 2) {
      const real = increases[question]!;
      errors += Math.abs(increaseOf(timestamps, values, start, end, fromMs, toMs) - real) / real;
      shown++;
    }
  }
  const asked = atMs.length;
  return { mean: (errors + asked - shown) / asked, meanWhereShown: errors / shown, shownShare: shown / asked };
}

/**
 * Prometheus' `increase` of rows [start, end), at least two, in the window (fromMs, toMs].
 * Source: promql/functions.go, extrapolatedRate, v3.
 */
export function increaseOf(
  timestamps: Float64Array,
  values: Float64Array,
  start: number,
  end: number,
  fromMs: number,
  toMs: number,
): number {
  const first = values[start]!;
  let increase = values[end - 1]! - first;
  for (let row = start + 1; row < end; row++) {
    if (values[row]! < values[row - 1]!) {
      increase += values[row - 1]!;
    }
  }
  const sampledMs = timestamps[end - 1]! - timestamps[start]!;
  const distanceMs = sampledMs / (end - start - 1);
  const limitMs = EXTRAPOLATED_DISTANCES * distanceMs;
  let toStartMs = timestamps[start]! - fromMs;
  let toEndMs = toMs - timestamps[end - 1]!;
  if (toStartMs >= limitMs) {
    toStartMs = distanceMs / 2;
  }
  if (increase > 0 && first >= 0) {
    // A counter is not followed to below 0.
    toStartMs = Math.min(toStartMs, sampledMs * (first / increase));
  }
  if (toEndMs >= limitMs) {
    toEndMs = distanceMs / 2;
  }
  return increase * ((sampledMs + toStartMs + toEndMs) / sampledMs);
}

/**
 * How far the newest sample of the gauge is from the gauge at each question: the mean of the absolute differences, as a share
 * of the gauge's reach. 4 intervals after a sample nothing is shown, which is an error of 1.
 */
export function measureGauge(
  { timestamps, replicas: replicaOf }: Outcome,
  replicas: readonly Scraped[],
  truth: Truth,
  { intervalMs, atMs, gauges }: Questions,
): number {
  let end = 0;
  let errors = 0;
  for (let question = 0; question < atMs.length; question++) {
    const timeMs = atMs[question]!;
    while (end < timestamps.length && timestamps[end]! <= timeMs) {
      end++;
    }
    const row = end - 1;
    if (row < 0 || timeMs - timestamps[row]! > INCREASE_INTERVALS * intervalMs) {
      errors += 1;
    } else {
      const scrapedMs = timestamps[row]! - replicas[replicaOf[row]!]!.skewMs;
      errors += Math.abs(truth.gaugeAt(scrapedMs) - gauges[question]!) / GAUGE_REACH;
    }
  }
  return errors / atMs.length;
}
