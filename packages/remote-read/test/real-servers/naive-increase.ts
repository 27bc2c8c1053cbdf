/**
 * PromQL's `increase`, as Prometheus' `extrapolatedRate` does it (promql/functions.go, the same in 2.42 and 3.x but where
 * a counter's zero bounds the extrapolation, which must not be the case here).
 */

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
