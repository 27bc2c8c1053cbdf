/** The messages of remote read through protobufjs' reflection, as an implementation that is not ours. */
import protobuf from "protobufjs";

const SCHEMA = `
  syntax = "proto3";
  package prometheus;
  message ReadRequest {
    repeated Query queries = 1;
    repeated ResponseType accepted_response_types = 2;
    enum ResponseType { SAMPLES = 0; STREAMED_XOR_CHUNKS = 1; }
  }
  message Query {
    int64 start_timestamp_ms = 1;
    int64 end_timestamp_ms = 2;
    repeated LabelMatcher matchers = 3;
    ReadHints hints = 4;
  }
  message LabelMatcher {
    enum Type { EQ = 0; NEQ = 1; RE = 2; NRE = 3; }
    Type type = 1;
    string name = 2;
    string value = 3;
  }
  message ReadHints {
    int64 step_ms = 1;
    string func = 2;
    int64 start_ms = 3;
    int64 end_ms = 4;
    repeated string grouping = 5;
    bool by = 6;
    int64 range_ms = 7;
  }
  message ReadResponse { repeated QueryResult results = 1; }
  message QueryResult { repeated TimeSeries timeseries = 1; }
  message TimeSeries { repeated Label labels = 1; repeated Sample samples = 2; repeated Histogram histograms = 4; }
  message Label { string name = 1; string value = 2; }
  message Sample { double value = 1; int64 timestamp = 2; }
  message Histogram {
    oneof count { uint64 count_int = 1; double count_float = 2; }
    double sum = 3;
    sint32 schema = 4;
    double zero_threshold = 5;
    oneof zero_count { uint64 zero_count_int = 6; double zero_count_float = 7; }
    repeated BucketSpan negative_spans = 8;
    repeated sint64 negative_deltas = 9;
    repeated double negative_counts = 10;
    repeated BucketSpan positive_spans = 11;
    repeated sint64 positive_deltas = 12;
    repeated double positive_counts = 13;
    enum ResetHint { UNKNOWN = 0; YES = 1; NO = 2; GAUGE = 3; }
    ResetHint reset_hint = 14;
    int64 timestamp = 15;
    repeated double custom_values = 16;
  }
  message BucketSpan { sint32 offset = 1; uint32 length = 2; }
  message ChunkedReadResponse { repeated ChunkedSeries chunked_series = 1; int64 query_index = 2; }
  message ChunkedSeries { repeated Label labels = 1; repeated Chunk chunks = 2; }
  message Chunk {
    int64 min_time_ms = 1;
    int64 max_time_ms = 2;
    enum Encoding { UNKNOWN = 0; XOR = 1; }
    Encoding type = 3;
    bytes data = 4;
  }
`;

const { root } = protobuf.parse(SCHEMA, { keepCase: true });

/** A message as plain data: 64-bit numbers as decimal strings, enums as numbers, bytes in base64, all defaults there. */
export function reflect(message: string, bytes: Uint8Array): Record<string, unknown> {
  const type = root.lookupType(`prometheus.${message}`);
  return type.toObject(type.decode(bytes), { longs: String, bytes: String, defaults: true });
}

/** The bytes of a message that is given as plain data. */
export function encodeByReflection(message: string, data: Record<string, unknown>): Uint8Array {
  const type = root.lookupType(`prometheus.${message}`);
  return Uint8Array.from(type.encode(type.fromObject(data)).finish());
}
