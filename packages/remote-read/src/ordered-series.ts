/**
 * Puts the series of one answer in order, holding back as few of them as it can.
 *
 * A server sorts its answer *before* it merges its external labels in, so a series comes too early where its stored label set
 * begins the next one's. Under the external label `cluster`:
 *
 *     stored   {}            {a="1"}                    {a="2"}                    {d="1"}
 *     sent     {cluster}     {a="1", cluster}           {a="2", cluster}           {cluster, d="1"}
 *     waiting  {cluster}     {a="1"} · {cluster}        {a="2"} · {cluster}        {cluster, d="1"}
 *     passed on                                         {a="1"}                    {a="2"}, {cluster}
 *
 * What waits is passed on once it is smaller than the newest; so the newest is always the smallest of what is left, and
 * what waits is a stack. A series behind what was passed on is an error: it could only come out of order or twice.
 */
import { formatLabelSet, type Block, compareLabelSets, type LabelSet, withoutLabels } from "@promsplice/core";

import { RemoteReadError } from "./remote-read-error.ts";

/** A series as it came, in one or several pieces. */
export interface ReceivedSeries {
  readonly labels: LabelSet;
  /** Its blocks in the order in which they came; making them may throw. */
  readonly pieces: readonly Iterable<Block>[];
  /** How many bytes of memory it keeps. */
  readonly bytes: number;
  /** How often it came again after other series had come. */
  readonly united: number;
}

/** One that may go on. */
interface OpenSeries extends ReceivedSeries {
  readonly pieces: Iterable<Block>[];
  bytes: number;
}

export interface SeriesOrderOptions {
  /** Labels that the order leaves out of account; sets that are equal without them are ordered by the whole sets. */
  readonly orderWithout: readonly string[];
  /** The most series that may come; one that goes on in further pieces is one. */
  readonly seriesMax: number;
  /** The most bytes of series that wait, the newest one not counted. */
  readonly sortBytesMax: number;
  /** The most bytes of one series. */
  readonly seriesBytesMax: number;
  /** Passes nothing on before the end, so that the series may come in any order. */
  readonly isCollected: boolean;
}

/** Series that are equal in what the order looks at. */
interface Group {
  readonly key: LabelSet;
  readonly series: OpenSeries[];
}

export class SeriesOrder {
  readonly #options: SeriesOrderOptions;
  /** What waits. Unless all is collected, the smallest key is last, and no key comes twice. */
  #waiting: Group[] = [];
  #waitingBytes = 0;
  #begun = 0;
  #newest: OpenSeries | undefined = undefined;
  /** The greatest series that was passed on, and its key. */
  #passed: { readonly key: LabelSet; readonly labels: LabelSet } | undefined = undefined;

  constructor(options: SeriesOrderOptions) {
    this.#options = options;
  }

  /**
   * Takes the next series, or the next piece of the one before, and answers those that can be passed on, in order.
   *
   * @throws RemoteReadError `series-out-of-order` naming both label sets; `limit-exceeded`.
   */
  add(labels: LabelSet, piece: Iterable<Block>, bytes: number): readonly ReceivedSeries[] {
    let ready: readonly ReceivedSeries[] = NONE;
    if (this.#newest !== undefined && compareLabelSets(this.#newest.labels, labels) === 0) {
      this.#newest.pieces.push(piece);
      this.#newest.bytes += bytes;
    } else {
      this.#newest = { labels, pieces: [piece], bytes, united: 0 };
      ready = this.#begin(this.#newest);
    }
    this.#waitingBytes += bytes;
    this.#checkBytes(this.#newest);
    return ready;
  }

  /** There are no more series: answers those that are left, in order. */
  finish(): readonly ReceivedSeries[] {
    const { isCollected, orderWithout } = this.#options;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#newest = undefined;
    return isCollected
      ? sortReceived(
          waiting.flatMap(({ series }) => series),
          orderWithout,
        )
      : waiting.toReversed().flatMap((group) => takeSeries(group));
  }

  #begin(series: OpenSeries): readonly ReceivedSeries[] {
    const { seriesMax } = this.#options;
    if (this.#begun === seriesMax) {
      const name = formatLabelSet(series.labels);
      const message = `the answer has more than ${seriesMax} series, ${name} is one too many`;
      throw new RemoteReadError("limit-exceeded", message, { series: name });
    }
    this.#begun++;
    const key = withoutLabels(series.labels, this.#options.orderWithout);
    if (this.#options.isCollected) {
      this.#waiting.push({ key, series: [series] });
      return NONE;
    }
    if (this.#passed !== undefined && compareLabelSets(key, this.#passed.key) <= 0) {
      throw this.#outOfOrder(`came after ${formatLabelSet(this.#passed.labels)} had been passed on`, series.labels);
    }
    const ready = this.#passOnBefore(key);
    const top = this.#waiting.at(-1);
    if (top !== undefined && compareLabelSets(top.key, key) === 0) {
      top.series.push(series);
    } else {
      this.#waiting.push({ key, series: [series] });
    }
    return ready;
  }

