/**
 * A column of native histograms, what `Block.histograms()` gives in this package. Flat arrays, no object a row:
 *
 *     row              0               1               2 (stale)
 *     hints            unknown         no reset        unknown
 *     counts, sums …   two words a row
 *     layoutOf         0               0               1            index into `layouts`
 *     bucketStarts     0               3               6         6  row r has the buckets from [r] to [r + 1]
 *     buckets          ■ ■ ■           ■ ■ ■                        two words each: positive ones, then negative ones
 *
 * All histograms of a column are of integers, or all are of floats:
 *
 *     integers   counts and zero counts are 64 bits, the second read without a sign; a bucket is the difference from the bucket
 *                before it, signed; a BigInt64Array over the same buffer shows them, exact whatever their size
 *     floats     counts, zero counts and buckets (absolute ones) are the bits of floats; a Float64Array shows them
 *
 * Sums are floats in both, and values move as bits: the stale marker is the sum of an otherwise empty row.
 */
import type { HistogramColumn } from "@promsplice/core";

import { CUSTOM_SCHEMA, EMPTY_LAYOUT, type HistogramLayout } from "./histogram-layout.ts";
import { HIGH_WORD, isStaleWords, LOW_WORD } from "./value-words.ts";

/** What is known of whether the counter was reset before a row; the numbers of the protocol's enum. */
export const HINT_UNKNOWN = 0;
export const HINT_RESET = 1;
export const HINT_NO_RESET = 2;
/** The row is of a gauge, which may fall. */
export const HINT_GAUGE = 3;

/** One row for those who look at single ones: a plain object, of which nothing is shared with the column. */
export interface HistogramSample {
  readonly isFloat: boolean;
  /** 0 unknown, 1 reset, 2 no reset, 3 gauge. */
  readonly hint: number;
  readonly schema: number;
  readonly zeroThreshold: number;
  /** Of integers a bigint, of floats a number; so are the zero count and the buckets. */
  readonly count: bigint | number;
  readonly zeroCount: bigint | number;
  /** To compare or to add, not to store: a NaN may have lost its bits. */
  readonly sum: number;
  readonly isStale: boolean;
  /** Offset and length of each. */
  readonly positiveSpans: readonly (readonly [number, number])[];
  readonly negativeSpans: readonly (readonly [number, number])[];
  /** Of integers the difference from the bucket before, of floats the count. */
  readonly positiveBuckets: readonly (bigint | number)[];
  readonly negativeBuckets: readonly (bigint | number)[];
  readonly customValues: readonly number[];
}

/** The arrays of a column. */
export interface HistogramArrays {
  readonly isFloat: boolean;
  readonly layouts: readonly HistogramLayout[];
  readonly layoutOf: Uint32Array;
  readonly hints: Uint8Array;
  readonly counts: Int32Array;
  readonly zeroCounts: Int32Array;
  readonly sums: Int32Array;
  readonly bucketStarts: Uint32Array;
  readonly buckets: Int32Array;
}

export class HistogramRows implements HistogramColumn, HistogramArrays {
  readonly length: number;
  readonly isFloat: boolean;
  readonly layouts: readonly HistogramLayout[];
  readonly layoutOf: Uint32Array;
  readonly hints: Uint8Array;
  readonly counts: Int32Array;
  readonly zeroCounts: Int32Array;
  readonly sums: Int32Array;
  /** One more than there are rows. */
  readonly bucketStarts: Uint32Array;
  readonly buckets: Int32Array;

  /** A column over arrays that it keeps. */
  constructor(arrays: HistogramArrays) {
    this.length = arrays.hints.length;
    this.isFloat = arrays.isFloat;
    this.layouts = arrays.layouts;
    this.layoutOf = arrays.layoutOf;
    this.hints = arrays.hints;
    this.counts = arrays.counts;
    this.zeroCounts = arrays.zeroCounts;
    this.sums = arrays.sums;
    this.bucketStarts = arrays.bucketStarts;
    this.buckets = arrays.buckets;
  }

  /** Rows `start` to `end` (half-open), without copying. */
  slice(start: number, end: number): HistogramRows {
    return new HistogramRows({
      isFloat: this.isFloat,
      layouts: this.layouts,
      layoutOf: this.layoutOf.subarray(start, end),
      hints: this.hints.subarray(start, end),
      counts: this.counts.subarray(2 * start, 2 * end),
      zeroCounts: this.zeroCounts.subarray(2 * start, 2 * end),
      sums: this.sums.subarray(2 * start, 2 * end),
      bucketStarts: this.bucketStarts.subarray(start, end + 1),
      buckets: this.buckets,
    });
  }

  /** The layout of a row. */
  layoutAt(row: number): HistogramLayout {
    return this.layouts[this.layoutOf[row]!]!;
  }

  /** Whether a row is a stale marker. */
  isStale(row: number): boolean {
    return isStaleWords(this.sums[2 * row + HIGH_WORD]!, this.sums[2 * row + LOW_WORD]!);
  }

  /** A row as a plain object. */
  at(row: number): HistogramSample {
    const { schema, bounds, positiveSpans, negativeSpans, positiveBuckets } = this.layoutAt(row);
    const start = this.bucketStarts[row]!;
    const middle = start + positiveBuckets;
    return {
      isFloat: this.isFloat,
      hint: this.hints[row]!,
      schema,
      zeroThreshold: bounds[0]!,
      count: this.#unsigned(this.counts, row),
      zeroCount: this.#unsigned(this.zeroCounts, row),
      sum: toFloat(this.sums, row),
      isStale: this.isStale(row),
      positiveSpans: pairsOf(positiveSpans),
      negativeSpans: pairsOf(negativeSpans),
      positiveBuckets: this.#bucketsOf(start, middle),
      negativeBuckets: this.#bucketsOf(middle, this.bucketStarts[row + 1]!),
      customValues: schema === CUSTOM_SCHEMA ? [...bounds.subarray(1)] : [],
    };
  }

