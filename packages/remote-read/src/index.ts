/** Reads replicas through Prometheus' remote read, splices them, and serves the result the same way. */
export {
  remoteReader,
  type RemoteReaderLimits,
  type RemoteReaderOptions,
  type RemoteReaderTimeouts,
} from "./client.ts";
export { splicedReader, type SplicedReaderOptions, type SplicedSeries } from "./spliced-reader.ts";
export { readHandler, type ReadHandlerLimits, type ReadHandlerOptions } from "./handler.ts";
export { memoryReader, type MemoryReaderOptions } from "./memory-reader.ts";
export { type HistogramArrays, HistogramRows, type HistogramSample } from "./chunk/histogram-rows.ts";
export type { HistogramLayout } from "./chunk/histogram-layout.ts";
export type {
  Hints,
  Matcher,
  MatcherType,
  Query,
  Reader,
  Reading,
  ReadOptions,
  ReadReport,
  ReplicaReport,
} from "./reader.ts";
export type { BasicAuth } from "./request-headers.ts";
export type { ResponseType } from "./read-exchange.ts";
export type { Crc32c } from "./wire/crc32c.ts";
export type { SnappyOptions } from "./wire/snappy.ts";
export { RemoteReadError, type RemoteReadErrorCode, type RemoteReadErrorOptions } from "./remote-read-error.ts";
