/** Native histograms to the bit, and columns of them. */
import { type Block, histogramBlock } from "@promsplice/core";

import { type HistogramLayout, isSameLayout, makeLayout } from "../src/chunk/histogram-layout.ts";
import { HistogramBuilder, type HistogramRows, histogramRowsOf } from "../src/chunk/histogram-rows.ts";
import { fromBits } from "./bytes.ts";

/** A histogram. Counts and buckets are decimal where they are of integers, bits in hexadecimal where they are of floats. */
export interface ExactHistogram {
  readonly t: string;
  readonly hint: number;
  readonly schema: number;
  /** Bits, as of all floats. */
  readonly threshold: string;
  readonly bounds?: readonly string[];
  readonly ps: readonly (readonly [number, number])[];
  readonly ns: readonly (readonly [number, number])[];
  readonly count: string;
  readonly zero: string;
  readonly sum: string;
  /** Of integers the difference from the bucket before. */
  readonly pb: readonly string[];
  readonly nb: readonly string[];
}

const STALE = "7ff0000000000002";

/** A block over histograms of one kind. */
export function exactBlock(isFloat: boolean, histograms: readonly ExactHistogram[]): Block {
  const timestamps = Float64Array.from(histograms, ({ t }) => Number(t));
  const builder = new HistogramBuilder(isFloat, histograms.length, 0);
  let layout: HistogramLayout | undefined;
  for (const [row, histogram] of histograms.entries()) {
    if (histogram.sum === STALE) {
      builder.addStale();
      continue;
    }
    const { schema, threshold, bounds, ps, ns } = histogram;
    const next = makeLayout(
      schema,
      fromBits([threshold, ...(bounds ?? [])]),
      Int32Array.from(ps.flat()),
      Int32Array.from(ns.flat()),
    );
    layout = layout !== undefined && isSameLayout(layout, next) ? layout : next;
    const start = builder.startRow(layout, histogram.hint);
    put(builder.counts, row, number(isFloat, histogram.count));
    put(builder.zeroCounts, row, number(isFloat, histogram.zero));
    put(builder.sums, row, number(true, histogram.sum));
    for (const [at, bucket] of [...histogram.pb, ...histogram.nb].entries()) {
      put(builder.buckets, start + at, number(isFloat, bucket));
    }
  }
  return histogramBlock(timestamps, builder.finish());
}

/** The rows of a block of histograms. */
export function exactRows(block: Block): ExactHistogram[] {
  const rows = histogramRowsOf(block.histograms());
  return Array.from(block.timestamps(), (timeMs, row) => exactRow(rows, row, String(timeMs)));
}

function exactRow(rows: HistogramRows, row: number, t: string): ExactHistogram {
  const { schema, bounds, positiveSpans, negativeSpans, positiveBuckets } = rows.layoutAt(row);
  const text = (words: Int32Array, index: number, isSigned: boolean): string =>
    rows.isFloat ? hex(words, index) : String(isSigned ? int64(words, index) : BigInt.asUintN(64, int64(words, index)));
  const start = rows.bucketStarts[row]!;
  const buckets = Array.from({ length: rows.bucketStarts[row + 1]! - start }, (_, at) =>
    text(rows.buckets, start + at, true),
  );
  const boundWords = new Int32Array(bounds.buffer, bounds.byteOffset, 2 * bounds.length);
  const boundBits = Array.from(bounds, (_, at) => hex(boundWords, at));
  return {
    t,
    hint: rows.hints[row]!,
    schema,
    threshold: boundBits[0]!,
    ...(bounds.length > 1 ? { bounds: boundBits.slice(1) } : {}),
    ps: pairs(positiveSpans),
    ns: pairs(negativeSpans),
    count: text(rows.counts, row, false),
    zero: text(rows.zeroCounts, row, false),
    sum: hex(rows.sums, row),
    pb: buckets.slice(0, positiveBuckets),
    nb: buckets.slice(positiveBuckets),
  };
}

/**
 * The same histogram with its layout no more than it needs: bucket by bucket, without those that hold nothing; differences
 * made counts. Appending to a chunk may add empty buckets, and spans may be cut in many ways.
 */
export function filledBuckets(isFloat: boolean, { ps, ns, pb, nb, ...rest }: ExactHistogram): unknown {
  return { ...rest, positive: filledSide(isFloat, ps, pb), negative: filledSide(isFloat, ns, nb) };
}

function filledSide(isFloat: boolean, spans: ExactHistogram["ps"], buckets: readonly string[]): Record<number, string> {
  const filled: Record<number, string> = {};
  let index = 0;
  let at = 0;
  let count = 0n;
  for (const [offset, length] of spans) {
    index += offset;
    for (let left = length; left > 0; left--, index++, at++) {
      count = isFloat ? BigInt(`0x${buckets[at]!}`) : BigInt.asIntN(64, count + BigInt(buckets[at]!));
      if (count !== 0n) {
        filled[index] = String(count);
      }
    }
  }
  return filled;
}

function number(isFloat: boolean, text: string): bigint {
  return BigInt(isFloat ? `0x${text}` : text);
}

function put(words: Int32Array, index: number, value: bigint): void {
  new BigUint64Array(words.buffer, words.byteOffset, words.length / 2)[index] = BigInt.asUintN(64, value);
}

function int64(words: Int32Array, index: number): bigint {
  return new BigInt64Array(words.buffer, words.byteOffset, words.length / 2)[index]!;
}

function hex(words: Int32Array, index: number): string {
  return BigInt.asUintN(64, int64(words, index)).toString(16).padStart(16, "0");
}

function pairs(spans: Int32Array): (readonly [number, number])[] {
  return Array.from({ length: spans.length / 2 }, (_, at) => [spans[2 * at]!, spans[2 * at + 1]!] as const);
}
