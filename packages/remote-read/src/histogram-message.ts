/**
 * The loops over `Histogram` messages, field 4 of a `TimeSeries`, into columns and out of them. From prompb/types.proto of
 * Prometheus 3.14:
 *
 *      1 count_int, uint64     or  2 count_float, double         which of the two says what the histogram is of
 *      3 sum                       4 schema, sint32              5 zero_threshold
 *      6 zero_count_int        or  7 zero_count_float
 *      8 negative_spans            9 negative_deltas, sint64    10 negative_counts      deltas of integers, counts of floats
 *     11 positive_spans           12 positive_deltas            13 positive_counts
 *     14 reset_hint               15 timestamp                  16 custom_values, bounds
 *
 *     BucketSpan   1 offset, sint32   2 length, uint32
 *
 * Values move as words, and whole numbers of 64 bits are exact.
 */
import {
  CUSTOM_SCHEMA,
  describeSpans,
  type HistogramLayout,
  isKnownSchema,
  makeLayout,
} from "./chunk/histogram-layout.ts";
import { HINT_UNKNOWN, HistogramBuilder, type HistogramRows } from "./chunk/histogram-rows.ts";
import { HIGH_WORD, isStaleWords, LOW_WORD, wordsOf } from "./chunk/value-words.ts";
import {
  checkWireType,
  enterMessage,
  FIXED_64,
  hasField,
  isPacked,
  LENGTH_DELIMITED,
  malformed,
  type ProtobufReader,
  readInt32,
  readTag,
  readTime,
  readUint64,
  skipField,
  VARINT,
} from "./wire/protobuf.ts";
import {
  INT64_BYTES_MAX,
  int64Bytes,
  int64HalvesBytes,
  readInt64Halves,
  writeInt64,
  writeInt64Halves,
} from "./wire/varint.ts";

/** Number of the field that holds the histograms, in a `TimeSeries`. */
export const HISTOGRAMS = 4;

const COUNT_INT = 1;
const COUNT_FLOAT = 2;
const SUM = 3;
const SCHEMA = 4;
const ZERO_THRESHOLD = 5;
const ZERO_COUNT_INT = 6;
const ZERO_COUNT_FLOAT = 7;
const NEGATIVE_SPANS = 8;
const NEGATIVE_DELTAS = 9;
const NEGATIVE_COUNTS = 10;
const POSITIVE_SPANS = 11;
const POSITIVE_DELTAS = 12;
const POSITIVE_COUNTS = 13;
const RESET_HINT = 14;
const TIME = 15;
const CUSTOM_VALUES = 16;

const SPAN_OFFSET = 1;
const SPAN_LENGTH = 2;

const HINT_MAX = 3;

/** Histograms of one kind, in the order in which they came. */
export interface ReceivedHistograms {
  readonly timestamps: Float64Array;
  readonly rows: HistogramRows;
}

/**
 * Reads the next `count` histograms among the fields that are left of a series: those of integers and those of floats, each in
 * the order in which they come, whatever it is.
 *
 * @throws RemoteReadError `protobuf-malformed`, also for a time outside ±2^53, an unknown schema, spans that overlap or are not
 * of as many buckets as there are.
 */
export function readHistograms(
  reader: ProtobufReader,
  count: number,
): { readonly integers: ReceivedHistograms; readonly floats: ReceivedHistograms } {
  const integers = new HistogramColumnReader(false, count);
  const floats = new HistogramColumnReader(true, count);
  const message = new HistogramMessage();
  for (let left = count; left > 0;) {
    const tag = readTag(reader);
    if (tag >>> 3 === HISTOGRAMS) {
      message.read(reader, tag);
      (message.isFloat ? floats : integers).add(reader, message);
      left--;
    } else {
      skipField(reader, tag);
    }
  }
  return { integers: integers.finish(), floats: floats.finish() };
}

/** Numbers of 64 bits one after another, two words each. */
class WordList {
  words = new Int32Array(new ArrayBuffer(8 * 64));
  length = 0;

  push(high: number, low: number): void {
    if (2 * this.length === this.words.length) {
      const words = new Int32Array(new ArrayBuffer(16 * this.length));
      words.set(this.words);
      this.words = words;
    }
    this.words[2 * this.length + HIGH_WORD] = high;
    this.words[2 * this.length + LOW_WORD] = low;
    this.length++;
  }
}

