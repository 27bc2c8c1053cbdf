/** Times of samples: whole milliseconds since the epoch as numbers, and what is said of those that are not. */

/** The furthest time from the epoch that a timestamp may have, in milliseconds: doubles are exact up to there. */
export const TIMESTAMP_MS_MAX: number = 2 ** 53;

/** Whether a number can be the time of a sample. */
export function isTimestamp(timeMs: number): boolean {
  return Number.isInteger(timeMs) && Math.abs(timeMs) <= TIMESTAMP_MS_MAX;
}

/** What is wrong with a time that follows another one; undefined if nothing is. */
export function describeTime(timeMs: number, beforeMs: number): string | undefined {
  if (!Number.isInteger(timeMs)) {
    return `timestamp ${timeMs} is not a whole number of milliseconds`;
  }
  if (Math.abs(timeMs) > TIMESTAMP_MS_MAX) {
    return `timestamp ${timeMs} is outside ±2^53`;
  }
  return timeMs > beforeMs ? undefined : `timestamp ${timeMs} is not later than the one before it, ${beforeMs}`;
}
