/**
 * Finds the replicas of each series: k ordered streams of series go in, groups come out.
 *
 *     source 0   a{replica="A"}   b{replica="A"}                    one group per label set without the replica labels:
 *     source 1   a{replica="B"}                   c{replica="B"}    a: 0 and 1 · b: 0 · c: 1
 *
 * A replica of a series is the pair of its replica labels' values and its source. So series of one source that differ
 * only in those labels are different replicas, as in a server that holds both members of a pair. Series whose whole label
 * sets are equal are the same replica if they come from one source, and different ones if not.
 */
import type { Block } from "./block.ts";
import {
  checkLabelSet,
  compareLabelSets,
  compareText,
  formatLabelSet,
  labelValue,
  type LabelSet,
  withoutLabels,
} from "./labels.ts";
import { describe, SpliceError } from "./splice-error.ts";

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

/**
 * Groups the series of k sources.
 *
 * Each source yields its series in increasing order of their label sets without the replica labels and those of
 * `orderWithout` ({@link compareLabelSets}), equal ones next to one another. The groups come in the same order, and where
 * `orderWithout` leaves two equal, by their labels. Series of one source that are sent again with the same label set are
 * united: one replica, whose blocks are an array of all their blocks.
 *
 * All sources are asked at the same time, and which one answers first makes no difference. Of each at most one series is
 * read ahead, and none is asked for while no group is waited for. `return()`, which leaving a `for await` loop calls,
 * cancels: it calls the sources' `return()` and does not wait for a series that is on its way. So does the first error.
 *
 * @throws TypeError, at once for the arguments, else naming the source of a series that is not what it should be;
 * SpliceError `series-out-of-order`, naming both label sets, if a source steps back; whatever a source throws.
 */
export function groupSeries(
  sources: readonly AsyncIterable<Series>[],
  options: GroupSeriesOptions,
): AsyncIterableIterator<SeriesGroup, undefined> {
  checkSources(sources);
  checkOptions(options);
  return new SeriesGroups(sources, new SeriesMerge(sources.length, options));
}

/** The driver: asks the sources for what the merge needs. */
class SeriesGroups implements AsyncIterableIterator<SeriesGroup, undefined> {
  readonly #merge: SeriesMerge;
  /** Undefined where a source has ended. */
  readonly #sources: (AsyncIterator<Series> | undefined)[];
  #isClosed = false;
  #isWaiting = false;
  /** Ends the wait for the sources' answers. */
  #stopWaiting: (() => void) | undefined = undefined;

  constructor(sources: readonly AsyncIterable<Series>[], merge: SeriesMerge) {
    this.#merge = merge;
    this.#sources = sources.map((source) => source[Symbol.asyncIterator]());
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** @throws TypeError if the step before has not been answered yet: steps are taken one after another. */
  async next(): Promise<IteratorResult<SeriesGroup, undefined>> {
    if (this.#isWaiting) {
      throw new TypeError("next() was called before the step before it was answered");
    }
    this.#isWaiting = true;
    try {
      while (!this.#isClosed) {
        const step = this.#merge.next();
        if (step === undefined) {
          break;
        }
        if ("labels" in step) {
          return { done: false, value: step };
        }
        await this.#askAll(step);
      }
    } catch (error) {
      this.#close();
      throw error;
    } finally {
      this.#isWaiting = false;
    }
    return this.return();
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#close();
    return { done: true, value: undefined };
  }

  /** Waits for the next series of each of these sources, or for the first error, or until the reader has left. */
  #askAll(sources: readonly number[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stopWaiting = resolve;
      Promise.all(sources.map((source) => this.#ask(source))).then(() => resolve(), reject);
    });
  }

  async #ask(source: number): Promise<void> {
    const answer = await this.#sources[source]!.next();
    if (this.#isClosed) {
      return;
    }
    if (answer.done === true) {
      this.#sources[source] = undefined;
      this.#merge.finish(source);
    } else {
      this.#merge.give(source, answer.value);
    }
  }

  #close(): void {
    this.#isClosed = true;
    this.#stopWaiting?.();
    for (const [index, source] of this.#sources.entries()) {
      this.#sources[index] = undefined;
      void cancel(source);
    }
  }
}

