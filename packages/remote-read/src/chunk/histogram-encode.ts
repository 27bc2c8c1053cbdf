/**
 * Encodes columns of histograms as chunks of types 2 and 3, with the very bytes of Prometheus' appenders of version 3. The
 * format is drawn in `histogram-decode.ts`, where chunks are cut is in `histogram-cut.ts`.
 */
import { BitSink } from "./bit-sink.ts";
import { bucketIndices } from "./bucket-counts.ts";
import { TIME_MS_MAX } from "./chunk-time.ts";
import type { HistogramCut } from "./histogram-cut.ts";
import { flagsOf } from "./histogram-header.ts";
import { CUSTOM_SCHEMA, type HistogramLayout, isSameSpans } from "./histogram-layout.ts";
import type { HistogramRows } from "./histogram-rows.ts";
import { addInt64, subtractInt64 } from "./int64-words.ts";
import { Slab } from "./slab.ts";
import { HIGH_WORD, LOW_WORD } from "./value-words.ts";
import { XorCodes } from "./xor-codes.ts";

/** The place of a field among the words of a row: count, zero count, sum, buckets. */
const COUNT = 0;
const ZERO_COUNT = 1;
const SUM = 2;
const BUCKETS = 3;

/** The greatest bound, times 1000, that is written in short. */
const SHORT_BOUND_MAX = 33_554_430;

const sink: BitSink = new BitSink();
const encoded: Slab = new Slab();

/**
 * Encodes a part of a column as one chunk. The rows must be a block's: whole milliseconds inside ±2^53, increasing.
 *
 * What it returns shares its buffer with other chunks: not to be written to, and not to be transferred.
 *
 * @throws RangeError if a time is not a whole number, or too far from the one before.
 */
export function encodeHistograms(
  timestamps: Float64Array,
  rows: HistogramRows,
  { start, end, hint, layout }: HistogramCut,
): Uint8Array {
  sink.reset();
  sink.put(end - start, 16);
  sink.put(flagsOf(hint), 8);
  writeLayout(layout);
  const row = new RowWords(rows, layout);
  const fields = rows.isFloat ? new FloatCodes(row.words.length / 2) : new IntegerCodes(row.words.length / 2);
  let deltaMs = 0;
  for (let index = start; index < end; index++) {
    const timeMs = timestamps[index]!;
    const isStale = row.load(index);
    if (index === start) {
      checkTime(timeMs, index, TIME_MS_MAX);
      writeTime(timeMs);
      fields.writeFirst(row.words);
    } else {
      const deltaBeforeMs = deltaMs;
      deltaMs = timeMs - timestamps[index - 1]!;
      checkTime(deltaMs, index, TIME_MS_MAX - 1);
      writeTime(deltaMs - deltaBeforeMs);
      fields.writeNext(row.words, isStale);
    }
  }
  const data = encoded.allocate(sink.finish());
  sink.copyTo(data);
  return data;
}

function checkTime(timeMs: number, row: number, most: number): void {
  if (!(Number.isInteger(timeMs) && Math.abs(timeMs) <= most)) {
    throw new RangeError(`row ${row}: its time is not a whole number, or too far from the one before`);
  }
}

/** A time, or a step of a delta: inside ±2^53, so that the halves are exact. */
function writeTime(timeMs: number): void {
  sink.putVarbit(Math.floor(timeMs / 2 ** 32), timeMs | 0);
}

/** A row's fields as words, in the layout of its chunk. */
class RowWords {
  readonly words: Int32Array;
  readonly #rows: HistogramRows;
  readonly #chunk: HistogramLayout;
  /** The layout that was met last, and where its buckets go; none where they go where they are. */
  #layout: HistogramLayout | undefined = undefined;
  #places: Int32Array | undefined = undefined;

  constructor(rows: HistogramRows, chunk: HistogramLayout) {
    this.#rows = rows;
    this.#chunk = chunk;
    this.words = new Int32Array(2 * (BUCKETS + chunk.positiveBuckets + chunk.negativeBuckets));
  }

  /** Takes a row. Says whether it is a stale marker, which has no buckets. */
  load(row: number): boolean {
    const { words } = this;
    const { counts, zeroCounts, sums } = this.#rows;
    words[2 * COUNT] = counts[2 * row]!;
    words[2 * COUNT + 1] = counts[2 * row + 1]!;
    words[2 * ZERO_COUNT] = zeroCounts[2 * row]!;
    words[2 * ZERO_COUNT + 1] = zeroCounts[2 * row + 1]!;
    words[2 * SUM] = sums[2 * row]!;
    words[2 * SUM + 1] = sums[2 * row + 1]!;
    if (this.#rows.isStale(row)) {
      return true;
    }
    const layout = this.#rows.layoutAt(row);
    if (layout !== this.#layout) {
      this.#layout = layout;
      this.#places = placesIn(this.#chunk, layout);
    }
    this.#loadBuckets(row, layout);
    return false;
  }

