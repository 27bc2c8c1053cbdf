/**
 * PromQL's `increase` and `histogram_quantile`, done naively over what the JSON API shows.
 *
 * `increase` as Prometheus' `extrapolatedRate` does it (promql/functions.go, the same in 2.42 and 3.x but where
 * a counter's zero bounds the extrapolation, which must not be the case here).
 */
import type { JsonHistogram } from "./prometheus.ts";

/** Times in ms, increasing; `values` of a counter far from zero. At least two samples, all inside the range. */
export function naiveIncrease(
  times: readonly number[],
  values: readonly number[],
  rangeStartMs: number,
  rangeEndMs: number,
): number {
  const last = times.length - 1;
  let gained = values[last]! - values[0]!;
  for (let row = 1; row <= last; row++) {
    gained += values[row]! < values[row - 1]! ? values[row - 1]! : 0;
  }
  const sampled = times[last]! - times[0]!;
  const average = sampled / last;
  const extended = [times[0]! - rangeStartMs, rangeEndMs - times[last]!].reduce(
    (sum, distance) => sum + (distance < 1.1 * average ? distance : average / 2),
    sampled,
  );
  return (gained * extended) / sampled;
}

/** A histogram in numbers; buckets by what they include of their bounds, and these. */
export interface NaiveHistogram {
  readonly count: number;
  readonly sum: number;
  readonly buckets: ReadonlyMap<string, number>;
}

export function readHistogram({ count, sum, buckets = [] }: JsonHistogram): NaiveHistogram {
  return {
    count: Number(count),
    sum: Number(sum),
    buckets: new Map(
      buckets.map(([rule, lower, upper, inside]) => [[rule, lower, upper].join(" "), Number(inside)] as const),
    ),
  };
}

/** Of histograms, number by number: each must fall, or be 0, where the whole is reset. */
export function naiveHistogramIncrease(
  times: readonly number[],
  histograms: readonly NaiveHistogram[],
  rangeStartMs: number,
  rangeEndMs: number,
): NaiveHistogram {
  const increaseOf = (pick: (histogram: NaiveHistogram) => number): number =>
    naiveIncrease(times, histograms.map(pick), rangeStartMs, rangeEndMs);
  const keys = new Set(histograms.flatMap(({ buckets }) => [...buckets.keys()]));
  return {
    count: increaseOf(({ count }) => count),
    sum: increaseOf(({ sum }) => sum),
    buckets: new Map([...keys].map((key) => [key, increaseOf(({ buckets }) => buckets.get(key) ?? 0)])),
  };
}

/** Within a bucket above zero, exponentially or linearly; elsewhere it is not defined here. */
export function naiveQuantile(quantile: number, { count, buckets }: NaiveHistogram, isExponential: boolean): number {
  const sorted = [...buckets]
    .map(([key, inside]) => ({ inside, bounds: key.split(" ").slice(1).map(Number) as [number, number] }))
    .toSorted((one, other) => one.bounds[0] - other.bounds[0]);
  let left = quantile * count;
  for (const {
    inside,
    bounds: [lower, upper],
  } of sorted) {
    if (left <= inside) {
      const share = left / inside;
      return isExponential ? lower * (upper / lower) ** share : lower + (upper - lower) * share;
    }
    left -= inside;
  }
  return NaN;
}
