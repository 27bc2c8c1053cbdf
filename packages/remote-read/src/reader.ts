/**
 * Everything that answers a query is a reader: a remote server, several readers spliced, series in memory. So readers
 * compose, and the HTTP handler serves any of them.
 */
import type { Series } from "@promsplice/core";

export type MatcherType = "=" | "!=" | "=~" | "!~";

/** Selects series by one label. A missing label is the empty string; patterns are RE2 and match whole values. */
export interface Matcher {
  readonly type: MatcherType;
  readonly name: string;
  readonly value: string;
}

/**
 * What the query is for, as PromQL tells it. A Prometheus reads `startMs` and `endMs` *instead of* those of the query, so
 * whoever sends hints to a server makes them equal.
 */
export interface Hints {
  readonly stepMs: number;
  /** The function around the selector, empty for none; `series` where only label sets are wanted. */
  readonly func: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly grouping: readonly string[];
  readonly by: boolean;
  readonly rangeMs: number;
}

/** Whether only label sets are wanted: then servers send them without samples, and have no way to stream them. */
export function wantsLabelSetsOnly({ hints }: Query): boolean {
  return hints?.func === "series";
}

/** Times in ms, both ends inclusive, inside ±2^53. All matchers must hold. */
export interface Query {
  readonly startMs: number;
  readonly endMs: number;
  readonly matchers: readonly Matcher[];
  readonly hints?: Hints | undefined;
}

export interface ReadOptions {
  /** Cancels the read, at any point. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Series come in increasing order of their label sets *without the labels of these names*; sets that are equal there come
   * next to one another. None by default.
   */
  readonly orderWithout?: readonly string[] | undefined;
  /**
   * No other reader is read beside this one. Where it cannot have the order from its server, it may then gather the whole
   * answer before it passes anything on.
   */
  readonly isAlone?: boolean | undefined;
}

export interface Reader {
  /** Begins to read. Nothing is sent before the answer is iterated over. */
  read(query: Query, options?: ReadOptions): Reading;
}

/**
 * One answer, to be iterated over once: series in the order that was asked for, no whole label set twice, each with all its
 * samples inside the query's range. The iteration fails where the answer would not be complete; leaving it early cancels.
 */
export interface Reading extends AsyncIterable<Series> {
  /** What has happened so far; final once the iteration has ended. */
  report(): ReadReport;
}

export interface ReadReport {
  readonly series: number;
  /** Series that were sent more than once with the same label set and have been united. */
  readonly united: number;
  /** Bytes of bodies that arrived, before decoding. */
  readonly bytes: number;
  /** The blocks of which at least the timestamps were decoded, and those that were passed on as they came in. */
  readonly blocksDecoded: number;
  readonly blocksPassedOn: number;
  /** One entry a server that was asked. */
  readonly replicas: readonly ReplicaReport[];
}

export interface ReplicaReport {
  readonly name: string;
  /** What made the replica be left out, where something did. */
  readonly error?: Error | undefined;
  /**
   * The label set of the first series without it, formatted; undefined where it was left out from the beginning, and where no
   * series came any more after it had failed.
   */
  readonly leftOutFrom?: string | undefined;
  /** True where the transport could not tell whether the whole body had arrived. */
  readonly isUnverifiable: boolean;
}
