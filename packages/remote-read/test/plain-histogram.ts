/** Native histograms in one plain form, whatever form they come in: as columns, vectors, recorded chunks or samples. */
import type { Block } from "@promsplice/core";

import { histogramRowsOf } from "../src/chunk/histogram-rows.ts";
import { bitsOf } from "./bytes.ts";
import type { RecordedHistogram, VectorRow } from "./vectors.ts";

type Spans = readonly (readonly [number, number])[];

export interface PlainHistogram {
  readonly t: string;
  readonly hint: number;
  /** The bits, hexadecimal. */
  readonly sum: string;
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly count: string;
  readonly zeroCount: string;
  readonly positiveSpans: Spans;
  readonly negativeSpans: Spans;
  readonly positiveBuckets: readonly string[];
  readonly negativeBuckets: readonly string[];
  readonly customValues: readonly number[];
}

/** A histogram of a SAMPLES answer as its JSON has it. */
export interface RecordedSampleHistogram {
  readonly t: string;
  readonly count_int?: string;
  readonly count_float?: number;
  readonly sum: number | string;
  readonly schema: number;
  readonly zero_threshold: number;
  readonly zero_count_int?: string;
  readonly zero_count_float?: number;
  readonly negative_spans: Spans;
  readonly negative_deltas: readonly string[];
  readonly negative_counts: readonly number[];
  readonly positive_spans: Spans;
  readonly positive_deltas: readonly string[];
  readonly positive_counts: readonly number[];
  readonly reset_hint: number;
  readonly custom_values: readonly number[];
}

const HINTS: Readonly<Record<string, number>> = { unknown: 0, reset: 1, notreset: 2, gauge: 3 };

/** The rows of a block of histograms. */
export function plainRows(block: Block): PlainHistogram[] {
  const rows = histogramRowsOf(block.histograms());
  const sums = bitsOf(new Float64Array(rows.sums.buffer, rows.sums.byteOffset, rows.length));
  return Array.from(block.timestamps(), (timeMs, row) => {
    const sample = rows.at(row);
    return {
      t: String(timeMs),
      hint: sample.hint,
      sum: sums[row]!,
      schema: sample.schema,
      zeroThreshold: sample.zeroThreshold,
      count: String(sample.count),
      zeroCount: String(sample.zeroCount),
      positiveSpans: sample.positiveSpans,
      negativeSpans: sample.negativeSpans,
      positiveBuckets: sample.positiveBuckets.map(String),
      negativeBuckets: sample.negativeBuckets.map(String),
      customValues: sample.customValues,
    };
  });
}

export function plainVectorRow(row: VectorRow): PlainHistogram {
  const isFloat = row.positiveDeltas === undefined && row.negativeDeltas === undefined;
  // Floats are written otherwise there: 9e+15.
  const counted = (text: string | undefined): string => (isFloat ? String(Number(text)) : String(text));
  return {
    t: row.t,
    hint: HINTS[row.counterResetHint!]!,
    sum: row.sumBits!,
    schema: row.schema!,
    zeroThreshold: Number(row.zeroThreshold),
    count: counted(row.count),
    zeroCount: counted(row.zeroCount),
    positiveSpans: row.positiveSpans!,
    negativeSpans: row.negativeSpans!,
    positiveBuckets: row.positiveDeltas ?? row.positiveCounts ?? [],
    negativeBuckets: row.negativeDeltas ?? row.negativeCounts ?? [],
    customValues: (row.customValues ?? []).map(Number),
  };
}

export function plainRecorded(row: RecordedHistogram): PlainHistogram {
  return {
    t: row.t,
    hint: HINTS[row.hint]!,
    sum: row.sum,
    schema: row.schema ?? 0,
    zeroThreshold: row.zt ?? 0,
    count: String(row.cnt ?? 0),
    zeroCount: String(row.z ?? 0),
    positiveSpans: row.ps ?? [],
    negativeSpans: row.ns ?? [],
    positiveBuckets: (row.pb ?? []).map(String),
    negativeBuckets: (row.nb ?? []).map(String),
    customValues: row.cv ?? [],
  };
}

export function plainSample(row: RecordedSampleHistogram): PlainHistogram {
  return {
    t: row.t,
    hint: row.reset_hint,
    sum: typeof row.sum === "number" ? bitsOf(Float64Array.of(row.sum))[0]! : row.sum.slice("NaN(0x".length, -1),
    schema: row.schema,
    zeroThreshold: row.zero_threshold,
    count: row.count_int ?? String(row.count_float),
    zeroCount: row.zero_count_int ?? String(row.zero_count_float),
    positiveSpans: row.positive_spans,
    negativeSpans: row.negative_spans,
    positiveBuckets: row.count_int === undefined ? row.positive_counts.map(String) : row.positive_deltas,
    negativeBuckets: row.count_int === undefined ? row.negative_counts.map(String) : row.negative_deltas,
    customValues: row.custom_values,
  };
}
