/**
 * The fields of a `Histogram` message, which is field 4 of a `TimeSeries`. From prompb/types.proto of Prometheus 3.14:
 *
 *      1 count_int, uint64     or  2 count_float, double         which of the two says what the histogram is of
 *      3 sum                       4 schema, sint32              5 zero_threshold
 *      6 zero_count_int        or  7 zero_count_float
 *      8 negative_spans            9 negative_deltas, sint64    10 negative_counts      deltas of integers, counts of floats
 *     11 positive_spans           12 positive_deltas            13 positive_counts
 *     14 reset_hint               15 timestamp                  16 custom_values, bounds
 *
 *     BucketSpan   1 offset, sint32   2 length, uint32
 */

/** Number of the field that holds the histograms, in a `TimeSeries`. */
export const HISTOGRAMS = 4;

export const COUNT_INT = 1;
export const COUNT_FLOAT = 2;
export const SUM = 3;
export const SCHEMA = 4;
export const ZERO_THRESHOLD = 5;
export const ZERO_COUNT_INT = 6;
export const ZERO_COUNT_FLOAT = 7;
export const NEGATIVE_SPANS = 8;
export const NEGATIVE_DELTAS = 9;
export const NEGATIVE_COUNTS = 10;
export const POSITIVE_SPANS = 11;
export const POSITIVE_DELTAS = 12;
export const POSITIVE_COUNTS = 13;
export const RESET_HINT = 14;
export const TIME = 15;
export const CUSTOM_VALUES = 16;

export const SPAN_OFFSET = 1;
export const SPAN_LENGTH = 2;
