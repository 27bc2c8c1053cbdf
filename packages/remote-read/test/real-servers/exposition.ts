/**
 * Metric families as a target exposes them: as text, which has floats only, or as protobuf, which has native histograms too
 * (io/prometheus/client/metrics.proto of prometheus/client_model, each message with its length before it).
 */
import protobuf from "protobufjs";

export const TEXT_TYPE = "text/plain; version=0.0.4; charset=utf-8";
export const PROTOBUF_TYPE =
  "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";

/** Counts of buckets by their index, above zero or below it. */
type Buckets = ReadonlyMap<number, number>;

export interface NativeHistogram {
  readonly isFloat: boolean;
  readonly schema: number;
  readonly sum: number;
  readonly zeroCount: number;
  readonly positive: Buckets;
  readonly negative: Buckets;
}

/** Cumulative counts by upper bounds, of which the last is infinite. */
interface ClassicHistogram {
  readonly sum: number;
  readonly counts: ReadonlyMap<number, number>;
}

interface Metric {
  readonly labels: Readonly<Record<string, string>>;
  /** One of the three. */
  readonly value?: number;
  readonly native?: NativeHistogram;
  readonly classic?: ClassicHistogram;
}

export interface MetricFamily {
  readonly name: string;
  /** Of a family of histograms, whether they are of a counter or of a gauge. */
  readonly type: "counter" | "gauge";
  readonly metrics: readonly Metric[];
}

/** All floats in the text format; native histograms are not in it. */
export function exposeText(families: readonly MetricFamily[]): string {
  return families
    .flatMap(({ name, type, metrics }) => {
      const lines = metrics.flatMap((metric) => textLines(name, metric));
      const textType = metrics.some(({ classic }) => classic !== undefined) ? "histogram" : type;
      return lines.length === 0 ? [] : [`# TYPE ${name} ${textType}\n`, ...lines];
    })
    .join("");
}

function textLines(name: string, { labels, value, classic }: Metric): string[] {
  const line = (suffix: string, more: Readonly<Record<string, string>>, shown: number): string => {
    const pairs = Object.entries({ ...labels, ...more }).map(([label, text]) => `${label}=${JSON.stringify(text)}`);
    return `${name}${suffix}{${pairs.join(",")}} ${shown}\n`;
  };
  if (classic !== undefined) {
    const buckets = [...classic.counts].map(([bound, count]) =>
      line("_bucket", { le: String(bound).replace("Infinity", "+Inf") }, count),
    );
    return [...buckets, line("_sum", {}, classic.sum), line("_count", {}, countOf(classic))];
  }
  return value === undefined ? [] : [line("", {}, value)];
}

function countOf({ counts }: ClassicHistogram): number {
  return counts.get(Infinity)!;
}

const { root } = protobuf.parse(
  `
  syntax = "proto3";
  message MetricFamily {
    string name = 1;
    enum MetricType { COUNTER = 0; GAUGE = 1; HISTOGRAM = 4; GAUGE_HISTOGRAM = 5; }
    MetricType type = 3;
    repeated Metric metric = 4;
  }
  message Metric { repeated LabelPair label = 1; Number gauge = 2; Number counter = 3; Histogram histogram = 7; }
  message LabelPair { string name = 1; string value = 2; }
  message Number { double value = 1; }
  message Histogram {
    uint64 sample_count = 1;
    double sample_sum = 2;
    repeated Bucket bucket = 3;
    double sample_count_float = 4;
    sint32 schema = 5;
    double zero_threshold = 6;
    uint64 zero_count = 7;
    double zero_count_float = 8;
    repeated BucketSpan negative_span = 9;
    repeated sint64 negative_delta = 10;
    repeated double negative_count = 11;
    repeated BucketSpan positive_span = 12;
    repeated sint64 positive_delta = 13;
    repeated double positive_count = 14;
  }
  message Bucket { uint64 cumulative_count = 1; double upper_bound = 2; }
  message BucketSpan { sint32 offset = 1; uint32 length = 2; }
`,
  { keepCase: true },
);
const message = root.lookupType("MetricFamily");

/** The families with all that is in them. */
export function exposeProtobuf(families: readonly MetricFamily[]): Uint8Array {
  const writer = protobuf.Writer.create();
  for (const family of families) {
    message.encodeDelimited(message.fromObject(familyMessage(family)), writer);
  }
  return writer.finish();
}

function familyMessage({ name, type, metrics }: MetricFamily): Record<string, unknown> {
  const isHistogram = metrics.some(({ value }) => value === undefined);
  return {
    name,
    type: isHistogram ? (type === "gauge" ? "GAUGE_HISTOGRAM" : "HISTOGRAM") : type.toUpperCase(),
    metric: metrics.map(({ labels, value, native, classic }) => ({
      label: Object.entries(labels).map(([label, text]) => ({ name: label, value: text })),
      ...(value === undefined ? {} : { [type]: { value } }),
      ...(native === undefined ? {} : { histogram: nativeMessage(native) }),
      ...(classic === undefined ? {} : { histogram: classicMessage(classic) }),
    })),
  };
}

function classicMessage(histogram: ClassicHistogram): Record<string, unknown> {
  return {
    sample_count: countOf(histogram),
    sample_sum: histogram.sum,
    bucket: [...histogram.counts].map(([bound, count]) => ({ cumulative_count: count, upper_bound: bound })),
  };
}

function nativeMessage({ isFloat, schema, sum, zeroCount, positive, negative }: NativeHistogram): unknown {
  const count = [...positive.values(), ...negative.values()].reduce((total, one) => total + one, zeroCount);
  return {
    sample_sum: sum,
    schema,
    zero_threshold: 2 ** -128,
    ...(isFloat
      ? { sample_count_float: count, zero_count_float: zeroCount }
      : { sample_count: count, zero_count: zeroCount }),
    ...sideFields("positive", isFloat, positive),
    ...sideFields("negative", isFloat, negative),
  };
}

/** The buckets of one side: spans of one bucket each, and their counts, of integers as differences. */
function sideFields(side: "positive" | "negative", isFloat: boolean, buckets: Buckets): Record<string, unknown> {
  const indices = [...buckets.keys()].toSorted((one, other) => one - other);
  const counts = indices.map((index) => buckets.get(index)!);
  return {
    [`${side}_span`]: indices.map((index, at) => ({
      offset: at === 0 ? index : index - indices[at - 1]! - 1,
      length: 1,
    })),
    [isFloat ? `${side}_count` : `${side}_delta`]: isFloat
      ? counts
      : counts.map((count, at) => count - (counts[at - 1] ?? 0)),
  };
}
