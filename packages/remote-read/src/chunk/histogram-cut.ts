/**
 * Where a column of histograms is cut into chunks, and the layout of each, as the appenders of Prometheus 3.14 have it
 * (`appendable` and `appendableGauge` in tsdb/chunkenc/histogram.go and float_histogram.go; 120 rows by storage/series.go):
 *
 *     row        0      1      2        3        4        5        6
 *     buckets    a b    a b    a b c    a b c    a b      a b c    stale
 *     counts     1 2    1 3    2 3 1    2 4 1    3 4      0 1 0    –
 *     chunks     ├ layout a b c, rows 0 and 1 with 0 in c ┤├ a b c ──────┤
 *                                       c = 1 is gone: a reset
 *
 * A chunk of counters goes on with a row that has the same schema, zero threshold and bounds, and in which no count falls and
 * no bucket that was not 0 is gone. Buckets that are new are added to all of its rows. A chunk of gauges goes on whatever the
 * counts. Behind a stale marker only stale markers follow.
 */
import { bucketIndices, BucketCounts, spansOf } from "./bucket-counts.ts";
import { CUSTOM_SCHEMA, type HistogramLayout, isSameSpans, makeLayout } from "./histogram-layout.ts";
import { HINT_GAUGE, HINT_RESET, HINT_UNKNOWN, type HistogramRows } from "./histogram-rows.ts";
import { TIME_MS_MAX } from "./chunk-time.ts";
import { HIGH_WORD, LOW_WORD } from "./value-words.ts";

/** Rows `start` to `end` (half-open) of a column as one chunk. */
export interface HistogramCut {
  readonly start: number;
  readonly end: number;
  /** What the chunk's header says of its first row. */
  readonly hint: number;
  /** Covers the buckets of all its rows. */
  readonly layout: HistogramLayout;
}

/** As many as Prometheus puts into one chunk. Its storage cuts by size as well, its remote read does not. */
const CHUNK_ROWS_MAX = 120;

/** Cuts a whole column. `isDetached` says that the first row does not follow its true predecessor: see `Block.detached`. */
export function cutHistograms(timestamps: Float64Array, rows: HistogramRows, isDetached: boolean): HistogramCut[] {
  const cuts: HistogramCut[] = [];
  const firstHint = rows.hints[0]!;
  const chunk = new OpenChunk(rows, isDetached && firstHint !== HINT_GAUGE ? HINT_UNKNOWN : firstHint);
  for (let row = 1; row < rows.length; row++) {
    const isFull = row - chunk.start === CHUNK_ROWS_MAX || timestamps[row]! - timestamps[chunk.start]! >= TIME_MS_MAX;
    const hint = isFull ? rows.hints[row]! : chunk.take(row);
    if (hint !== undefined) {
      cuts.push(chunk.close(row));
      chunk.open(row, hint);
    }
  }
  cuts.push(chunk.close(rows.length));
  return cuts;
}

/** The chunk that the next row may belong to. */
class OpenChunk {
  readonly #rows: HistogramRows;
  start = 0;
  #hint: number;
  #layout: HistogramLayout;
  #before = new BucketCounts();
  #now = new BucketCounts();

  constructor(rows: HistogramRows, hint: number) {
    this.#rows = rows;
    this.#hint = hint;
    this.#layout = rows.layoutAt(0);
    this.open(0, hint);
  }

  /** Begins a chunk with a row, the one that was looked at last. */
  open(row: number, hint: number): void {
    const rows = this.#rows;
    this.start = row;
    this.#hint = hint;
    this.#layout = rows.layoutAt(row);
    this.#before.load(rows, row, this.#layout);
  }

