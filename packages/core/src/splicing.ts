/**
 * The two drivers of the kernel: one takes blocks from iterables at hand, the other from asynchronous ones that deliver
 * block by block. Both ask a replica for a block only when the kernel needs it.
 */
import type { Block } from "./block.ts";
import { sortBlocks } from "./normalise.ts";
import type { Run } from "./run.ts";
import { NEED, PIECE } from "./source.ts";
import type { Splicer } from "./splicer.ts";

/**
 * The runs of a spliced series, in one pass. The same `Run` object comes at each step and is valid until the next one: copy
 * its fields to keep them. Leaving a loop early closes the replicas' iterators.
 */
export class Splicing implements IterableIterator<Run, undefined> {
  /** @internal */
  readonly splicer: Splicer;
  readonly #replicas: (Iterator<Block> | undefined)[];
  /** The answer at each step: made once, as is the run inside. */
  readonly #result: IteratorYieldResult<Run>;
  #isClosed = false;

  /** @internal */
  constructor(splicer: Splicer, replicas: readonly Iterable<Block>[]) {
    this.splicer = splicer;
    this.#replicas = replicas.map((blocks) => (Array.isArray(blocks) ? sortBlocks(blocks) : blocks)[Symbol.iterator]());
    this.#result = { done: false, value: splicer.run };
  }

  [Symbol.iterator](): this {
    return this;
  }

  next(): IteratorResult<Run, undefined> {
    const { splicer } = this;
    try {
      while (!this.#isClosed) {
        const step = splicer.next();
        if (step === PIECE) {
          return this.#result;
        }
        if (step !== NEED) {
          break;
        }
        const replica = splicer.needs;
        const next = this.#replicas[replica]!.next();
        if (next.done === true) {
          this.#replicas[replica] = undefined;
          splicer.finish(replica);
        } else {
          splicer.give(replica, next.value);
        }
      }
    } catch (error) {
      this.#close();
      throw error;
    }
    return this.return();
  }

  return(): IteratorReturnResult<undefined> {
    this.#close();
    return { done: true, value: undefined };
  }

  #close(): void {
    this.#isClosed = true;
    for (const [replica, blocks] of this.#replicas.entries()) {
      this.#replicas[replica] = undefined;
      try {
        blocks?.return?.();
      } catch {
        // A replica that fails while it is closed has nothing to tell any more.
      }
    }
  }
}

/**
 * As {@link Splicing}, over replicas that deliver their blocks one at a time, by first time. At most three blocks of a
 * replica are alive at once where they do not overlap. `return()`, which leaving a `for await` loop calls, cancels: it
 * calls the replicas' `return()` and does not wait for a block that is on its way.
 */
export class AsyncSplicing implements AsyncIterableIterator<Run, undefined> {
  /** @internal */
  readonly splicer: Splicer;
  readonly #replicas: (AsyncIterator<Block> | undefined)[];
  readonly #result: IteratorYieldResult<Run>;
  #isClosed = false;
  #isWaiting = false;

  /** @internal */
  constructor(splicer: Splicer, replicas: readonly AsyncIterable<Block>[]) {
    this.splicer = splicer;
    this.#replicas = replicas.map((blocks) => blocks[Symbol.asyncIterator]());
    this.#result = { done: false, value: splicer.run };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** @throws TypeError if the step before has not been answered yet: steps are taken one after another. */
  async next(): Promise<IteratorResult<Run, undefined>> {
    if (this.#isWaiting && !this.#isClosed) {
      throw new TypeError("next() was called before the step before it was answered");
    }
    const { splicer } = this;
    this.#isWaiting = true;
    try {
      while (!this.#isClosed) {
        const step = splicer.next();
        if (step === PIECE) {
          return this.#result;
        }
        if (step !== NEED) {
          break;
        }
        const replica = splicer.needs;
        const next = await this.#replicas[replica]!.next();
        if (this.#isClosed) {
          break;
        }
        if (next.done === true) {
          this.#replicas[replica] = undefined;
          splicer.finish(replica);
        } else {
          splicer.give(replica, next.value);
        }
      }
    } catch (error) {
      this.#close();
      throw error;
    } finally {
      this.#isWaiting = false;
    }
    this.#close();
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#close();
    return { done: true, value: undefined };
  }

  #close(): void {
    this.#isClosed = true;
    for (const [replica, blocks] of this.#replicas.entries()) {
      this.#replicas[replica] = undefined;
      void cancel(blocks);
    }
  }
}

/** A replica that fails while it is cancelled has nothing to tell any more. */
async function cancel(blocks: AsyncIterator<Block> | undefined): Promise<void> {
  try {
    await blocks?.return?.();
  } catch {}
}
