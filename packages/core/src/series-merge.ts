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
import { checkLabelSet, compareLabelSets, formatLabelSet, labelValue, type LabelSet, withoutLabels } from "./labels.ts";
import type { GroupSeriesOptions, Series, SeriesGroup, SeriesReplica } from "./series.ts";
import { describe, SpliceError } from "./splice-error.ts";

/** The options, with nothing left out. */
type Rules = { readonly [Option in keyof GroupSeriesOptions]-?: readonly string[] };

/** A series on its way into a group. */
interface Member {
  readonly source: number;
  readonly series: Series;
  /** Its label set without the replica labels. */
  readonly labels: LabelSet;
  /** The same without the labels that the order leaves out of account. */
  readonly key: LabelSet;
  /** The place of its first replica label's value in `replicaOrder`. */
  readonly rank: number;
  /** The values of its replica labels. */
  readonly values: readonly string[];
}

/**
 * The merge itself, without I/O. `next()` answers a group, the numbers of all sources whose next series are needed, or
 * undefined at the end; what is needed is given in any order.
 */
export class SeriesMerge {
  readonly #rules: Rules;
  /** The next series of each source; "unknown" is needed. */
  readonly #heads: (Member | "unknown" | "ended")[];
  /** The newest series of each source. */
  readonly #newest: (Member | undefined)[];
  /** The series of least key, taken from the heads; more of them may follow. */
  #members: Member[] = [];
  /** Groups that are made, the last one first. */
  #groups: SeriesGroup[] = [];

  constructor(sources: number, { replicaLabels, replicaOrder = [], orderWithout = [] }: GroupSeriesOptions) {
    this.#rules = { replicaLabels, replicaOrder, orderWithout };
    this.#heads = Array.from({ length: sources }, () => "unknown");
    this.#newest = Array.from({ length: sources }, () => undefined);
  }

  /** Takes the next series of a source that is needed. */
  give(source: number, series: Series): void {
    checkSeries(source, series);
    const member = makeMember(source, series, this.#rules);
    const before = this.#newest[source];
    const order = before === undefined ? -1 : compareLabelSets(before.key, member.key);
    if (order > 0) {
      throw makeOrderError(source, before!.series, series, this.#rules);
    }
    this.#newest[source] = member;
    if (order === 0) {
      // Of the same key as the one before it, which is among the members; so still more may follow.
      this.#members.push(member);
    } else {
      this.#heads[source] = member;
    }
  }

  /** A source that is needed has no more series. */
  finish(source: number): void {
    this.#heads[source] = "ended";
    // Nothing is compared with it any more, and its blocks need not stay in memory.
    this.#newest[source] = undefined;
  }

  next(): SeriesGroup | readonly number[] | undefined {
    const group = this.#groups.pop();
    if (group !== undefined) {
      return group;
    }
    if (!this.#heads.includes("unknown")) {
      if (this.#members.length > 0) {
        this.#groups = makeGroups(this.#members, this.#rules).toReversed();
        this.#members = [];
        return this.#groups.pop();
      }
      this.#takeLeast();
      if (this.#members.length === 0) {
        return undefined;
      }
    }
    return this.#needed();
  }

  #takeLeast(): void {
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
    for (const { source } of least) {
      this.#heads[source] = "unknown";
    }
    this.#members = least;
  }

  #needed(): number[] {
    const needed: number[] = [];
    for (let source = 0; source < this.#heads.length; source++) {
      if (this.#heads[source] === "unknown") {
        needed.push(source);
      }
    }
    return needed;
  }
}

function makeMember(source: number, series: Series, rules: Rules): Member {
  const { replicaLabels, replicaOrder, orderWithout } = rules;
  const labels = withoutLabels(series.labels, replicaLabels);
  const key = orderWithout.length === 0 ? labels : withoutLabels(labels, orderWithout);
  const values = replicaLabels.map((name) => labelValue(series.labels, name));
  const place = replicaOrder.indexOf(values[0] ?? "");
  return { source, series, labels, key, rank: place < 0 ? replicaOrder.length : place, values };
}

/** Makes groups of the series of one key, in order. */
function makeGroups(members: readonly Member[], { orderWithout }: Rules): SeriesGroup[] {
  const groups = orderWithout.length === 0 ? [members] : sortIntoEquals(members, compareLabels);
  return groups.map((group) => {
    const replicas = sortIntoEquals(group, compareReplicas).map(makeReplica);
    return { labels: group[0]!.labels, replicas, united: group.length - replicas.length };
  });
}

/** Makes one replica of series with the same source and whole label set, in the order in which they were sent. */
function makeReplica(members: readonly Member[]): SeriesReplica {
  const { source, series } = members[0]!;
  const blocks = members.length === 1 ? series.blocks : members.flatMap((member) => [...member.series.blocks]);
  return { source, labels: series.labels, blocks };
}

function compareLabels(one: Member, other: Member): number {
  return compareLabelSets(one.labels, other.labels);
}

/** The order of replicas; 0 for the same replica. */
function compareReplicas(one: Member, other: Member): number {
  return one.rank - other.rank || compareLabelSets(one.values, other.values) || one.source - other.source;
}

/** Sorts; equals stay in the order in which they came, and make one list each. */
function sortIntoEquals(members: readonly Member[], compare: (one: Member, other: Member) => number): Member[][] {
  const lists: Member[][] = [];
  for (const member of members.toSorted(compare)) {
    const list = lists.at(-1);
    if (list !== undefined && compare(list[0]!, member) === 0) {
      list.push(member);
    } else {
      lists.push([member]);
    }
  }
  return lists;
}

function makeOrderError(source: number, before: Series, series: Series, rules: Rules): SpliceError {
  const names = [...rules.replicaLabels, ...rules.orderWithout];
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
