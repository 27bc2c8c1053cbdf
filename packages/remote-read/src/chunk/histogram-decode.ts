/**
 * Decodes histogram chunks, types 2 and 3, and 5 and 6 with start timestamps, into columns. From tsdb/chunkenc/histogram.go,
 * float_histogram.go and histogram_meta.go of Prometheus 3.14.
 *
 *     header        types 2, 3: count, 16 bits · H (2 bits), about counter resets · 6 bits
 *                   types 5, 6: H · count, 14 bits · a byte about start times, see `start-times.ts`
 *     layout        zero threshold: a byte, 0 for 0, 255 for 64 bits behind it, n for 2^(n − 244)
 *                   schema: varbit · positive spans, negative spans: their number, then length and offset of each, varbit
 *                   schema −53: number of bounds, then each: varbit, 0 for 64 bits behind it, n for (n − 1) / 1000
 *     row 0         time · count · zero count · sum · each positive bucket · each negative one
 *     later rows    the same fields; after a sum that is the stale marker nothing more
 *
 *                       time               counts, buckets of integers       sum, all fields of floats
 *         row 0         varbit             varbit                            64 bits
 *         later rows    step of the delta, varbit: all deltas begin at 0     XOR code, each with its own window
 */
import { RemoteReadError } from "../remote-read-error.ts";
import { BitCursor } from "./bit-cursor.ts";
import { advanceDelta, advanceTime, checkDelta, checkTime } from "./chunk-time.ts";
import { HISTOGRAM_HEADER_BYTES } from "./histogram-header.ts";
import { CUSTOM_SCHEMA, describeSpans, type HistogramLayout, isKnownSchema, makeLayout } from "./histogram-layout.ts";
import { HINT_GAUGE, HINT_NO_RESET, HINT_UNKNOWN, HistogramBuilder, type HistogramRows } from "./histogram-rows.ts";
import { addInt64 } from "./int64-words.ts";
import { StartTimes } from "./start-times.ts";
import { HIGH_WORD, isStaleWords, LOW_WORD } from "./value-words.ts";
import { XorValues } from "./xor-values.ts";

/** The place of a field among the words of a row: count, zero count, sum, buckets. */
const COUNT = 0;
const ZERO_COUNT = 1;
const SUM = 2;
const BUCKETS = 3;

/**
 * The most buckets of a histogram, and so of spans and of bounds, by default. Prometheus has no such limit of its own (its
 * scrapes can be given one, `native_histogram_bucket_limit`); client libraries are usually set to 160.
 */
export const HISTOGRAM_BUCKETS_MAX = 65_536;

/** A chunk may have as many of the widest histograms, or more of narrower ones; Prometheus puts at most 120 into one. */
const WIDEST_ROWS_MAX = 128;

/** What is to be decoded besides the times; `startTimestamps` as `timestamps` must have room for all rows. */
export interface HistogramColumnsWanted {
  readonly histograms: boolean;
  readonly startTimestamps?: Float64Array | undefined;
  /** The most buckets of a histogram, and a 128th of the most buckets of all together. */
  readonly bucketsMax?: number;
}

/** Whether a chunk of a type holds histograms of floats. */
function isFloatHistogram(type: number): boolean {
  return type === 3 || type === 6;
}

/** Whether histogram chunks of a type have start timestamps. */
export function hasHistogramStarts(type: number): boolean {
  return type === 5 || type === 6;
}

/**
 * Decodes a chunk of `count` rows into columns with room for them, and returns the histograms where they are wanted. `data` is
 * only read, and not kept. Hints are those of Prometheus 3: gauge for all rows or none; else unknown for row 0, since what the
 * header says is about a chunk that may not be there, and no reset for the others.
 *
 * Time is linear in the bytes. Columns and what the decoder needs for itself take at most 24 bytes for each bit of the chunk.
 *
 * @throws RemoteReadError `chunk-malformed`, which names the row, where the bytes end too early, a schema is unknown, spans
 * overlap, a window is wider than 64 bits, or a time or delta is outside ±2^53; `limit-exceeded` where there are more buckets
 * than wanted, before there is room for them.
 */