/** A source that fails while it is cancelled has nothing to tell any more. */
async function cancel(source: AsyncIterator<Series> | undefined): Promise<void> {
  try {
    await source?.return?.();
  } catch {}
}

/** A series on its way into a group. */
interface Member {
  readonly source: number;
  readonly series: Series;
  /** Its label set without the replica labels. */
  readonly labels: LabelSet;
  /** The same without the labels that the order leaves out of account: the very same array if there are none. */
  readonly key: LabelSet;
  /** The place of its first replica label's value in `replicaOrder`. */
  readonly rank: number;
  /** The values of its replica labels. */
  readonly values: readonly string[];
}

/**
 * The merge itself, without I/O. `next()` answers a group, the numbers of the sources whose next series are needed, or
 * undefined at the end; what is needed is given in any order.
 */
export class SeriesMerge {
  readonly #options: GroupSeriesOptions;
  /** The next series of each source; "unknown" is needed. */
  readonly #heads: (Member | "unknown" | "ended")[];
  /** The newest series of each source. */
  readonly #newest: (Member | undefined)[];
  /** The series of least key, which are taken from the heads; more of them may follow. */
  #members: Member[] = [];
  /** Groups made of these, the last one first. */
  #groups: SeriesGroup[] = [];

  constructor(sources: number, options: GroupSeriesOptions) {
    this.#options = options;
    this.#heads = Array.from({ length: sources }, () => "unknown");
    this.#newest = Array.from({ length: sources }, () => undefined);
  }

