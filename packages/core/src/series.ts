/** Series, and the replicas of one: what goes into `groupSeries` and what comes out. */
import type { Block } from "./block.ts";
import type { LabelSet } from "./labels.ts";

/** One series of one source. */
export interface Series {
  /** As the source sent them, replica labels included; not to be changed afterwards. */
  readonly labels: LabelSet;
  /** Its blocks; an array may have any order, another iterable goes by first time. */
  readonly blocks: Iterable<Block>;
}

/** One replica of a series. */
export interface SeriesReplica extends Series {
  /** Index of the source that it came from. */
  readonly source: number;
}

/** A series with all its replicas, in the order in which a strategy takes them. */
export interface SeriesGroup {
  /** The label set without the replica labels. */
  readonly labels: LabelSet;
  /** At least one. */
  readonly replicas: readonly SeriesReplica[];
  /** How many series were united with an earlier one of the same source and the very same label set. */
  readonly united: number;
}

export interface GroupSeriesOptions {
  /** Names of the labels that tell replicas apart; may be empty: then the sources do. */
  readonly replicaLabels: readonly string[];
  /**
   * Values of the first replica label in the order in which their replicas are to come (an empty one stands for series
   * without that label). Replicas with other values follow. By default, and among equals, replicas go by the values of the
   * replica labels, in the order of `replicaLabels` and by their UTF-8 bytes, then by source.
   */
  readonly replicaOrder?: readonly string[] | undefined;
  /** Names of further labels that the order of series, coming and going, leaves out of account. None by default. */
  readonly orderWithout?: readonly string[] | undefined;
}
