/**
 * Float values as the bits that they are: two 32-bit words over the same buffer. A stale marker that passes through a
 * JavaScript number may come out as another NaN, so whoever writes a value writes its words.
 *
 *     values   │   row 0   │   row 1   │
 *     words    │ low │ high│ low │ high│     the other way around on a big-endian machine
 */

/** Where a row's high word stands: at `2 * row + HIGH_WORD`. */
export const HIGH_WORD: number = new Uint8Array(Uint32Array.of(1).buffer)[0]!;

/** Where a row's low word stands: at `2 * row + LOW_WORD`. */
export const LOW_WORD: number = 1 - HIGH_WORD;

/** The words of a column of values: a view, two words a row. */
export function wordsOf(values: Float64Array): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
}

/** Whether two words are those of the stale marker, by which Prometheus says that a series has ended. */
export function isStaleWords(high: number, low: number): boolean {
  return high === 0x7ff00000 && low === 2;
}
