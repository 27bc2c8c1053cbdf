/**
 * The layout of native histograms: which buckets there are. One object for all rows in a row that share it, as all rows of a
 * chunk do, so there is none a sample.
 *
 *     positiveSpans   [0, 2,  3, 1]      offset and length of each span: buckets 0, 1 and, 3 further on, 5
 */

export interface HistogramLayout {
  /** −9 to 52 for exponential buckets (those above 8 are reduced by the reader), −53 for custom ones. */
  readonly schema: number;
  /** The zero bucket's threshold, and behind it the upper bounds of custom buckets. Some servers leave the latter out. */
  readonly bounds: Float64Array;
  /** Offset and length of each span, in turns. The first offset is the first bucket's index, the others are not negative. */
  readonly positiveSpans: Int32Array;
  /** As `positiveSpans`, for the buckets below 0. */
  readonly negativeSpans: Int32Array;
  /** The sum of the lengths of the positive spans. */
  readonly positiveBuckets: number;
  /** The sum of the lengths of the negative spans. */
  readonly negativeBuckets: number;
}

/** The schema of custom buckets. */
export const CUSTOM_SCHEMA = -53;

/** The layout of a stale marker. */
export const EMPTY_LAYOUT: HistogramLayout = makeLayout(0, new Float64Array(1), new Int32Array(0), new Int32Array(0));

/** Whether a schema is one that a histogram can have: a chunk or a message of any other cannot be decoded. */
export function isKnownSchema(schema: number): boolean {
  return (schema >= -9 && schema <= 52) || schema === CUSTOM_SCHEMA;
}

/** A layout over arrays that it keeps. */
export function makeLayout(
  schema: number,
  bounds: Float64Array,
  positiveSpans: Int32Array,
  negativeSpans: Int32Array,
): HistogramLayout {
  return {
    schema,
    bounds,
    positiveSpans,
    negativeSpans,
    positiveBuckets: countBuckets(positiveSpans),
    negativeBuckets: countBuckets(negativeSpans),
  };
}

/** Whether two layouts are the same to the bit. */
export function isSameLayout(one: HistogramLayout, other: HistogramLayout): boolean {
  return (
    one === other ||
    (one.schema === other.schema &&
      isSameBounds(one.bounds, other.bounds) &&
      isSameSpans(one.positiveSpans, other.positiveSpans) &&
      isSameSpans(one.negativeSpans, other.negativeSpans))
  );
}

/** Whether two layouts have the same spans, whatever their bounds. */
export function isSameSpans(one: Int32Array, other: Int32Array): boolean {
  return one === other || (one.length === other.length && one.every((number, at) => number === other[at]));
}

/** The sum of the lengths of spans. */
export function countBuckets(spans: Int32Array): number {
  let buckets = 0;
  for (let at = 1; at < spans.length; at += 2) {
    buckets += spans[at]! >>> 0;
  }
  return buckets;
}

/** What is wrong with spans, if anything. */
export function describeSpans(spans: Int32Array): string | undefined {
  for (let at = 2; at < spans.length; at += 2) {
    if (spans[at]! < 0) {
      return `span ${at / 2} begins ${-spans[at]!} buckets before the end of the one before it`;
    }
  }
  return undefined;
}

function isSameBounds(one: Float64Array, other: Float64Array): boolean {
  return one === other || (one.length === other.length && one.every((bound, at) => Object.is(bound, other[at])));
}