  #loadBuckets(row: number, { positiveBuckets }: HistogramLayout): void {
    const { buckets, bucketStarts, isFloat } = this.#rows;
    const start = bucketStarts[row]!;
    const end = bucketStarts[row + 1]!;
    const places = this.#places;
    if (places === undefined) {
      // Fast path: the chunk's own layout, as that of all rows of a chunk is that was received.
      this.words.set(buckets.subarray(2 * start, 2 * end), 2 * BUCKETS);
    } else {
      this.words.fill(0, 2 * BUCKETS);
      if (isFloat) {
        for (let index = 0; index < end - start; index++) {
          const to = 2 * (BUCKETS + places[index]!);
          this.words[to] = buckets[2 * (start + index)]!;
          this.words[to + 1] = buckets[2 * (start + index) + 1]!;
        }
      } else {
        const middle = BUCKETS + this.#chunk.positiveBuckets;
        this.#spread(start, start + positiveBuckets, 0, middle);
        this.#spread(start + positiveBuckets, end, positiveBuckets, this.words.length / 2);
      }
    }
  }

  /**
   * Spreads differences from bucket to bucket over more buckets: in a gap the count falls to 0 and then rises again.
   *
   *     counts        4  6      9            4  6  0  9
   *     differences   4  2      3     ──▶    4  2 −6  9
   */
  #spread(start: number, end: number, first: number, sideEnd: number): void {
    const { buckets } = this.#rows;
    const count = new Int32Array(2);
    for (let at = start; at < end; at++) {
      const place = BUCKETS + this.#places![first + at - start]!;
      addInt64(count, 0, buckets[2 * at + HIGH_WORD]!, buckets[2 * at + LOW_WORD]!);
      addInt64(this.words, place, count[HIGH_WORD]!, count[LOW_WORD]!);
      if (place + 1 < sideEnd) {
        // The next bucket begins from this count, whichever it is.
        subtractInt64(this.words, place + 1, count[HIGH_WORD]!, count[LOW_WORD]!);
      }
    }
  }
}

/** For each bucket of a layout its place among those of a chunk, which has them all; nothing where they are the same. */
function placesIn(chunk: HistogramLayout, layout: HistogramLayout): Int32Array | undefined {
  if (
    isSameSpans(chunk.positiveSpans, layout.positiveSpans) &&
    isSameSpans(chunk.negativeSpans, layout.negativeSpans)
  ) {
    return undefined;
  }
  const places = new Int32Array(layout.positiveBuckets + layout.negativeBuckets);
  places.set(sidePlaces(chunk.positiveSpans, layout.positiveSpans, 0));
  places.set(sidePlaces(chunk.negativeSpans, layout.negativeSpans, chunk.positiveBuckets), layout.positiveBuckets);
  return places;
}

function sidePlaces(chunk: Int32Array, layout: Int32Array, first: number): Int32Array {
  const all = bucketIndices(chunk);
  let place = 0;
  return bucketIndices(layout).map((bucket) => {
    while (all[place] !== bucket) {
      place++;
    }
    return first + place;
  });
}

/** Writes rows of integers behind the time: but for the sum each field by how much its delta has changed. */
class IntegerCodes {
  readonly #before: Int32Array;
  readonly #deltas: Int32Array;
  readonly #sum = new XorCodes(1);

  constructor(fields: number) {
    this.#before = new Int32Array(2 * fields);
    this.#deltas = new Int32Array(2 * fields);
  }

  writeFirst(words: Int32Array): void {
    sink.putUvarbit(words[2 * COUNT + HIGH_WORD]!, words[2 * COUNT + LOW_WORD]!);
    sink.putUvarbit(words[2 * ZERO_COUNT + HIGH_WORD]!, words[2 * ZERO_COUNT + LOW_WORD]!);
    sink.put64(words[2 * SUM + HIGH_WORD]!, words[2 * SUM + LOW_WORD]!);
    for (let at = 2 * BUCKETS; at < words.length; at += 2) {
      sink.putVarbit(words[at + HIGH_WORD]!, words[at + LOW_WORD]!);
    }
    this.#before.set(words);
  }