  /** Takes the next series of a source that is needed. */
  give(source: number, series: Series): void {
    checkSeries(source, series);
    const member = makeMember(source, series, this.#options);
    const before = this.#newest[source];
    const order = before === undefined ? -1 : compareLabelSets(before.key, member.key);
    if (order > 0) {
      throw makeOrderError(source, before!.series, series, this.#options);
    }
    this.#newest[source] = member;
    if (order === 0) {
      // Of the same key as what was taken from this source before it, and still more may follow.
      this.#members.push(member);
    } else {
      this.#heads[source] = member;
    }
  }

  /** A source that is needed has no more series. */
  finish(source: number): void {
    this.#heads[source] = "ended";
    this.#newest[source] = undefined;
  }

  next(): SeriesGroup | readonly number[] | undefined {
    const group = this.#groups.pop();
    if (group !== undefined) {
      return group;
    }
    if (!this.#heads.includes("unknown")) {
      if (this.#members.length > 0) {
        this.#groups = makeGroups(this.#members).toReversed();
        this.#members = [];
        return this.#groups.pop();
      }
      this.#members = this.#leastHeads();
      if (this.#members.length === 0) {
        return undefined;
      }
      for (const { source } of this.#members) {
        this.#heads[source] = "unknown";
      }
    }
    return this.#heads.flatMap((head, source) => (head === "unknown" ? [source] : []));
  }

  #leastHeads(): Member[] {
    let least: Member[] = [];
    for (const head of this.#heads) {
      if (typeof head === "object") {
        const order = least.length === 0 ? -1 : compareLabelSets(head.key, least[0]!.key);
        if (order < 0) {
          least = [head];
        } else if (order === 0) {
          least.push(head);
        }
      }
    }
    return least;
  }
}

function makeMember(source: number, series: Series, options: GroupSeriesOptions): Member {
  const { replicaLabels, replicaOrder = [], orderWithout = [] } = options;
  const labels = withoutLabels(series.labels, replicaLabels);
  const key = withoutLabels(labels, orderWithout);
  const values = replicaLabels.map((name) => labelValue(series.labels, name));
  const index = replicaOrder.indexOf(values[0] ?? "");
  return { source, series, labels, key, values, rank: index < 0 ? replicaOrder.length : index };
}

/** Makes groups of the series of one key. */
function makeGroups(members: Member[]): SeriesGroup[] {
  members.sort(compareMembers);
  const groups: SeriesGroup[] = [];
  for (let start = 0, end = 0; start < members.length; start = end) {
    const { labels } = members[start]!;
    do {
      end++;
    } while (end < members.length && compareLabelSets(labels, members[end]!.labels) === 0);
    groups.push(makeGroup(labels, members.slice(start, end)));
  }
  return groups;
}

function compareMembers(one: Member, other: Member): number {
  return (
    compareLabelSets(one.labels, other.labels) ||
    one.rank - other.rank ||
    compareTuples(one.values, other.values) ||
    one.source - other.source
  );
}

/** The members are in the order of replicas; those of one replica stand together, in the order in which they were sent. */
function makeGroup(labels: LabelSet, members: readonly Member[]): SeriesGroup {
  const replicas: SeriesReplica[] = [];
  for (let start = 0, end = 0; start < members.length; start = end) {
    const { source, series, values } = members[start]!;
    do {
      end++;
    } while (
      end < members.length &&
      source === members[end]!.source &&
      compareTuples(values, members[end]!.values) === 0
    );
    const same = members.slice(start, end);
    const blocks = same.length === 1 ? series.blocks : same.flatMap((member) => [...member.series.blocks]);
    replicas.push({ source, labels: series.labels, blocks });
  }
  return { labels, replicas, united: members.length - replicas.length };
}

/** Compares lists of equal length, text by text. */
function compareTuples(one: readonly string[], other: readonly string[]): number {
  for (const [index, text] of one.entries()) {
    const order = compareText(text, other[index]!);
    if (order !== 0) {
      return order;
    }
  }
  return 0;
}

function makeOrderError(source: number, before: Series, series: Series, options: GroupSeriesOptions): SpliceError {
  const names = [...options.replicaLabels, ...(options.orderWithout ?? [])];
  const without = names.length === 0 ? "" : ` without ${names.join(", ")}`;
  return new SpliceError(
    "series-out-of-order",
    `source ${source}: ${formatLabelSet(series.labels)} came after ${formatLabelSet(before.labels)}, ` +
      `expected label sets${without} in increasing order`,
    { replica: source },
  );
}

function checkSeries(source: number, series: Series): void {
  if (typeof series?.blocks?.[Symbol.iterator] !== "function") {
    throw new TypeError(`source ${source}: expected a series with an iterable of blocks, got ${describe(series)}`);
  }
  try {
    checkLabelSet(series.labels);
  } catch (error) {
    throw new TypeError(`source ${source}: ${error instanceof Error ? error.message : ""}`, { cause: error });
  }
}

function checkSources(sources: readonly AsyncIterable<Series>[]): void {
  if (!Array.isArray(sources)) {
    throw new TypeError(`sources must be an array, got ${describe(sources)}`);
  }
  for (const [index, source] of (sources as readonly AsyncIterable<Series>[]).entries()) {
    if (typeof source?.[Symbol.asyncIterator] !== "function") {
      throw new TypeError(`source ${index}: expected an async iterable of series, got ${describe(source)}`);
    }
  }
}

function checkOptions(options: GroupSeriesOptions): void {
  const { replicaLabels, replicaOrder = [], orderWithout = [] } = options;
  for (const [name, list] of Object.entries({ replicaLabels, replicaOrder, orderWithout })) {
    if (!Array.isArray(list) || !list.every((item) => typeof item === "string")) {
      throw new TypeError(`${name} must be an array of strings, got ${describe(list)}`);
    }
    if (name !== "replicaOrder" && list.includes("")) {
      throw new TypeError(`${name} must not hold an empty name`);
    }
  }
  if (replicaOrder.length > 0 && replicaLabels.length === 0) {
    throw new TypeError("replicaOrder lists values of the first replica label, but there is none");
  }
}
