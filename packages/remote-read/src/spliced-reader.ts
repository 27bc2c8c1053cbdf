/**
 * Several replicas read at the same time and spliced: again a reader.
 *
 *     reader A ─┐ series without       groups of the replicas       runs, as blocks:
 *     reader B ─┴ the replica labels ▶ of one series            ▶   whole chunks stay the bytes that they came in
 *
 * One replica failing is normal: it is left out from there on, and the report says so. The answer is complete as long as
 * one replica's is, and fails otherwise.
 */
import {
  type Block,
  type Coverage,
  type Explainer,
  formatLabelSet,
  groupSeries,
  type LabelSet,
  type Series,
  type SeriesGroup,
  spliceBlocks,
  SpliceError,
  type Strategy,
} from "@promsplice/core";
import { isPassedOn } from "./chunk/chunk-block.ts";
import { clipBlocks } from "./clip-blocks.ts";
import { Guard, guardBlocks } from "./guarded-block.ts";
import {
  type Query,
  type Reader,
  type Reading,
  type ReadOptions,
  type ReadReport,
  type ReplicaReport,
  wantsLabelSetsOnly,
} from "./reader.ts";
import { RemoteReadError } from "./remote-read-error.ts";

export interface SplicedReaderOptions {
  /** Names of the labels that tell the replicas apart; the spliced series do not have them. */
  readonly replicaLabels: readonly string[];
  /** One strategy, or one for each query. */
  readonly strategy: Strategy | ((query: Query) => Strategy);
  /** See `groupSeries`. */
  readonly replicaOrder?: readonly string[] | undefined;
  /** `one` (default): one complete replica is enough. `all`: the read fails if any replica does. */
  readonly partial?: "one" | "all" | undefined;
  /**
   * How far a query is widened at both ends, and its answer trimmed again, for strategies whose samples near the edges of a
   * window depend on what lies beyond them; 5 minutes by default, Prometheus' look-back. Others see the query's window.
   */
  readonly marginMs?: number | undefined;
  /** With `"thanos"` the strategy gets the lanes of a Thanos Querier in place of the replicas; see `thanosLanes`. */
  readonly lanes?: "thanos" | undefined;
  /** Makes what collects, for one series, which replica is shown when and why; given to `onSpliced`. None by default. */
  readonly explain?: (() => Explainer) | undefined;
  /** Makes what collects how well one series covers the time; given to `onSpliced`. None by default. */
  readonly coverage?: (() => Coverage) | undefined;
  /** Told of each series before it is yielded. What was collected spans the widened window. Must not throw. */
  readonly onSpliced?: ((series: SplicedSeries) => void) | undefined;
  /** Told each time a replica is left out. */
  readonly onReplicaFailure?: ((replica: ReplicaReport) => void) | undefined;
}

/** How a series came about. */
export interface SplicedSeries {
  /** Without the replica labels. */
  readonly labels: LabelSet;
  /** What it was spliced from: whole label sets, as sent; `replica` in spans and shares is an index here. */
  readonly replicas: readonly LabelSet[];
  readonly explain?: Explainer | undefined;
  readonly coverage?: Coverage | undefined;
}

const MARGIN_MS = 300_000;

/**
 * Makes one reader out of several.
 *
 * Matchers on a replica label are dropped before the readers are asked, since the spliced series have no such label. The
 * window of the query is what the strategy sees, widened by `marginMs` where the strategy needs that: samples outside it are
 * no input.
 *
 * @throws TypeError without a reader; RangeError for a margin that is not a whole number from 0 on.
 */
export function splicedReader(readers: readonly Reader[], options: SplicedReaderOptions): Reader {
  if (!Array.isArray(readers) || readers.length === 0) {
    throw new TypeError("splicedReader needs at least one reader");
  }
  const { marginMs = MARGIN_MS } = options;
  if (!(Number.isSafeInteger(marginMs) && marginMs >= 0)) {
    throw new RangeError(`marginMs is ${marginMs}, expected a whole number of ms from 0 on`);
  }
  return { read: (query, readOptions = {}) => new SplicedReading(readers, options, query, readOptions) };
}

/** A reader while it is read. */
interface Member {
  readonly reading: Reading;
  readonly controller: AbortController;
  readonly guard: Guard;
  /** Whether it has given a series. */
  hasGiven: boolean;
  isComplete: boolean;
  error: Error | undefined;
  leftOutFrom: string | undefined;
}

