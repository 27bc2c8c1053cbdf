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
  spanColumns,
  type Stretch,
} from "./measure.ts";
import type { Pair } from "./pair.ts";
import type { PairReading, SeriesReading } from "./read-pair.ts";
import { countFlips, planSlide } from "./slide.ts";
import { joinBlocks, type Spliced, splicePair } from "./splice-pair.ts";
import { type Choice, makeStrategy, STRATEGY_NAMES, type StrategyName } from "./strategies.ts";

/** One line of samples over time: a replica, or what a strategy makes of both. */
export interface Track<C extends Columns = Columns> {
  readonly columns: C;
  readonly uncovered: readonly Stretch[];
  /** Share of the window that is covered, from 0 to 1. */
  readonly coverage: number;
  readonly holeCount: number;
  readonly nearDuplicates: number;
}

export interface StrategyTrack extends Track<Spliced> {
  readonly name: StrategyName;
  readonly switches: number;
  /** How often what it shows changes while a window slides by a second; see slide.ts. */
  readonly flips: number;
}

export interface SeriesReport {
  /** The labels without the replica label. */
  readonly labels: LabelSet;
  /** Time between two scrapes, in milliseconds. */
  readonly intervalMs: number;
  /** From the first sample of a replica to the last one of any. */
  readonly window: Stretch;
  readonly replicas: readonly Track[];
  /** In the order of STRATEGY_NAMES. */
  readonly strategies: readonly StrategyTrack[];
  /** Those that `penalty` leaves. */
  readonly holes: readonly Hole[];
  /** The times of the graph's points that change when a refresh goes to the other replica. */
  readonly flickerMs: readonly number[];
  /** How many points change between two refreshes of the graph of the answer. */
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
  /** In the order of STRATEGY_NAMES. */
  readonly strategies: readonly StrategySum[];
  /** Holes of `penalty`. */
  readonly holes: number;
  /** Those of them that are there although the other replica has samples in them. */
  readonly holesOfPenalty: number;
  readonly samplesIn: number;
}

/** One strategy's sums over all series. */
interface StrategySum {
  readonly name: StrategyName;
  readonly samples: number;
  /** Mean of the series' coverage, from 0 to 1. */
  readonly coverage: number;
  readonly holes: number;
  readonly nearDuplicates: number;
  readonly switches: number;
  readonly flips: number;
}

export interface PairReport {
  readonly pair: Pair;
  /** By what the answer was spliced. */
  readonly choice: Choice;
  readonly series: readonly SeriesReport[];
  readonly totals: Totals;
  /** Series of the answer that have no report: too many, or with a single sample. */
  readonly seriesLeftOut: number;
  readonly blocksSent: number;
  /** What reading the pair took. */
  readonly reading: ReadReport;
}

/** Measures each series of a reading; none where all have a single sample. */
export function examinePair(pair: Pair, reading: PairReading): PairReport {
  const { choice, series: read, seriesDropped, blocksSent, report } = reading;
  const series = read.flatMap((one) => examineSeries(one, choice, pair.intervalMs) ?? []);
  return {
    pair,
    choice,
    series,
    totals: sumSeries(series),
    seriesLeftOut: seriesDropped + read.length - series.length,
    blocksSent,
    reading: report,
  };
}

function examineSeries(
  { labels, blocks, order, spliced, splicedAgain }: SeriesReading,
  choice: Choice,
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
  const again = readPoints(splicedAgain, window, intervalMs);
  const slide = planSlide(window, intervalMs);
  const strategies = STRATEGY_NAMES.map((name): StrategyTrack => {
    const strategy = makeStrategy(name, name === "interval" ? (choice.intervalMs ?? intervalMs) : choice.intervalMs);
    const columns = name === choice.name ? spliced : splicePair(blocks, order, strategy);
    return {
      ...measureTrack(columns, window, intervalMs),
      name,
      switches: countSwitches(columns.replicas),
      flips: countFlips(replicas, order, strategy, slide, intervalMs),
    };
  });
  const { columns: ofPenalty } = strategies.find(({ name }) => name === "penalty")!;
  return {
    labels,
    intervalMs,
    window,
    replicas: replicas.map((columns) => measureTrack(columns, window, intervalMs)),
    strategies,
    holes: findHoles(ofPenalty.timestamps, intervalMs).map((row) => explainHole(ofPenalty, replicas, row, intervalMs)),
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
    nearDuplicates: countNearDuplicates(columns.timestamps, intervalMs),
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
    strategies: STRATEGY_NAMES.map((name, index) => {
      const sumTracks = (count: (track: StrategyTrack) => number): number =>
        sum(({ strategies }) => count(strategies[index]!));
      return {
        name,
        samples: sumTracks(({ columns }) => columns.timestamps.length),
        coverage: sumTracks(({ coverage }) => coverage) / series.length,
        holes: sumTracks(({ holeCount }) => holeCount),
        nearDuplicates: sumTracks(({ nearDuplicates }) => nearDuplicates),
        switches: sumTracks(({ switches }) => switches),
        flips: sumTracks(({ flips }) => flips),
      };
    }),
    holes: sum(({ holes }) => holes.length),
    holesOfPenalty: sum(({ holes }) => holes.filter(({ cause }) => cause !== "neither").length),
    samplesIn: sum(({ replicas }) => replicas.reduce((rows, { columns }) => rows + columns.timestamps.length, 0)),
  };
}
