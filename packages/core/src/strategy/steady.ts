/**
 * Goes on over rows as long as each follows the one before it after a whole number of ms in `[leastMs, mostMs]`, and returns
 * the row it stopped at. `row` is not the first.
 */
export function passSteadyRows(
  timestamps: Float64Array,
  row: number,
  end: number,
  leastMs: number,
  mostMs: number,
): number {
  let beforeMs = timestamps[row - 1]!;
  let next = row;
  for (; next < end; next++) {
    const timeMs = timestamps[next]!;
    const deltaMs = timeMs - beforeMs;
    if (!(deltaMs >= leastMs && deltaMs <= mostMs) || Math.floor(timeMs) !== timeMs) {
      break;
    }
    beforeMs = timeMs;
  }
  return next;
}
