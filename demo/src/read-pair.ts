/**
 * A pair read through remote read: what `splicedReader` answers, and beside it what each replica sent, from one and the same
 * request to each.
 *
 *     remoteReader A ─ tap ─┐
 *     remoteReader B ─ tap ─┴▶ splicedReader ─▶ the answer ─┐
 *           └──────▶ what A sent, what B sent ──────────────┴▶ one SeriesReading a series
 */
import { type Block, formatLabelSet, groupSeries, type LabelSet, type Series, withoutLabels } from "@promsplice/core";
import type { Matcher, Reader, Reading, ReadReport } from "@promsplice/remote-read";
import type { Stretch } from "./measure.ts";
import { Problem } from "./problem.ts";
import { MARGIN_MS, spliceReaders } from "./replicas.ts";
import {
  clipBlocks,
  cutBlocks,
  findSources,
  joinBlocks,
  type Spliced,
  splicePair,
  trimSpliced,
} from "./splice-pair.ts";
import { type Choice, makeStrategy } from "./strategies.ts";

/** Spliced once more, what came, chunks of 120 rows as a rule, is cut after so many: nowhere the same. */
const BLOCK_ROWS = 97;

export interface SeriesReading {
  /** The labels without those that tell the replicas apart. */
  readonly labels: LabelSet;
  /** The blocks of replica 0 and of replica 1 inside the range, as they were named; none where one has nothing or was left out. */
  readonly blocks: readonly (readonly Block[])[];
  /** The replicas that have blocks, in the order in which they are spliced. */
  readonly order: readonly number[];
  /** What `splicedReader` gave. */
  readonly spliced: Spliced;
  /** The same spliced here, from blocks that are cut elsewhere. */
  readonly splicedAgain: Spliced;
}

export interface PairReading {
  /** By what the answer is spliced. */
  readonly choice: Choice;
  /** The first series of the answer, in its order. */
  readonly series: readonly SeriesReading[];
  /** How many series followed that were read and spliced too, and then dropped. */
  readonly seriesDropped: number;
  /** How many series of the answer both replicas had. */
  readonly seriesOfBoth: number;
  /** For each replica the labels of the first series that it alone had. */
  readonly firstAlone: readonly (LabelSet | undefined)[];
  /** How many blocks the replicas sent, of all series. */
  readonly blocksSent: number;
  readonly report: ReadReport;
}

export interface PairQuery {
  readonly matchers: readonly Matcher[];
  readonly range: Stretch;
  readonly replicaLabels: readonly string[];
  /** By what the answer is spliced. */
  readonly choice: Choice;
  /** Most series that are kept. */
  readonly seriesMax: number;
}

/** Why a reading failed, with what is known of its replicas. */
export class PairReadingError extends Error {
  override readonly name = "PairReadingError";
  readonly report: ReadReport;

  constructor(report: ReadReport, cause: unknown) {
    super("the pair could not be read", { cause });
    this.report = report;
  }
}

/**
 * Reads a pair, to the end.
 *
 * @param onStart Given the reading before it begins, to look at its report meanwhile.
 * @throws PairReadingError where the answer would not be complete; Problem where a server holds several replicas of a series;
 * RangeError if the answer is not what the replicas' samples splice to.
 */