/** What one message says, until the next one is read. */
class HistogramMessage {
  isFloat = false;
  isZeroFloat = false;
  timeMs = 0;
  hint = 0;
  schema = 0;
  /** Count, zero count and sum. */
  readonly count = new WordList();
  readonly zeroCount = new WordList();
  readonly sum = new WordList();
  /** The zero threshold, and behind it the bounds. */
  readonly bounds = new WordList();
  /** Offset and length of each span: the upper and the lower word. */
  readonly positiveSpans = new WordList();
  readonly negativeSpans = new WordList();
  readonly positiveDeltas = new WordList();
  readonly negativeDeltas = new WordList();
  readonly positiveCounts = new WordList();
  readonly negativeCounts = new WordList();
  readonly #halves = new Int32Array(2);

  read(reader: ProtobufReader, tag: number): void {
    const outerEnd = enterMessage(reader, tag);
    this.#clear();
    while (hasField(reader)) {
      this.#readField(reader, readTag(reader));
    }
    reader.len = outerEnd;
  }

  #clear(): void {
    this.isFloat = false;
    this.isZeroFloat = false;
    this.timeMs = 0;
    this.hint = HINT_UNKNOWN;
    this.schema = 0;
    for (const single of [this.count, this.zeroCount, this.sum, this.bounds]) {
      single.length = 0;
      single.push(0, 0);
    }
    for (const spans of [this.positiveSpans, this.negativeSpans]) {
      spans.length = 0;
    }
    for (const side of [this.positiveDeltas, this.negativeDeltas, this.positiveCounts, this.negativeCounts]) {
      side.length = 0;
    }
  }

  #readField(reader: ProtobufReader, tag: number): void {
    switch (tag >>> 3) {
      case COUNT_INT:
        this.isFloat = false;
        this.#readUint64(reader, tag, this.count);
        break;
      case COUNT_FLOAT:
        this.isFloat = true;
        readDouble(reader, tag, this.count);
        break;
      case SUM:
        readDouble(reader, tag, this.sum);
        break;
      case SCHEMA:
        this.schema = readZigzag32(reader, tag);
        break;
      case ZERO_THRESHOLD:
        readDouble(reader, tag, this.bounds);
        break;
      case ZERO_COUNT_INT:
        this.isZeroFloat = false;
        this.#readUint64(reader, tag, this.zeroCount);
        break;
      case ZERO_COUNT_FLOAT:
        this.isZeroFloat = true;
        readDouble(reader, tag, this.zeroCount);
        break;
      case NEGATIVE_SPANS:
        readSpan(reader, tag, this.negativeSpans);
        break;
      case NEGATIVE_DELTAS:
        this.#readDeltas(reader, tag, this.negativeDeltas);
        break;
      case NEGATIVE_COUNTS:
        readDoubles(reader, tag, this.negativeCounts);
        break;
      case POSITIVE_SPANS:
        readSpan(reader, tag, this.positiveSpans);
        break;
      case POSITIVE_DELTAS:
        this.#readDeltas(reader, tag, this.positiveDeltas);
        break;
      case POSITIVE_COUNTS:
        readDoubles(reader, tag, this.positiveCounts);
        break;
      case RESET_HINT: {
        const hint = readInt32(reader, tag);
        this.hint = hint >= 0 && hint <= HINT_MAX ? hint : HINT_UNKNOWN;
        break;
      }
      case TIME:
        this.timeMs = readTime(reader, tag);
        break;
      case CUSTOM_VALUES:
        readDoubles(reader, tag, this.bounds);
        break;
      default:
        skipField(reader, tag);
    }
  }

  #readUint64(reader: ProtobufReader, tag: number, single: WordList): void {
    readUint64(reader, tag, this.#halves);
    single.words[HIGH_WORD] = this.#halves[1]!;
    single.words[LOW_WORD] = this.#halves[0]!;
  }

  /** Reads a list of zigzag numbers, or a part of one: packed or not, both are the same message. */
  #readDeltas(reader: ProtobufReader, tag: number, list: WordList): void {
    const halves = this.#halves;
    if (!isPacked(tag)) {
      readUint64(reader, tag, halves);
      pushZigzag(list, halves);
      return;
    }
    const outerEnd = enterMessage(reader, tag);
    while (hasField(reader)) {
      readInt64Halves(reader, halves);
      pushZigzag(list, halves);
    }
    reader.len = outerEnd;
  }
}

/** Messages of one kind as a column. */
class HistogramColumnReader {
  readonly #isFloat: boolean;
  readonly #rowsMax: number;
  #timestamps: Float64Array | undefined = undefined;
  #builder: HistogramBuilder | undefined = undefined;
  #layout: HistogramLayout | undefined = undefined;

