/** Drives the merge of k streams of series: asks all sources that are needed at the same time. */
import type { GroupSeriesOptions, Series, SeriesGroup } from "./series.ts";
import { SeriesMerge } from "./series-merge.ts";
import { describe } from "./splice-error.ts";

/**
 * Groups the series of k sources.
 *
 * Each source yields its series in increasing order of their label sets without the replica labels and those of
 * `orderWithout` ({@link compareLabelSets}), equal ones next to one another. The groups come in the same order, and where
 * `orderWithout` leaves two equal, by their labels. Series of one source that are sent again with the same label set are
 * united: one replica, whose blocks are an array of all their blocks.
 *
 * All sources are asked at the same time, and which one answers first makes no difference. Of each at most one series is
 * read ahead, and none is asked for while no group is waited for. Held in memory are these and all series of the group on
 * its way; with `orderWithout`, of all groups that it leaves equal. `return()`, which leaving a `for await` loop calls,
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
    for (const source of this.#sources.splice(0)) {
      if (source !== undefined) {
        void cancel(source);
      }
    }
  }
}

/** A source that fails while it is cancelled has nothing to tell any more. */
async function cancel(source: AsyncIterator<Series>): Promise<void> {
  try {
    await source.return?.();
  } catch {}
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