  writeNext(words: Int32Array, isStale: boolean): void {
    const before = this.#before;
    if (isStale) {
      sink.put(0, 2);
    } else {
      this.#writeSteps(words, COUNT, BUCKETS - 1);
    }
    const high = words[2 * SUM + HIGH_WORD]!;
    const low = words[2 * SUM + LOW_WORD]!;
    this.#sum.write(sink, 0, high ^ before[2 * SUM + HIGH_WORD]!, low ^ before[2 * SUM + LOW_WORD]!);
    before[2 * SUM + HIGH_WORD] = high;
    before[2 * SUM + LOW_WORD] = low;
    if (!isStale) {
      this.#writeSteps(words, BUCKETS, words.length / 2);
    }
  }

  #writeSteps(words: Int32Array, start: number, end: number): void {
    const before = this.#before;
    const deltas = this.#deltas;
    for (let index = start; index < end; index++) {
      const high = 2 * index + HIGH_WORD;
      const low = 2 * index + LOW_WORD;
      const valueHigh = words[high]!;
      const valueLow = words[low]!;
      const deltaLow = (valueLow - before[low]!) | 0;
      const deltaHigh = (valueHigh - before[high]! - (valueLow >>> 0 < before[low]! >>> 0 ? 1 : 0)) | 0;
      const stepLow = (deltaLow - deltas[low]!) | 0;
      const stepHigh = (deltaHigh - deltas[high]! - (deltaLow >>> 0 < deltas[low]! >>> 0 ? 1 : 0)) | 0;
      sink.putVarbit(stepHigh, stepLow);
      before[high] = valueHigh;
      before[low] = valueLow;
      deltas[high] = deltaHigh;
      deltas[low] = deltaLow;
    }
  }
}

/** Writes rows of floats behind the time: each field by which bits of it have changed. */
class FloatCodes {
  readonly #before: Int32Array;
  readonly #codes: XorCodes;

  constructor(fields: number) {
    this.#before = new Int32Array(2 * fields);
    this.#codes = new XorCodes(fields);
  }

  writeFirst(words: Int32Array): void {
    for (let at = 0; at < words.length; at += 2) {
      sink.put64(words[at + HIGH_WORD]!, words[at + LOW_WORD]!);
    }
    this.#before.set(words);
  }

  writeNext(words: Int32Array, isStale: boolean): void {
    const before = this.#before;
    const fields = isStale ? BUCKETS : words.length / 2;
    for (let index = 0; index < fields; index++) {
      const high = words[2 * index + HIGH_WORD]!;
      const low = words[2 * index + LOW_WORD]!;
      this.#codes.write(sink, index, high ^ before[2 * index + HIGH_WORD]!, low ^ before[2 * index + LOW_WORD]!);
      before[2 * index + HIGH_WORD] = high;
      before[2 * index + LOW_WORD] = low;
    }
  }
}

function writeLayout({ schema, bounds, positiveSpans, negativeSpans }: HistogramLayout): void {
  const words = new Int32Array(bounds.buffer, bounds.byteOffset, 2 * bounds.length);
  writeThreshold(words[HIGH_WORD]!, words[LOW_WORD]!);
  sink.putVarbit(schema >> 31, schema);
  writeSpans(positiveSpans);
  writeSpans(negativeSpans);
  if (schema === CUSTOM_SCHEMA) {
    sink.putUvarbit(0, bounds.length - 1);
    for (let at = 1; at < bounds.length; at++) {
      writeBound(bounds[at]!, words[2 * at + HIGH_WORD]!, words[2 * at + LOW_WORD]!);
    }
  }
}

function writeThreshold(high: number, low: number): void {
  // The exponent is in bits 20 to 30; 1023 there stands for 0.
  const exponent = (high >>> 20) - 1023 + 244;
  if ((high | low) === 0) {
    sink.put(0, 8);
  } else if (low === 0 && (high & 0xfffff) === 0 && exponent >= 1 && exponent <= 254) {
    sink.put(exponent, 8);
  } else {
    sink.put(255, 8);
    sink.put64(high, low);
  }
}

function writeSpans(spans: Int32Array): void {
  sink.putUvarbit(0, spans.length / 2);
  for (let at = 0; at < spans.length; at += 2) {
    sink.putUvarbit(0, spans[at + 1]!);
    sink.putVarbit(spans[at]! >> 31, spans[at]!);
  }
}

function writeBound(bound: number, high: number, low: number): void {
  const thousandths = Math.round(bound * 1000);
  // Not −0, though the original takes it for 0.
  const isPositive = high >= 0;
  if (isPositive && bound * 1000 <= SHORT_BOUND_MAX && thousandths / 1000 === bound) {
    sink.putUvarbit(0, thousandths + 1);
  } else {
    sink.put(0, 1);
    sink.put64(high, low);
  }
}