  constructor(isFloat: boolean, rowsMax: number) {
    this.#isFloat = isFloat;
    this.#rowsMax = rowsMax;
  }

  add(reader: ProtobufReader, message: HistogramMessage): void {
    // Most series have none, or all of one kind.
    this.#timestamps ??= new Float64Array(this.#rowsMax);
    this.#builder ??= new HistogramBuilder(this.#isFloat, this.#rowsMax, 0);
    const builder = this.#builder;
    const row = builder.length;
    this.#timestamps[row] = message.timeMs;
    if (isStaleWords(message.sum.words[HIGH_WORD]!, message.sum.words[LOW_WORD]!)) {
      builder.addStale();
      return;
    }
    const positive = this.#isFloat ? message.positiveCounts : message.positiveDeltas;
    const negative = this.#isFloat ? message.negativeCounts : message.negativeDeltas;
    if (this.#layout === undefined || !isLayoutOf(this.#layout, message)) {
      this.#layout = layoutOf(message);
    }
    checkLayout(reader, this.#layout, positive.length, negative.length);
    const start = builder.startRow(this.#layout, message.hint);
    builder.counts.set(message.count.words.subarray(0, 2), 2 * row);
    if (message.isZeroFloat === this.#isFloat) {
      builder.zeroCounts.set(message.zeroCount.words.subarray(0, 2), 2 * row);
    }
    builder.sums.set(message.sum.words.subarray(0, 2), 2 * row);
    builder.buckets.set(positive.words.subarray(0, 2 * positive.length), 2 * start);
    builder.buckets.set(negative.words.subarray(0, 2 * negative.length), 2 * (start + positive.length));
  }

  finish(): ReceivedHistograms {
    const builder = this.#builder ?? new HistogramBuilder(this.#isFloat, 0, 0);
    const timestamps = this.#timestamps ?? new Float64Array(0);
    return { timestamps: timestamps.subarray(0, builder.length), rows: builder.finish() };
  }
}

/** How many bounds of a message count: the threshold, and those of custom buckets. */
function boundsOf({ schema, bounds }: HistogramMessage): number {
  return schema === CUSTOM_SCHEMA ? bounds.length : 1;
}

function layoutOf(message: HistogramMessage): HistogramLayout {
  const bounds = new Float64Array(boundsOf(message));
  new Int32Array(bounds.buffer).set(message.bounds.words.subarray(0, 2 * bounds.length));
  return makeLayout(message.schema, bounds, toSpans(message.positiveSpans), toSpans(message.negativeSpans));
}

function toSpans(list: WordList): Int32Array {
  const spans = new Int32Array(2 * list.length);
  for (let at = 0; at < spans.length; at += 2) {
    spans[at] = list.words[at + HIGH_WORD]!;
    spans[at + 1] = list.words[at + LOW_WORD]!;
  }
  return spans;
}

/** Whether a layout is what a message says, to the bit. */
function isLayoutOf(layout: HistogramLayout, message: HistogramMessage): boolean {
  if (layout.schema !== message.schema || layout.bounds.length !== boundsOf(message)) {
    return false;
  }
  const { bounds } = layout;
  const words = new Int32Array(bounds.buffer, bounds.byteOffset, 2 * bounds.length);
  for (let at = 0; at < words.length; at++) {
    if (words[at] !== message.bounds.words[at]) {
      return false;
    }
  }
  return (
    areSpansOf(layout.positiveSpans, message.positiveSpans) && areSpansOf(layout.negativeSpans, message.negativeSpans)
  );
}

function areSpansOf(spans: Int32Array, list: WordList): boolean {
  if (spans.length !== 2 * list.length) {
    return false;
  }
  for (let at = 0; at < spans.length; at += 2) {
    if (spans[at] !== list.words[at + HIGH_WORD] || spans[at + 1] !== list.words[at + LOW_WORD]) {
      return false;
    }
  }
  return true;
}

function checkLayout(reader: ProtobufReader, layout: HistogramLayout, positive: number, negative: number): void {
  if (!isKnownSchema(layout.schema)) {
    throw malformed(reader, `a histogram has the schema ${layout.schema}, which is none that is known`);
  }
  if (layout.positiveBuckets !== positive || layout.negativeBuckets !== negative) {
    const spans = `${layout.positiveBuckets} and ${layout.negativeBuckets}`;
    throw malformed(reader, `a histogram has spans of ${spans} buckets, but ${positive} and ${negative} of them`);
  }
  const problem = describeSpans(layout.positiveSpans) ?? describeSpans(layout.negativeSpans);
  if (problem !== undefined) {
    throw malformed(reader, `a histogram's ${problem}`);
  }
}

/** Reads a double into the first place of a list. */
function readDouble(reader: ProtobufReader, tag: number, single: WordList): void {
  checkWireType(reader, tag, FIXED_64);
  single.words[LOW_WORD] = reader.fixed32();
  single.words[HIGH_WORD] = reader.fixed32();
}

/** Reads a list of doubles, or a part of one: packed or not, both are the same message. */
function readDoubles(reader: ProtobufReader, tag: number, list: WordList): void {
  if (!isPacked(tag)) {
    checkWireType(reader, tag, FIXED_64);
    const low = reader.fixed32();
    list.push(reader.fixed32(), low);
    return;
  }
  const outerEnd = enterMessage(reader, tag);
  while (hasField(reader)) {
    const low = reader.fixed32();
    list.push(reader.fixed32(), low);
  }
  reader.len = outerEnd;
}

function pushZigzag(list: WordList, halves: Int32Array): void {
  const low = halves[0]!;
  const high = halves[1]!;
  const sign = -(low & 1);
  list.push((high >>> 1) ^ sign, ((low >>> 1) | (high << 31)) ^ sign);
}

function readSpan(reader: ProtobufReader, tag: number, spans: WordList): void {
  const outerEnd = enterMessage(reader, tag);
  let offset = 0;
  let length = 0;
  while (hasField(reader)) {
    const field = readTag(reader);
    switch (field >>> 3) {
      case SPAN_OFFSET:
        offset = readZigzag32(reader, field);
        break;
      case SPAN_LENGTH:
        length = readInt32(reader, field);
        break;
      default:
        skipField(reader, field);
    }
  }
  reader.len = outerEnd;
  spans.push(offset, length);
}

function readZigzag32(reader: ProtobufReader, tag: number): number {
  const zigzag = readInt32(reader, tag);
  return (zigzag >>> 1) ^ -(zigzag & 1);
}

/** Tag and length of a message go before it when it is known how long it is. */
const HEAD_BYTES = 1 + INT64_BYTES_MAX;
/** The most that all but lists take: 4 numbers of eight bytes, 4 of at most ten, and their tags. */
const SINGLE_BYTES_MAX = 4 * 9 + 4 * (1 + INT64_BYTES_MAX);
/** Tag, length, and two numbers of 32 bits, with their tags. */
const SPAN_BYTES_MAX = 2 + 2 * (1 + 5);

/** Encodes rows of histograms as fields of a series, one at a time. */
export class HistogramEncoder {
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;

  /**
   * A row as a field, tag and length included; valid until the next one is asked for. Fields that are 0 are left out, but for
   * the two counts, which say of what the histogram is; −0 is not 0.
   */
  encode(rows: HistogramRows, row: number, timeMs: number, hint: number): Uint8Array {
    const layout = rows.layoutAt(row);
    this.#reserve(layout);
    this.#at = HEAD_BYTES;
    this.#putCount(rows.isFloat, COUNT_INT, COUNT_FLOAT, rows.counts, row);
    this.#putDouble(SUM, rows.sums, row);
    this.#putVarint(SCHEMA, 0, (layout.schema << 1) ^ (layout.schema >> 31));
    const bounds = wordsOf(layout.bounds);
    this.#putDouble(ZERO_THRESHOLD, bounds, 0);
    this.#putCount(rows.isFloat, ZERO_COUNT_INT, ZERO_COUNT_FLOAT, rows.zeroCounts, row);
    const start = rows.bucketStarts[row]!;
    const middle = start + layout.positiveBuckets;
    const end = rows.bucketStarts[row + 1]!;
    this.#putSpans(NEGATIVE_SPANS, layout.negativeSpans);
    this.#putBuckets(rows, NEGATIVE_DELTAS, NEGATIVE_COUNTS, middle, end);
    this.#putSpans(POSITIVE_SPANS, layout.positiveSpans);
    this.#putBuckets(rows, POSITIVE_DELTAS, POSITIVE_COUNTS, start, middle);
    this.#putVarint(RESET_HINT, 0, hint);
    this.#putVarint(TIME, Math.floor(timeMs / 2 ** 32), timeMs | 0);
    if (layout.schema === CUSTOM_SCHEMA) {
      this.#putDoubles(CUSTOM_VALUES, bounds, 1, layout.bounds.length);
    }
    return this.#finish();
  }

  /** Makes room for a row. */
  #reserve({ positiveSpans, negativeSpans, positiveBuckets, negativeBuckets, bounds }: HistogramLayout): void {
    const bytes =
      HEAD_BYTES +
      SINGLE_BYTES_MAX +
      ((positiveSpans.length + negativeSpans.length) / 2) * SPAN_BYTES_MAX +
      (positiveBuckets + negativeBuckets) * INT64_BYTES_MAX +
      8 * bounds.length +
      // The three lists' own tags and lengths.
      3 * HEAD_BYTES;
    if (bytes > this.#bytes.length) {
      this.#bytes = new Uint8Array(2 * bytes);
      this.#view = new DataView(this.#bytes.buffer);
    }
  }

  /** Puts tag and length before what was written. */
  #finish(): Uint8Array {
    const length = this.#at - HEAD_BYTES;
    const start = HEAD_BYTES - 1 - int64Bytes(length);
    this.#bytes[start] = (HISTOGRAMS << 3) | LENGTH_DELIMITED;
    writeInt64(this.#bytes, start + 1, length);
    return this.#bytes.subarray(start, this.#at);
  }

  #putCount(isFloat: boolean, intField: number, floatField: number, words: Int32Array, row: number): void {
    const high = words[2 * row + HIGH_WORD]!;
    const low = words[2 * row + LOW_WORD]!;
    if (isFloat) {
      this.#putTag(floatField, FIXED_64);
      this.#putWords(high, low);
    } else {
      this.#putTag(intField, VARINT);
      this.#at = writeInt64Halves(this.#bytes, this.#at, high, low);
    }
  }

