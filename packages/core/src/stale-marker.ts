/**
 * The stale marker: the NaN by which Prometheus says that a series has ended, `7ff0000000000002`. It is told from other NaNs
 * by its bits, which are compared as two 32-bit words: a number that was read may have been rewritten.
 */

import type { HistogramColumn } from "./block.ts";

/** Where a row's high word stands on this machine: 1 on a little-endian one. */
const HIGH_WORD = new Uint8Array(Uint32Array.of(1).buffer)[0]!;
/** The first and the second word of a stale marker as they lie in memory. */
const FIRST_WORD = HIGH_WORD === 1 ? 2 : 0x7ff00000;
const SECOND_WORD = HIGH_WORD === 1 ? 0x7ff00000 : 2;
/** What a column without stale markers has. */
const NO_ROWS: Uint32Array = new Uint32Array(0);

/** The rows of a column of values that hold the stale marker, ascending: what `Block.staleRows()` of floats answers. */
export function findStaleRows(values: Float64Array): Uint32Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length);
  const first = nextStaleWord(words, 0);
  if (first === words.length) {
    // Fast path: none, as in nearly every block.
    return NO_ROWS;
  }
  const rows: number[] = [];
  for (let word = first; word < words.length; word = nextStaleWord(words, word + 2)) {
    rows.push(word / 2);
  }
  return Uint32Array.from(rows);
}

/** The rows of a column of histograms that are stale markers, ascending. */
export function findStaleHistograms(histograms: HistogramColumn): Uint32Array {
  const rows: number[] = [];
  for (let row = 0; row < histograms.length; row++) {
    if (histograms.isStale?.(row) === true) {
      rows.push(row);
    }
  }
  return rows.length === 0 ? NO_ROWS : Uint32Array.from(rows);
}

/** Whether a row of a column of values holds the stale marker. */
export function isStaleMarker({ buffer, byteOffset }: Float64Array, row: number): boolean {
  const words = new Uint32Array(buffer, byteOffset + 8 * row, 2);
  return words[0] === FIRST_WORD && words[1] === SECOND_WORD;
}

/** Where the next stale marker begins, or the end. */
function nextStaleWord(words: Uint32Array, from: number): number {
  const end = words.length;
  let word = from;
  while (word < end && !(words[word] === FIRST_WORD && words[word + 1] === SECOND_WORD)) {
    word += 2;
  }
  return word;
}

/** Of ascending rows those in `[start, end)`, counted from `start`. */
export function cutRows(rows: Uint32Array, start: number, end: number): Uint32Array {
  if (rows.length === 0) {
    return rows;
  }
  const inside = rows.subarray(findRow(rows, start), findRow(rows, end));
  return start === 0 || inside.length === 0 ? inside : inside.map((row) => row - start);
}

/** Index of the first of ascending rows that is at least `row`. */
export function findRow(rows: Uint32Array, row: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (rows[middle]! < row) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}