export async function readPair(
  readers: readonly Reader[],
  query: PairQuery,
  onStart: (reading: Reading) => void = () => {},
): Promise<PairReading> {
  const { matchers, range, replicaLabels, choice, seriesMax } = query;
  const taps = readers.map((reader) => new Tap(reader, replicaLabels));
  const reading = spliceReaders(taps, choice, { replicaLabels }).read({
    startMs: range.fromMs,
    endMs: range.toMs,
    matchers,
  });
  onStart(reading);
  const series: SeriesReading[] = [];
  let seriesDropped = 0;
  let seriesOfBoth = 0;
  const firstAlone: (LabelSet | undefined)[] = readers.map(() => undefined);
  let blocksSent = 0;
  try {
    for await (const { labels, blocks } of reading) {
      const isLeftOut = reading.report().replicas.map(({ leftOutFrom }) => leftOutFrom !== undefined);
      const sent = taps.map((tap, replica) => (isLeftOut[replica] === true ? [] : tap.take(labels)));
      const having = [...sent.keys()].filter((replica) => sent[replica]!.length > 0);
      seriesOfBoth += having.length > 1 ? 1 : 0;
      if (having.length === 1) {
        firstAlone[having[0]!] ??= labels;
      }
      blocksSent += sent.flat().reduce((sum, { blocks: all }) => sum + [...all].length, 0);
      if (series.length < seriesMax) {
        series.push(await compareSeries(labels, [...blocks], sent, query));
      } else {
        seriesDropped++;
      }
    }
  } catch (error) {
    throw error instanceof RangeError || error instanceof Problem
      ? error
      : new PairReadingError(reading.report(), error);
  }
  return { choice, series, seriesDropped, seriesOfBoth, firstAlone, blocksSent, report: reading.report() };
}

/** A reader that hands on what another one reads, and keeps it until it is taken. */
class Tap implements Reader {
  readonly #reader: Reader;
  readonly #replicaLabels: readonly string[];
  readonly #kept = new Map<string, Series[]>();

  constructor(reader: Reader, replicaLabels: readonly string[]) {
    this.#reader = reader;
    this.#replicaLabels = replicaLabels;
  }

  read: Reader["read"] = (query, options) => {
    const reading = this.#reader.read(query, options);
    return { report: () => reading.report(), [Symbol.asyncIterator]: () => this.#keep(reading) };
  };

  /** The series that came with these labels, replica labels not counted; it keeps them no longer. */
  take(labels: LabelSet): readonly Series[] {
    const key = JSON.stringify(labels);
    const series = this.#kept.get(key) ?? [];
    this.#kept.delete(key);
    return series;
  }

  async *#keep(reading: Reading): AsyncGenerator<Series, void, undefined> {
    for await (const series of reading) {
      const key = JSON.stringify(withoutLabels(series.labels, this.#replicaLabels));
      const same = this.#kept.get(key);
      if (same === undefined) {
        this.#kept.set(key, [series]);
      } else {
        same.push(series);
      }
      yield series;
    }
  }
}

async function compareSeries(
  labels: LabelSet,
  answer: readonly Block[],
  sent: readonly (readonly Series[])[],
  { range, replicaLabels, choice }: PairQuery,
): Promise<SeriesReading> {
  const order: number[] = [];
  for await (const group of groupSeries(sent.map(streamSeries), { replicaLabels })) {
    order.push(...group.replicas.map(({ source }) => source));
  }
  if (new Set(order).size < order.length) {
    throw new Problem(
      `one server holds several replicas of ${formatLabelSet(labels)}: give servers that hold one, and check --replica-label`,
    );
  }
  const blocks = sent.map((all) => all.flatMap((series) => [...series.blocks]));
  if (blocks.flat().some(({ kind }) => kind === "histogram")) {
    throw new Problem(
      `${formatLabelSet(labels)} holds native histograms, which are not drawn here: leave it out of the selector`,
    );
  }
  const strategy = makeStrategy(choice.name, choice.intervalMs);
  const marginMs = strategy.needsContext ? MARGIN_MS : 0;
  const seen = { fromMs: range.fromMs - marginMs, toMs: range.toMs + marginMs };
  const [here, again] = [blocks, blocks.map((all) => cutBlocks(all, BLOCK_ROWS))].map((all) =>
    trimSpliced(splicePair(all, order, strategy, seen), range),
  );
  return {
    labels,
    blocks: blocks.map((all) => clipBlocks(all, range)),
    order,
    spliced: findSources(joinBlocks(answer), here!),
    splicedAgain: again!,
  };
}

async function* streamSeries(series: readonly Series[]): AsyncIterable<Series> {
  yield* series;
}
