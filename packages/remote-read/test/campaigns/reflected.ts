/**
 * Messages as protobufjs' reflection shows them, brought into the form in which ours are compared: sorted, clamped and rid of
 * doubles as the decoders say of themselves. A number that is no number has lost its bits there, so it is only `nan` here.
 */
import { bitsOf } from "../bytes.ts";
import type { ExactHistogram } from "../exact-histogram.ts";

const TYPES = ["=", "!=", "=~", "!~"];
const BOUND_MAX = 2n ** 53n;
const CUSTOM_SCHEMA = -53;

/** A float's bits, or `nan`. */
function plainBits(value: number): string {
  return Number.isNaN(value) ? "nan" : bitsOf(Float64Array.of(value))[0]!;
}

/** Bits, or a decimal number, as {@link plainBits} shows them. */
export function forgetNan(bits: string): string {
  return /^[7f]ff(?!0{13}$)/.test(bits) ? "nan" : bits;
}

/** A histogram as it is compared. Where its sum is no number it may be a stale marker, of which nothing else counts. */
export function forgetNans(one: ExactHistogram): PlainRow[1] {
  const sum = forgetNan(one.sum);
  return sum === "nan"
    ? "a histogram without a sum"
    : {
        ...one,
        ...(one.bounds === undefined ? {} : { bounds: one.bounds.map(forgetNan) }),
        threshold: forgetNan(one.threshold),
        sum,
        count: forgetNan(one.count),
        zero: forgetNan(one.zero),
        pb: one.pb.map(forgetNan),
        nb: one.nb.map(forgetNan),
      };
}

export interface ReflectedRequest {
  readonly queries: readonly {
    readonly start_timestamp_ms: string;
    readonly end_timestamp_ms: string;
    readonly matchers: readonly { readonly type: number; readonly name: string; readonly value: string }[];
    readonly hints: {
      readonly step_ms: string;
      readonly func: string;
      readonly start_ms: string;
      readonly end_ms: string;
      readonly grouping: readonly string[];
      readonly by: boolean;
      readonly range_ms: string;
    } | null;
  }[];
  readonly accepted_response_types: readonly number[];
}

/** As `decodeReadRequest` gives it. */
export function plainRequest({ queries, accepted_response_types: acceptedResponseTypes }: ReflectedRequest): unknown {
  return {
    queries: queries.map(({ start_timestamp_ms: start, end_timestamp_ms: end, matchers, hints }) => ({
      startMs: clamp(start),
      endMs: clamp(end),
      matchers: matchers.map(({ type, name, value }) => ({ type: TYPES[type], name, value })),
      ...(hints === null
        ? {}
        : {
            hints: {
              stepMs: clamp(hints.step_ms),
              func: hints.func,
              startMs: clamp(hints.start_ms),
              endMs: clamp(hints.end_ms),
              grouping: hints.grouping,
              by: hints.by,
              rangeMs: clamp(hints.range_ms),
            },
          }),
    })),
    acceptedResponseTypes,
  };
}

type ReflectedLabels = readonly { readonly name: string; readonly value: string }[];

export interface ReflectedFrame {
  readonly chunked_series: readonly {
    readonly labels: ReflectedLabels;
    readonly chunks: readonly {
      readonly min_time_ms: string;
      readonly max_time_ms: string;
      readonly type: number;
      readonly data: string;
    }[];
  }[];
  readonly query_index: string;
}

/** As `decodeChunkedResponse` gives it, the data in base64. */
export function plainFrame({ chunked_series: series, query_index: queryIndex }: ReflectedFrame): unknown {
  return {
    queryIndex: clamp(queryIndex),
    series: series.map(({ labels, chunks }) => ({
      labels: plainLabels(labels),
      chunks: chunks.map(({ min_time_ms: min, max_time_ms: max, type, data }) => ({
        minMs: Number(min),
        maxMs: Number(max),
        type,
        data,
      })),
    })),
  };
}

