/** Splices the replicas of an HA pair of Prometheus into one series. Start with `dedup`; `splice` is beneath it. */
export { dedup, splice, spliceAsync, spliceBlocks, type SpliceOptions } from "./splice.ts";
export { penalty, type PenaltyOptions } from "./strategy/penalty.ts";
export { fill, type FillOptions } from "./strategy/fill.ts";
export type { Strategy, StrategyOptions } from "./strategy.ts";
export type { Run } from "./run.ts";
export type { AsyncSplicing, Splicing } from "./splicing.ts";
export type { Checkpoint } from "./resume.ts";
export { type Block, checkColumns, type Columns, columnsBlock, type HistogramColumn, histogramBlock } from "./block.ts";
export { findStaleRows } from "./stale-marker.ts";
export { slice, type SliceOptions } from "./slice.ts";
export { groupSeries } from "./group-series.ts";
export type { GroupSeriesOptions, Series, SeriesGroup, SeriesReplica } from "./series.ts";
export { compareLabelSets, formatLabelSet, type LabelSet, withoutLabels } from "./labels.ts";
export { SpliceError, type SpliceErrorCode } from "./splice-error.ts";
