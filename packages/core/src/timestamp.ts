/** Times of samples: whole milliseconds since the epoch as numbers, and what is said of those that are not. */

/** The furthest time from the epoch that a timestamp may have, in milliseconds: doubles are exact up to there. */
export const TIMESTAMP_MS_MAX: number = 2 ** 53;

/** Whether a number can be the time of a sample. */
export function isTimestamp(timeMs: number): boolean {
  return Number.isInteger(timeMs) && Math.abs(timeMs) <= TIMESTAMP_MS_MAX;
}

/** What is wrong with the time of a row, given that the rows before it are right; undefined if nothing is. */
export function describeTimestamp(timestamps: Float64Array, row: number): string | undefined {
  const timestampMs = timestamps[row];
  if (timestampMs === undefined) {
    return `there is no such row, the column has ${timestamps.length}`;
  }
  if (!Number.isInteger(timestampMs)) {
    return `timestamp ${timestampMs} is not a whole number of milliseconds`;
  }
  if (Math.abs(timestampMs) > TIMESTAMP_MS_MAX) {
    return `timestamp ${timestampMs} is outside ±2^53`;
  }
  const beforeMs = row > 0 ? timestamps[row - 1]! : -Infinity;
  return timestampMs > beforeMs
    ? undefined
    : `timestamp ${timestampMs} is not later than the one before it, ${beforeMs}`;
}