export function decodeHistograms(
  data: Uint8Array,
  type: number,
  count: number,
  timestamps: Float64Array,
  wanted: HistogramColumnsWanted,
): HistogramRows | undefined {
  if (data.length < HISTOGRAM_HEADER_BYTES) {
    throw new RemoteReadError("chunk-malformed", `chunk is ${data.length} bytes, its header alone is 3`);
  }
  const isFloat = isFloatHistogram(type);
  const hasStarts = hasHistogramStarts(type);
  const isGauge = (hasStarts ? data[0]! : data[2]!) >>> 6 === 3;
  const cursor = new BitCursor(data, HISTOGRAM_HEADER_BYTES, count);
  const layout = readLayout(cursor, isFloat, wanted.bucketsMax ?? HISTOGRAM_BUCKETS_MAX, count);
  const buckets = layout.positiveBuckets + layout.negativeBuckets;
  // A bucket of a row takes at least one bit.
  const builder = wanted.histograms
    ? new HistogramBuilder(isFloat, count, Math.min(count * buckets, cursor.bitsLeft))
    : undefined;
  const fields = isFloat ? new FloatFields(buckets) : new IntegerFields(buckets, wanted.histograms);
  const bucketWords = fields.words.subarray(2 * BUCKETS);
  const starts = hasStarts ? new StartTimes(cursor, data[2]!, wanted.startTimestamps) : undefined;
  let timeMs = 0;
  let deltaMs = 0;
  for (let row = 0; row < count; row++) {
    cursor.row = row;
    const beforeMs = timeMs;
    cursor.readVarbit();
    if (row === 0) {
      timeMs = checkTime(cursor, cursor.toBigInt());
      fields.readFirst(cursor);
    } else {
      deltaMs = readDelta(cursor, timeMs, deltaMs);
      timeMs = advanceTime(cursor, timeMs, deltaMs);
      fields.readNext(cursor);
    }
    timestamps[row] = timeMs;
    starts?.read(row, timeMs, beforeMs);
    if (builder !== undefined) {
      storeRow(
        builder,
        layout,
        fields.words,
        bucketWords,
        isGauge ? HINT_GAUGE : row === 0 ? HINT_UNKNOWN : HINT_NO_RESET,
      );
    }
  }
  return builder?.finish();
}

function storeRow(
  builder: HistogramBuilder,
  layout: HistogramLayout,
  words: Int32Array,
  bucketWords: Int32Array,
  hint: number,
): void {
  if (isStaleWords(words[2 * SUM + HIGH_WORD]!, words[2 * SUM + LOW_WORD]!)) {
    builder.addStale();
    return;
  }
  const at = 2 * builder.length;
  const start = builder.startRow(layout, hint);
  const { counts, zeroCounts, sums, buckets } = builder;
  counts[at] = words[2 * COUNT]!;
  counts[at + 1] = words[2 * COUNT + 1]!;
  zeroCounts[at] = words[2 * ZERO_COUNT]!;
  zeroCounts[at + 1] = words[2 * ZERO_COUNT + 1]!;
  sums[at] = words[2 * SUM]!;
  sums[at + 1] = words[2 * SUM + 1]!;
  buckets.set(bucketWords, 2 * start);
}

/** The delta after the step that was read last. */
function readDelta(cursor: BitCursor, timeMs: number, deltaMs: number): number {
  const { high, low } = cursor;
  return high === low >> 31
    ? advanceDelta(cursor, timeMs, deltaMs, low)
    : checkDelta(cursor, timeMs, BigInt(deltaMs) + cursor.toBigInt());
}

/** The fields of rows of integers behind the time; all but the sum have a delta each. */
class IntegerFields {
  readonly words: Int32Array;
  readonly #buckets: number;
  readonly #deltas: Int32Array;
  readonly #sum: XorValues;
  readonly #isKept: boolean;

  /** Unless they are kept only the sums are decoded, which say where a row ends, and there is no room for the buckets. */
  constructor(buckets: number, isKept: boolean) {
    const words = 2 * (BUCKETS + (isKept ? buckets : 0));
    this.words = new Int32Array(words);
    this.#buckets = buckets;
    this.#deltas = new Int32Array(words);
    this.#sum = new XorValues(this.words.subarray(2 * SUM, 2 * BUCKETS));
    this.#isKept = isKept;
  }

  readFirst(cursor: BitCursor): void {
    cursor.readUvarbit();
    addInt64(this.words, COUNT, cursor.high, cursor.low);
    cursor.readUvarbit();
    addInt64(this.words, ZERO_COUNT, cursor.high, cursor.low);
    this.#sum.readFirst(cursor, 0);
    if (!this.#isKept) {
      cursor.skipVarbits(this.#buckets);
      return;
    }
    for (let index = BUCKETS; 2 * index < this.words.length; index++) {
      cursor.readVarbit();
      addInt64(this.words, index, cursor.high, cursor.low);
    }
  }

  readNext(cursor: BitCursor): void {
    this.#step(cursor, COUNT, BUCKETS - 1);
    this.#sum.readNext(cursor, 0);
    if (!isStaleWords(this.words[2 * SUM + HIGH_WORD]!, this.words[2 * SUM + LOW_WORD]!)) {
      this.#step(cursor, BUCKETS, BUCKETS + this.#buckets);
    }
  }

  #step(cursor: BitCursor, start: number, end: number): void {
    if (this.#isKept) {
      cursor.readSteps(this.#deltas, this.words, start, end);
    } else {
      cursor.skipVarbits(end - start);
    }
  }
}

/** The fields of rows of floats behind the time. */
class FloatFields {
  readonly words: Int32Array;
  readonly #values: XorValues;

  constructor(buckets: number) {
    this.words = new Int32Array(2 * (BUCKETS + buckets));
    this.#values = new XorValues(this.words);
  }

  readFirst(cursor: BitCursor): void {
    for (let index = 0; 2 * index < this.words.length; index++) {
      this.#values.readFirst(cursor, index);
    }
  }

