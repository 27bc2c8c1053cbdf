/**
 * The loop over `Histogram` messages into columns, no object a message. Their fields are in `histogram-fields.ts`.
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
import { HIGH_WORD, isStaleWords, LOW_WORD } from "./chunk/value-words.ts";
import {
  COUNT_FLOAT,
  COUNT_INT,
  CUSTOM_VALUES,
  HISTOGRAMS,
  NEGATIVE_COUNTS,
  NEGATIVE_DELTAS,
  NEGATIVE_SPANS,
  POSITIVE_COUNTS,
  POSITIVE_DELTAS,
  POSITIVE_SPANS,
  RESET_HINT,
  SCHEMA,
  SPAN_LENGTH,
  SPAN_OFFSET,
  SUM,
  TIME,
  ZERO_COUNT_FLOAT,
  ZERO_COUNT_INT,
  ZERO_THRESHOLD,
} from "./histogram-fields.ts";
import {
  checkWireType,
  enterMessage,
  FIXED_64,
  hasField,
  isPacked,
  malformed,
  type ProtobufReader,
  readInt32,
  readTag,
  readTime,
  readUint64,
  skipField,
} from "./wire/protobuf.ts";
import { readInt64Halves } from "./wire/varint.ts";

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
    this.positiveSpans.length = 0;
    this.negativeSpans.length = 0;
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