class SplicedReading implements Reading {
  readonly #readers: readonly Reader[];
  readonly #options: SplicedReaderOptions;
  readonly #query: Query;
  readonly #readOptions: ReadOptions;
  #members: readonly Member[] = [];
  #series = 0;
  #united = 0;
  #blocksPassedOn = 0;

  constructor(readers: readonly Reader[], options: SplicedReaderOptions, query: Query, readOptions: ReadOptions) {
    this.#readers = readers;
    this.#options = options;
    this.#query = query;
    this.#readOptions = readOptions;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Series, void, undefined> {
    const { replicaLabels, replicaOrder, strategy } = this.#options;
    const { signal, orderWithout = [] } = this.#readOptions;
    const decided = typeof strategy === "function" ? strategy(this.#query) : strategy;
    const query = this.#askedOfReaders(decided);
    this.#members = this.#readers.map((reader) => {
      const controller = new AbortController();
      const reading = reader.read(query, {
        signal: controller.signal,
        orderWithout: [...new Set([...replicaLabels, ...orderWithout])],
        isAlone: this.#readers.length === 1,
      });
      return {
        reading,
        controller,
        guard: new Guard(),
        hasGiven: false,
        isComplete: false,
        error: undefined,
        leftOutFrom: undefined,
      };
    });
    const cancel = (): void => this.#members.forEach(({ controller }) => controller.abort());
    signal?.addEventListener("abort", cancel);
    try {
      throwIfAborted(signal);
      const sources = this.#members.map((member) => this.#seriesOf(member));
      for await (const group of groupSeries(sources, { replicaLabels, replicaOrder, orderWithout })) {
        this.#noteMissing(group);
        const blocks = this.#splice(group, decided, query);
        if (blocks.length > 0 || wantsLabelSetsOnly(query)) {
          this.#series++;
          this.#united += group.united;
          yield { labels: group.labels, blocks };
        }
      }
      throwIfAborted(signal);
      this.#checkComplete();
    } finally {
      signal?.removeEventListener("abort", cancel);
      cancel();
    }
  }

  report(): ReadReport {
    const reports = this.#members.map(({ reading }) => reading.report());
    return {
      series: this.#series,
      united: this.#united + reports.reduce((sum, { united }) => sum + united, 0),
      bytes: reports.reduce((sum, { bytes }) => sum + bytes, 0),
      blocksDecoded: this.#members.reduce((sum, { guard }) => sum + guard.blocksDecoded, 0),
      blocksPassedOn: this.#blocksPassedOn,
      replicas: this.#members.flatMap((member) => replicasOf(member)),
    };
  }

  /** The query as the readers get it; its window is what the strategy sees. */
  #askedOfReaders({ needsContext }: Strategy): Query {
    const { replicaLabels, marginMs = MARGIN_MS } = this.#options;
    const { startMs, endMs } = this.#query;
    const matchers = this.#query.matchers.filter(({ name }) => !replicaLabels.includes(name));
    if (matchers.length === 0 && this.#query.matchers.length > 0) {
      throw new RemoteReadError("matchers-missing", "no matchers besides the replica label");
    }
    return needsContext && startMs <= endMs
      ? { ...this.#query, matchers, startMs: startMs - marginMs, endMs: endMs + marginMs }
      : { ...this.#query, matchers };
  }

  /** The series of one reader, up to where it ends or is left out. */
  async *#seriesOf(member: Member): AsyncGenerator<Series, void, undefined> {
    try {
      for await (const series of member.reading) {
        if (member.error !== undefined) {
          return;
        }
        member.hasGiven = true;
        yield series;
      }
      member.isComplete = true;
    } catch (error) {
      throwIfAborted(this.#readOptions.signal);
      this.#leaveOut(member, error, undefined);
    }
  }

  /** Writes down the first series after a replica's stream has broken off: it comes without that replica. */
  #noteMissing({ labels, replicas }: SeriesGroup): void {
    for (const [source, member] of this.#members.entries()) {
      const hasBrokenOff = member.error !== undefined && member.hasGiven && member.leftOutFrom === undefined;
      if (hasBrokenOff && !replicas.some((replica) => replica.source === source)) {
        member.leftOutFrom = formatLabelSet(labels);
      }
    }
  }

  /** A series' blocks. Where a replica's cannot be read, it is left out and the series spliced again. */
  #splice(group: SeriesGroup, strategy: Strategy, { startMs, endMs }: Query): Block[] {
    const { lanes, onSpliced } = this.#options;
    for (;;) {
      // A series that had arrived whole before its replica's stream failed is as good as any.
      const replicas = group.replicas.filter(({ source }) => this.#members[source]!.leftOutFrom === undefined);
      const members = replicas.map(({ source }) => this.#members[source]!);
      try {
        const guarded = replicas.map(({ blocks }, index) => guardBlocks(blocks, members[index]!.guard));
        const collectors = onSpliced === undefined ? {} : this.#makeCollectors();
        const spliced = [
          ...spliceBlocks(guarded, strategy, {
            startMs,
            endMs,
            ...collectors,
            ...(lanes === undefined ? {} : { lanes }),
          }),
        ];
        const blocks = strategy.needsContext ? clipBlocks(spliced, this.#query.startMs, this.#query.endMs) : spliced;
        onSpliced?.({ labels: group.labels, replicas: replicas.map(({ labels }) => labels), ...collectors });
        this.#blocksPassedOn += blocks.filter(isPassedOn).length;
        return blocks;
      } catch (error) {
        const failed = findFailed(error, members, replicas);
        if (failed === undefined) {
          throw error;
        }
        this.#leaveOut(failed, error, group.labels);
      }
    }
  }

  /** Fresh ones for each try: one that fails has been told of runs that come to nothing. */
  #makeCollectors(): { readonly explain?: Explainer; readonly coverage?: Coverage } {
    const { explain, coverage } = this.#options;
    return {
      ...(explain === undefined ? {} : { explain: explain() }),
      ...(coverage === undefined ? {} : { coverage: coverage() }),
    };
  }

  #leaveOut(member: Member, cause: unknown, labels: LabelSet | undefined): void {
    if (labels !== undefined) {
      member.leftOutFrom = formatLabelSet(labels);
    }
    // Its stream may have failed before the blocks of a series that had arrived: then that is what is told.
    if (member.error !== undefined) {
      return;
    }
    member.error = cause instanceof Error ? cause : new Error(String(cause), { cause });
    member.isComplete = false;
    member.controller.abort();
    for (const replica of replicasOf(member)) {
      this.#options.onReplicaFailure?.(replica);
    }
    if (this.#options.partial === "all" || this.#members.every(({ error }) => error !== undefined)) {
      this.#checkComplete();
    }
  }

  #checkComplete(): void {
    const failed = this.#members.filter(({ error }) => error !== undefined);
    const isEnough =
      this.#options.partial === "all" ? failed.length === 0 : this.#members.some(({ isComplete }) => isComplete);
    if (!isEnough) {
      const reasons = failed
        .flatMap((member) => replicasOf(member))
        .map(({ name, error }) => `${name}: ${error?.message}`);
      throw new RemoteReadError(
        "all-replicas-failed",
        `${failed.length} of ${this.#members.length} replicas failed: ${reasons.join("; ")}`,
        { cause: failed[0]?.error },
      );
    }
  }
}