  close(end: number): HistogramCut {
    return { start: this.start, end, hint: this.#hint, layout: this.#layout };
  }

  /** Goes on with the next row, or says with which hint a new chunk begins there. */
  take(row: number): number | undefined {
    const rows = this.#rows;
    const hint = rows.hints[row]!;
    const isGauge = hint === HINT_GAUGE;
    const newHint = isGauge ? HINT_GAUGE : HINT_UNKNOWN;
    if (hint === HINT_RESET) {
      return HINT_RESET;
    }
    if (isGauge !== (this.#hint === HINT_GAUGE)) {
      // The original claims "no reset" for an integer counter behind gauges, which it has not looked at.
      return newHint;
    }
    if (rows.isStale(row)) {
      return undefined;
    }
    if (rows.isStale(row - 1)) {
      return newHint;
    }
    if (!isGauge && isBelow(rows, rows.counts, row)) {
      return HINT_RESET;
    }
    const { schema, bounds } = rows.layoutAt(row);
    if (schema !== this.#layout.schema || bounds[0] !== this.#layout.bounds[0]) {
      return newHint;
    }
    if (
      (schema === CUSTOM_SCHEMA && !hasSameBounds(bounds, this.#layout.bounds)) ||
      (!isGauge && isBelow(rows, rows.zeroCounts, row))
    ) {
      return isGauge ? HINT_GAUGE : HINT_RESET;
    }
    this.#now.load(rows, row, rows.layoutAt(row));
    if (!this.#fit(row, isGauge)) {
      return HINT_RESET;
    }
    const before = this.#before;
    this.#before = this.#now;
    this.#now = before;
    return undefined;
  }

  /** Makes the layout cover a row's buckets, unless one of a counter's has fallen. */
  #fit(row: number, isGauge: boolean): boolean {
    const layoutBefore = this.#rows.layoutAt(row - 1);
    const layout = this.#rows.layoutAt(row);
    // Fast path: the layout of the row before, as nearly all rows have.
    if (layout === layoutBefore) {
      return isGauge || !this.#hasFallen(layout.positiveBuckets + layout.negativeBuckets);
    }
    const positive = new Side(this.#layout.positiveSpans, layoutBefore.positiveSpans, layout.positiveSpans, 0, 0);
    const negative = new Side(
      this.#layout.negativeSpans,
      layoutBefore.negativeSpans,
      layout.negativeSpans,
      layoutBefore.positiveBuckets,
      layout.positiveBuckets,
    );
    if (!isGauge && (positive.isReset(this.#before, this.#now) || negative.isReset(this.#before, this.#now))) {
      return false;
    }
    if (positive.chunkLacks + negative.chunkLacks > 0) {
      const isMerged = isGauge && positive.rowLacks + negative.rowLacks > 0;
      this.#layout = makeLayout(
        this.#layout.schema,
        this.#layout.bounds,
        isMerged || positive.rowLacks > 0 ? spansOf(positive.union) : layout.positiveSpans,
        isMerged || negative.rowLacks > 0 ? spansOf(negative.union) : layout.negativeSpans,
      );
    }
    return true;
  }

  #hasFallen(buckets: number): boolean {
    for (let index = 0; index < buckets; index++) {
      if (this.#before.isAbove(index, this.#now, index)) {
        return true;
      }
    }
    return false;
  }
}

/** One side of the chunk, of the row before and of the row: which buckets one has and the other lacks. */
class Side {
  /** Indices of the buckets of either. */
  readonly union: number[] = [];
  /** How many buckets of the row the chunk lacks. */
  chunkLacks = 0;
  /** How many buckets of the chunk the row lacks. */
  rowLacks = 0;
  /** For each bucket of either: its place among the counts of the row before and of the row, or -1. */
  readonly #placesBefore: number[] = [];
  readonly #placesNow: number[] = [];

  constructor(chunk: Int32Array, before: Int32Array, now: Int32Array, placeBefore: number, placeNow: number) {
    const inChunk = bucketIndices(chunk);
    const inBefore = isSameSpans(chunk, before) ? inChunk : bucketIndices(before);
    const inNow = isSameSpans(chunk, now) ? inChunk : bucketIndices(now);
    for (let c = 0, b = 0, n = 0; c < inChunk.length || n < inNow.length;) {
      const bucket = Math.min(inChunk[c] ?? Infinity, inNow[n] ?? Infinity);
      this.union.push(bucket);
      this.#placesBefore.push(inBefore[b] === bucket ? placeBefore + b++ : -1);
      if (inChunk[c] === bucket) {
        c++;
      } else {
        this.chunkLacks++;
      }
      if (inNow[n] === bucket) {
        this.#placesNow.push(placeNow + n++);
      } else {
        this.#placesNow.push(-1);
        this.rowLacks++;
      }
    }
  }

  /** Whether a count has fallen, or a bucket with something in it is gone. A bucket that the row before lacks holds 0. */
  isReset(before: BucketCounts, now: BucketCounts): boolean {
    return this.union.some((_, at) => {
      const placeBefore = this.#placesBefore[at]!;
      const placeNow = this.#placesNow[at]!;
      if (placeNow < 0) {
        return placeBefore >= 0 && !before.isZero(placeBefore);
      }
      return placeBefore >= 0 && before.isAbove(placeBefore, now, placeNow);
    });
  }
}

/** Whether a count is less than that of the row before. */
function isBelow({ isFloat }: HistogramRows, words: Int32Array, row: number): boolean {
  if (isFloat) {
    const floats = new Float64Array(words.buffer, words.byteOffset + 8 * (row - 1), 2);
    return floats[1]! < floats[0]!;
  }
  const before = 2 * row - 2;
  const high = (words[before + 2 + HIGH_WORD]! >>> 0) - (words[before + HIGH_WORD]! >>> 0);
  return high === 0 ? words[before + 2 + LOW_WORD]! >>> 0 < words[before + LOW_WORD]! >>> 0 : high < 0;
}

/** Whether bounds are equal as numbers, as Prometheus compares them. */
function hasSameBounds(one: Float64Array, other: Float64Array): boolean {
  return one.length === other.length && one.every((bound, at) => bound === other[at]);
}