  readNext(cursor: BitCursor): void {
    const values = this.#values;
    values.readNext(cursor, COUNT);
    values.readNext(cursor, ZERO_COUNT);
    values.readNext(cursor, SUM);
    if (!isStaleWords(this.words[2 * SUM + HIGH_WORD]!, this.words[2 * SUM + LOW_WORD]!)) {
      values.readAll(cursor, BUCKETS, this.words.length / 2);
    }
  }
}

function readLayout(cursor: BitCursor, isFloat: boolean, bucketsMax: number, count: number): HistogramLayout {
  const threshold = new Int32Array(2);
  readThreshold(cursor, threshold);
  cursor.readVarbit();
  const schema = cursor.low;
  if (cursor.high !== schema >> 31 || !isKnownSchema(schema)) {
    throw cursor.malformed(`schema ${cursor.toBigInt()} is none that is known`);
  }
  const positiveSpans = readSpans(cursor, bucketsMax);
  const negativeSpans = readSpans(cursor, bucketsMax);
  const boundCount = schema === CUSTOM_SCHEMA ? readLength(cursor, 5, "bounds", bucketsMax) : 0;
  const bounds = readBounds(cursor, boundCount, threshold);
  const layout = makeLayout(schema, bounds, positiveSpans, negativeSpans);
  const buckets = layout.positiveBuckets + layout.negativeBuckets;
  if (buckets * (isFloat ? 64 : 1) > cursor.bitsLeft) {
    throw cursor.malformed(`its spans are of ${buckets} buckets, and ${cursor.bitsLeft} bits are left`);
  }
  checkLimit(buckets, "buckets", bucketsMax);
  if (count * buckets > WIDEST_ROWS_MAX * bucketsMax) {
    const most = WIDEST_ROWS_MAX * bucketsMax;
    throw overLimit(`${count} histograms of ${buckets} buckets each, limit is ${most} buckets together`);
  }
  return layout;
}

function checkLimit(number: number, what: string, bucketsMax: number): void {
  if (number > bucketsMax) {
    throw overLimit(`histograms of ${number} ${what}, limit is ${bucketsMax}`);
  }
}

function overLimit(problem: string): RemoteReadError {
  return new RemoteReadError("limit-exceeded", `a chunk has ${problem}`);
}

function readThreshold(cursor: BitCursor, words: Int32Array): void {
  const byte = cursor.readBits(8);
  if (byte === 255) {
    cursor.read64();
    words[HIGH_WORD] = cursor.high;
    words[LOW_WORD] = cursor.low;
  } else if (byte !== 0) {
    // 2^(byte − 244): the exponent of a float begins at bit 20 of its high word, and 1023 stands for 0.
    words[HIGH_WORD] = (byte - 244 + 1023) << 20;
  }
}

function readSpans(cursor: BitCursor, bucketsMax: number): Int32Array {
  const spans = new Int32Array(2 * readLength(cursor, 2, "spans", bucketsMax));
  for (let at = 0; at < spans.length; at += 2) {
    cursor.readUvarbit();
    const length = cursor.low;
    if (cursor.high !== 0 || length < 0) {
      throw cursor.malformed(`span ${at / 2} is of ${cursor.toBigInt()} buckets`);
    }
    cursor.readVarbit();
    if (cursor.high !== cursor.low >> 31) {
      throw cursor.malformed(`span ${at / 2} has the offset ${cursor.toBigInt()}`);
    }
    spans[at] = cursor.low;
    spans[at + 1] = length;
  }
  const problem = describeSpans(spans);
  if (problem !== undefined) {
    throw cursor.malformed(problem);
  }
  return spans;
}

function readBounds(cursor: BitCursor, count: number, threshold: Int32Array): Float64Array {
  const bounds = new Float64Array(1 + count);
  const words = new Int32Array(bounds.buffer);
  words.set(threshold);
  for (let at = 1; at <= count; at++) {
    cursor.readUvarbit();
    if (cursor.high === 0 && cursor.low === 0) {
      cursor.read64();
      words[2 * at + HIGH_WORD] = cursor.high;
      words[2 * at + LOW_WORD] = cursor.low;
    } else if (cursor.high === 0) {
      // Fast path: 32 bits, as all bounds that the encoder writes so.
      bounds[at] = ((cursor.low >>> 0) - 1) / 1000;
    } else {
      bounds[at] = Number(BigInt.asUintN(64, cursor.toBigInt()) - 1n) / 1000;
    }
  }
  return bounds;
}

/** The number of things that follow, each of which takes at least `bits` bits. */
function readLength(cursor: BitCursor, bits: number, what: string, bucketsMax: number): number {
  cursor.readUvarbit();
  if (cursor.high !== 0 || cursor.low < 0 || cursor.low * bits > cursor.bitsLeft) {
    const length = BigInt.asUintN(64, cursor.toBigInt());
    throw cursor.malformed(`there are ${length} ${what}, and ${cursor.bitsLeft} bits are left`);
  }
  checkLimit(cursor.low, what, bucketsMax);
  return cursor.low;
}