function replicasOf({ reading, error, leftOutFrom }: Member): ReplicaReport[] {
  return reading.report().replicas.map((replica) => ({
    ...replica,
    error: error !== undefined && wasCancelled(replica) ? error : (replica.error ?? error),
    leftOutFrom: replica.leftOutFrom ?? leftOutFrom,
  }));
}

/** Whether what a reading says of itself is only that it was cancelled, as we do with those that we leave out. */
function wasCancelled({ error }: ReplicaReport): boolean {
  return error instanceof RemoteReadError && error.code === "aborted";
}

/** Which of the spliced replicas an error comes from. */
function findFailed(
  error: unknown,
  members: readonly Member[],
  replicas: readonly { readonly blocks: Iterable<Block> }[],
): Member | undefined {
  const failed = members.find(({ guard }) => guard.failure !== undefined && guard.failure === error);
  if (failed !== undefined) {
    return failed;
  }
  if (error instanceof SpliceError && error.replica !== undefined) {
    return members[error.replica];
  }
  // The kernel says of a row that it is not later than the one before, in words only.
  return error instanceof RangeError ? members.find((_, index) => !isOrdered(replicas[index]!.blocks)) : undefined;
}

function isOrdered(blocks: Iterable<Block>): boolean {
  for (const block of blocks) {
    const timestamps = block.timestamps();
    if (!timestamps.every((timestampMs, row) => row === 0 || timestampMs > timestamps[row - 1]!)) {
      return false;
    }
  }
  return true;
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) {
    throw new RemoteReadError("aborted", "the read was cancelled", { cause: signal.reason });
  }
}