  #putDouble(field: number, words: Int32Array, index: number): void {
    const high = words[2 * index + HIGH_WORD]!;
    const low = words[2 * index + LOW_WORD]!;
    if ((high | low) !== 0) {
      this.#putTag(field, FIXED_64);
      this.#putWords(high, low);
    }
  }

  #putVarint(field: number, high: number, low: number): void {
    if ((high | low) !== 0) {
      this.#putTag(field, VARINT);
      this.#at = writeInt64Halves(this.#bytes, this.#at, high, low);
    }
  }

  #putSpans(field: number, spans: Int32Array): void {
    for (let at = 0; at < spans.length; at += 2) {
      this.#putTag(field, LENGTH_DELIMITED);
      const lengthAt = this.#at++;
      this.#putVarint(SPAN_OFFSET, 0, (spans[at]! << 1) ^ (spans[at]! >> 31));
      this.#putVarint(SPAN_LENGTH, 0, spans[at + 1]!);
      this.#bytes[lengthAt] = this.#at - lengthAt - 1;
    }
  }

  #putBuckets(rows: HistogramRows, deltasField: number, countsField: number, start: number, end: number): void {
    if (rows.isFloat) {
      this.#putDoubles(countsField, rows.buckets, start, end);
    } else {
      this.#putDeltas(deltasField, rows.buckets, start, end);
    }
  }

  #putDoubles(field: number, words: Int32Array, start: number, end: number): void {
    if (start === end) {
      return;
    }
    this.#putTag(field, LENGTH_DELIMITED);
    this.#at = writeInt64(this.#bytes, this.#at, 8 * (end - start));
    for (let index = start; index < end; index++) {
      this.#putWords(words[2 * index + HIGH_WORD]!, words[2 * index + LOW_WORD]!);
    }
  }

  #putDeltas(field: number, words: Int32Array, start: number, end: number): void {
    if (start === end) {
      return;
    }
    let bytes = 0;
    for (let index = start; index < end; index++) {
      const high = words[2 * index + HIGH_WORD]!;
      const low = words[2 * index + LOW_WORD]!;
      bytes += int64HalvesBytes(((high << 1) | (low >>> 31)) ^ (high >> 31), (low << 1) ^ (high >> 31));
    }
    this.#putTag(field, LENGTH_DELIMITED);
    this.#at = writeInt64(this.#bytes, this.#at, bytes);
    for (let index = start; index < end; index++) {
      const high = words[2 * index + HIGH_WORD]!;
      const low = words[2 * index + LOW_WORD]!;
      this.#at = writeInt64Halves(
        this.#bytes,
        this.#at,
        ((high << 1) | (low >>> 31)) ^ (high >> 31),
        (low << 1) ^ (high >> 31),
      );
    }
  }

  /** Tags of fields above 15 take two bytes. */
  #putTag(field: number, wireType: number): void {
    this.#at = writeInt64(this.#bytes, this.#at, (field << 3) | wireType);
  }

  #putWords(high: number, low: number): void {
    this.#view.setInt32(this.#at, low, true);
    this.#view.setInt32(this.#at + 4, high, true);
    this.#at += 8;
  }
}