  /** Takes what is smaller than `key` from the end of what waits. */
  #passOnBefore(key: LabelSet): readonly ReceivedSeries[] {
    let ready: ReceivedSeries[] | undefined;
    for (let top = this.#waiting.at(-1); top !== undefined; top = this.#waiting.at(-1)) {
      if (compareLabelSets(top.key, key) >= 0) {
        break;
      }
      this.#waiting.pop();
      const series = takeSeries(top);
      this.#waitingBytes -= series.reduce((sum, { bytes }) => sum + bytes, 0);
      this.#passed = { key: top.key, labels: series.at(-1)!.labels };
      ready ??= [];
      ready.push(...series);
    }
    return ready ?? NONE;
  }

  #checkBytes(newest: OpenSeries): void {
    const { isCollected, seriesBytesMax, sortBytesMax } = this.#options;
    if (newest.bytes > seriesBytesMax) {
      const series = formatLabelSet(newest.labels);
      const message = `${series} is ${newest.bytes} bytes so far, limit is ${seriesBytesMax}`;
      throw new RemoteReadError("limit-exceeded", message, { series });
    }
    if (this.#waitingBytes - newest.bytes <= sortBytesMax) {
      return;
    }
    if (isCollected) {
      const series = formatLabelSet(newest.labels);
      const message =
        `the answer is over ${sortBytesMax} bytes at ${series}, too long to be collected and sorted; if the server ` +
        "holds several members of a pair, name them with `members`, else raise `sortBytesMax`";
      throw new RemoteReadError("limit-exceeded", message, { series });
    }
    const other = this.#waiting[0]!.series[0]!.labels;
    throw this.#outOfOrder(
      `came while ${formatLabelSet(other)} and more than ${sortBytesMax} bytes wait`,
      newest.labels,
    );
  }

  #outOfOrder(problem: string, labels: LabelSet): RemoteReadError {
    const { orderWithout } = this.#options;
    const series = formatLabelSet(labels);
    const without = orderWithout.length === 0 ? "" : ` without ${orderWithout.join(", ")}`;
    const message =
      `${series} ${problem}, expected label sets${without} in increasing order; if the server holds several members ` +
      "of a pair, name them with `members`; if it stores labels of its own external labels' names, set `collect`";
    return new RemoteReadError("series-out-of-order", message, { series });
  }
}

const NONE: readonly ReceivedSeries[] = [];

/** The series of a group by their whole label sets; those whose sets are equal are one. */
function takeSeries({ series }: Group): readonly ReceivedSeries[] {
  // Fast path: one series a group, as without labels to leave out.
  return series.length === 1
    ? series
    : uniteEqual(series.toSorted((one, other) => compareLabelSets(one.labels, other.labels)));
}

/** Sorted series without repetitions: the pieces of equal ones become those of the first. */
export function uniteEqual(sorted: readonly ReceivedSeries[]): ReceivedSeries[] {
  const united: ReceivedSeries[] = [];
  for (let start = 0, end = 0; start < sorted.length; start = end) {
    const { labels } = sorted[start]!;
    for (end = start + 1; end < sorted.length && compareLabelSets(sorted[end]!.labels, labels) === 0;) {
      end++;
    }
    const equal = sorted.slice(start, end);
    united.push({
      labels,
      pieces: equal.flatMap(({ pieces }) => pieces),
      bytes: equal.reduce((sum, { bytes }) => sum + bytes, 0),
      united: equal.reduce((sum, { united: count }) => sum + count, equal.length - 1),
    });
  }
  return united;
}

/** Series that came in any order, in the right one; those whose whole label sets are equal are one. */
export function sortReceived(series: readonly ReceivedSeries[], orderWithout: readonly string[]): ReceivedSeries[] {
  const sorted = series
    .map((received) => ({ key: withoutLabels(received.labels, orderWithout), received }))
    .toSorted(
      (one, other) =>
        compareLabelSets(one.key, other.key) || compareLabelSets(one.received.labels, other.received.labels),
    );
  return uniteEqual(sorted.map(({ received }) => received));
}