interface ReflectedHistogram {
  readonly count_int?: string;
  readonly count_float?: number;
  readonly sum: number;
  readonly schema: number;
  readonly zero_threshold: number;
  readonly zero_count_int?: string;
  readonly zero_count_float?: number;
  readonly negative_spans: readonly { readonly offset: number; readonly length: number }[];
  readonly negative_deltas: readonly string[];
  readonly negative_counts: readonly number[];
  readonly positive_spans: readonly { readonly offset: number; readonly length: number }[];
  readonly positive_deltas: readonly string[];
  readonly positive_counts: readonly number[];
  readonly reset_hint: number;
  readonly timestamp: string;
  readonly custom_values: readonly number[];
}

export interface ReflectedResponse {
  readonly results: readonly {
    readonly timeseries: readonly {
      readonly labels: ReflectedLabels;
      readonly samples: readonly { readonly value: number; readonly timestamp: string }[];
      readonly histograms: readonly ReflectedHistogram[];
    }[];
  }[];
}

/** A sample: the bits of a float, or a histogram. */
export type PlainRow = readonly [timestampMs: number, sample: string | ExactHistogram];

/** The label sets and rows of each result. */
export function plainResponse({ results }: ReflectedResponse): (readonly [string[], PlainRow[]])[][] {
  return results.map(({ timeseries }) =>
    timeseries.map(({ labels, samples, histograms }) => {
      const floats = samples.map(({ timestamp, value }): PlainRow => [Number(timestamp), plainBits(value)]);
      const ordered = [...histograms.filter((one) => !isFloat(one)), ...histograms.filter(isFloat)];
      const rows = [
        ...floats,
        ...ordered.map((one): PlainRow => [Number(one.timestamp), forgetNans(plainHistogram(one))]),
      ];
      return [plainLabels(labels), firstsByTime(rows)];
    }),
  );
}

/** The count that came last says what a histogram is of; reflection forgets the one before. */
function isFloat(histogram: ReflectedHistogram): boolean {
  return histogram.count_float !== undefined;
}

/** In order of time, of equal times the first. */
function firstsByTime(rows: readonly PlainRow[]): PlainRow[] {
  return rows
    .toSorted(([one], [other]) => one - other)
    .filter(([timestampMs], index, sorted) => index === 0 || timestampMs !== sorted[index - 1]![0]);
}

function plainHistogram(one: ReflectedHistogram): ExactHistogram {
  const { count_float: countFloat } = one;
  const zero = countFloat !== undefined ? plainBits(one.zero_count_float ?? 0) : (one.zero_count_int ?? "0");
  const hasBounds = one.schema === CUSTOM_SCHEMA && one.custom_values.length > 0;
  return {
    t: one.timestamp,
    hint: one.reset_hint >= 0 && one.reset_hint <= 3 ? one.reset_hint : 0,
    schema: one.schema,
    threshold: plainBits(one.zero_threshold),
    ...(hasBounds ? { bounds: one.custom_values.map(plainBits) } : {}),
    ps: one.positive_spans.map(({ offset, length }) => [offset, length | 0]),
    ns: one.negative_spans.map(({ offset, length }) => [offset, length | 0]),
    count: countFloat !== undefined ? plainBits(countFloat) : (one.count_int ?? "0"),
    zero,
    sum: plainBits(one.sum),
    pb: isFloat(one) ? one.positive_counts.map(plainBits) : one.positive_deltas,
    nb: isFloat(one) ? one.negative_counts.map(plainBits) : one.negative_deltas,
  };
}

/** Names and values in turn, those without a value left out, by the bytes of the names. */
function plainLabels(labels: ReflectedLabels): string[] {
  return labels
    .filter(({ value }) => value !== "")
    .toSorted((one, other) => Buffer.compare(Buffer.from(one.name), Buffer.from(other.name)))
    .flatMap(({ name, value }) => [name, value]);
}

function clamp(int64: string): number {
  const value = BigInt(int64);
  return Number(value > BOUND_MAX ? BOUND_MAX : value < -BOUND_MAX ? -BOUND_MAX : value);
}
