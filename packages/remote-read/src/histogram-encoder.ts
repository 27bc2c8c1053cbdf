/** Rows of a column as `Histogram` messages, whose fields are in `histogram-fields.ts`. Values move as words. */
import { CUSTOM_SCHEMA, type HistogramLayout } from "./chunk/histogram-layout.ts";
import type { HistogramRows } from "./chunk/histogram-rows.ts";
import { HIGH_WORD, LOW_WORD, wordsOf } from "./chunk/value-words.ts";
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
import { FIXED_64, LENGTH_DELIMITED, VARINT } from "./wire/protobuf.ts";
import { INT64_BYTES_MAX, int64Bytes, int64HalvesBytes, writeInt64, writeInt64Halves } from "./wire/varint.ts";

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