  #unsigned(words: Int32Array, index: number): bigint | number {
    return this.isFloat ? toFloat(words, index) : BigInt.asUintN(64, toInt64(words, index));
  }

  #bucketsOf(start: number, end: number): (bigint | number)[] {
    return Array.from({ length: end - start }, (_, at) =>
      this.isFloat ? toFloat(this.buckets, start + at) : toInt64(this.buckets, start + at),
    );
  }
}

/** The column of a block of histograms. Throws a TypeError if it is of another kind than this package's. */
export function histogramRowsOf(column: HistogramColumn): HistogramRows {
  if (column instanceof HistogramRows) {
    return column;
  }
  throw new TypeError("the histograms of a block must be a HistogramRows");
}

/** A column of the rows named, in that order. */
export function pickRows(rows: HistogramRows, order: Uint32Array): HistogramRows {
  const builder = new HistogramBuilder(rows.isFloat, order.length, 0);
  for (const [index, row] of order.entries()) {
    const start = builder.startRow(rows.layoutAt(row), rows.hints[row]!);
    builder.counts.set(rows.counts.subarray(2 * row, 2 * row + 2), 2 * index);
    builder.zeroCounts.set(rows.zeroCounts.subarray(2 * row, 2 * row + 2), 2 * index);
    builder.sums.set(rows.sums.subarray(2 * row, 2 * row + 2), 2 * index);
    builder.buckets.set(rows.buckets.subarray(2 * rows.bucketStarts[row]!, 2 * rows.bucketStarts[row + 1]!), 2 * start);
  }
  return builder.finish();
}

/** Builds a column row by row: {@link startRow}, then the row's words are written into the arrays. */
export class HistogramBuilder {
  readonly #isFloat: boolean;
  readonly #layouts: HistogramLayout[] = [];
  readonly #layoutOf: Uint32Array;
  readonly #hints: Uint8Array;
  readonly #bucketStarts: Uint32Array;
  readonly counts: Int32Array;
  readonly zeroCounts: Int32Array;
  readonly sums: Int32Array;
  /** Changes when it grows: to be read after {@link startRow}. */
  buckets: Int32Array;
  #length = 0;
  #bucketCount = 0;

  /** For at most `rows` rows; the buckets may become more than said. */
  constructor(isFloat: boolean, rows: number, buckets: number) {
    this.#isFloat = isFloat;
    this.#layoutOf = new Uint32Array(rows);
    this.#hints = new Uint8Array(rows);
    this.#bucketStarts = new Uint32Array(rows + 1);
    this.counts = eightBytes(rows);
    this.zeroCounts = eightBytes(rows);
    this.sums = eightBytes(rows);
    this.buckets = eightBytes(buckets);
  }

  /** Rows so far. */
  get length(): number {
    return this.#length;
  }

  /** Begins a row, all zeros, and returns where its buckets go: so many as its layout has, two words each. */
  startRow(layout: HistogramLayout, hint: number): number {
    const row = this.#length++;
    const last = this.#layouts.length - 1;
    const index = this.#layouts[last] === layout ? last : this.#layouts.push(layout) - 1;
    const start = this.#bucketCount;
    const end = start + layout.positiveBuckets + layout.negativeBuckets;
    if (2 * end > this.buckets.length) {
      const buckets = eightBytes(2 * end);
      buckets.set(this.buckets);
      this.buckets = buckets;
    }
    this.#layoutOf[row] = index;
    this.#hints[row] = hint;
    this.#bucketStarts[row + 1] = end;
    this.#bucketCount = end;
    return start;
  }

  /** Begins and ends a row that is a stale marker, whose words are those of its sum. */
  addStale(): void {
    const row = this.#length;
    this.startRow(EMPTY_LAYOUT, HINT_UNKNOWN);
    this.sums[2 * row + HIGH_WORD] = 0x7ff00000;
    this.sums[2 * row + LOW_WORD] = 2;
  }

  /** The column. The builder is of no more use. */
  finish(): HistogramRows {
    const rows = this.#length;
    const words = 2 * this.#bucketCount;
    return new HistogramRows({
      isFloat: this.#isFloat,
      layouts: this.#layouts,
      layoutOf: this.#layoutOf.subarray(0, rows),
      hints: this.#hints.subarray(0, rows),
      counts: this.counts.subarray(0, 2 * rows),
      zeroCounts: this.zeroCounts.subarray(0, 2 * rows),
      sums: this.sums.subarray(0, 2 * rows),
      bucketStarts: this.#bucketStarts.subarray(0, rows + 1),
      // What is not needed is not kept, if it is much.
      buckets: 2 * words < this.buckets.length ? this.buckets.slice(0, words) : this.buckets.subarray(0, words),
    });
  }
}

/** Words for so many numbers, at a place where numbers of 64 bits may be. */
function eightBytes(numbers: number): Int32Array {
  return new Int32Array(new ArrayBuffer(8 * numbers));
}

function toFloat(words: Int32Array, index: number): number {
  return new Float64Array(words.buffer, words.byteOffset, words.length / 2)[index]!;
}

function toInt64(words: Int32Array, index: number): bigint {
  return new BigInt64Array(words.buffer, words.byteOffset, words.length / 2)[index]!;
}

function pairsOf(spans: Int32Array): (readonly [number, number])[] {
  return Array.from({ length: spans.length / 2 }, (_, at) => [spans[2 * at]!, spans[2 * at + 1]!] as const);
}
