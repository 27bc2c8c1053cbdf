/** Everything that the demo shows of a series, as data: measured here, laid out in report.ts, checked by the test. */
import type { Columns, LabelSet } from "@promsplice/core";
import type { ReadReport } from "@promsplice/remote-read";
import { compareRefreshes, readPoints } from "./flicker.ts";
import { explainHole, type Hole } from "./hole.ts";
import {
  countNearDuplicates,
  countSwitches,
  estimateInterval,
  findHoles,
  findUncovered,
  measureCoverage,
  measureLongestGap,
  spanColumns,
  type Stretch,
} from "./measure.ts";
import type { Pair } from "./pair.ts";
import type { PairReading, SeriesReading } from "./read-pair.ts";
import { cutBlocks, joinBlocks, type Spliced, splicePair } from "./splice-pair.ts";

/** A second refresh of the spliced graph cuts what came, chunks of 120 rows as a rule, after so many: nowhere the same. */
const BLOCK_ROWS = 97;

/** One line of samples over time: a replica, or the spliced series. */
export interface Track<C extends Columns = Columns> {
  readonly columns: C;
  readonly uncovered: readonly Stretch[];
  /** Share of the window that is covered, from 0 to 1. */
  readonly coverage: number;
  readonly holeCount: number;
  readonly longestGapMs: number;
}

export interface SeriesReport {
  /** The labels without the replica label. */
  readonly labels: LabelSet;
  /** Time between two scrapes, in milliseconds. */
  readonly intervalMs: number;
  /** From the first sample of a replica to the last one of any. */
  readonly window: Stretch;
  readonly replicas: readonly Track[];
  readonly spliced: Track<Spliced>;
  readonly holes: readonly Hole[];
  readonly switches: number;
  readonly nearDuplicates: number;
  /** The times of the graph's points that change when a refresh goes to the other replica. */
  readonly flickerMs: readonly number[];
  /** How many points change between two refreshes of the spliced graph. */
  readonly splicedFlicker: number;
  /** Points of the graph, one an interval. */
  readonly points: number;
}

/** The sums over all series of a pair. */
interface Totals {
  readonly points: number;
  readonly flicker: number;
  readonly splicedFlicker: number;
  /** Mean of the series' coverage by each replica, from 0 to 1. */
  readonly replicaCoverage: readonly number[];
  readonly splicedCoverage: number;
  readonly holes: number;
  /** Holes that are there although the other replica has samples in them. */
  readonly holesOfPenalty: number;
  readonly samplesIn: number;
  readonly samplesOut: number;
}

export interface PairReport {
  readonly pair: Pair;
  readonly series: readonly SeriesReport[];
  readonly totals: Totals;
  /** Series of the answer that have no report: too many, or with a single sample. */
  readonly seriesLeftOut: number;
  readonly blocksSent: number;
  /** What reading the pair took. */
  readonly reading: ReadReport;
}

/** Measures each series of a reading; none where all have a single sample. */
export function examinePair(pair: Pair, { series: read, seriesDropped, blocksSent, report }: PairReading): PairReport {
  const series = read.flatMap((one) => examineSeries(one, pair.intervalMs) ?? []);
  return {
    pair,
    series,
    totals: sumSeries(series),
    seriesLeftOut: seriesDropped + read.length - series.length,
    blocksSent,
    reading: report,
  };
}

function examineSeries(
  { labels, blocks, order, spliced }: SeriesReading,
  knownIntervalMs: number | undefined,
): SeriesReport | undefined {
  const replicas = blocks.map(joinBlocks);
  const times = replicas.map(({ timestamps }) => timestamps);
  const window = spanColumns(times);
  const intervalMs = knownIntervalMs ?? estimateInterval(times);
  if (intervalMs === undefined || window.fromMs === window.toMs) {
    return undefined;
  }
  const [graphA, graphB] = replicas.map((columns) => readPoints(columns, window, intervalMs));
  const graph = readPoints(spliced, window, intervalMs);
  const cut = blocks.map((all) => cutBlocks(all, BLOCK_ROWS));
  const again = readPoints(splicePair(cut, order), window, intervalMs);
  return {
    labels,
    intervalMs,
    window,
    replicas: replicas.map((columns) => measureTrack(columns, window, intervalMs)),
    spliced: measureTrack(spliced, window, intervalMs),
    holes: findHoles(spliced.timestamps, intervalMs).map((row) => explainHole(spliced, replicas, row, intervalMs)),
    switches: countSwitches(spliced.replicas),
    nearDuplicates: countNearDuplicates(spliced.timestamps, intervalMs),
    flickerMs: compareRefreshes(graphA!, graphB!).map((point) => window.fromMs + point * intervalMs),
    splicedFlicker: compareRefreshes(graph, again).length,
    points: graph.length,
  };
}

function measureTrack<C extends Columns>(columns: C, window: Stretch, intervalMs: number): Track<C> {
  const uncovered = findUncovered(columns.timestamps, window, intervalMs);
  return {
    columns,
    uncovered,
    coverage: measureCoverage(uncovered, window),
    holeCount: findHoles(columns.timestamps, intervalMs).length,
    longestGapMs: measureLongestGap(columns.timestamps),
  };
}

function sumSeries(series: readonly SeriesReport[]): Totals {
  const sum = (count: (report: SeriesReport) => number): number =>
    series.reduce((total, report) => total + count(report), 0);
  return {
    points: sum(({ points }) => points),
    flicker: sum(({ flickerMs }) => flickerMs.length),
    splicedFlicker: sum(({ splicedFlicker }) => splicedFlicker),
    replicaCoverage: [0, 1].map((replica) => sum(({ replicas }) => replicas[replica]!.coverage) / series.length),
    splicedCoverage: sum(({ spliced }) => spliced.coverage) / series.length,
    holes: sum(({ holes }) => holes.length),
    holesOfPenalty: sum(({ holes }) => holes.filter(({ cause }) => cause !== "neither").length),
    samplesIn: sum(({ replicas }) => replicas.reduce((rows, { columns }) => rows + columns.timestamps.length, 0)),
    samplesOut: sum(({ spliced }) => spliced.columns.timestamps.length),
  };
}
