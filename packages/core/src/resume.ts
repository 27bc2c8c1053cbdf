import type { SplicerState } from "./splicer.ts";
import { SpliceError } from "./splice-error.ts";
import type { Strategy } from "./strategy.ts";

/** A place at which to go on splicing. Made by `open()` of `@promsplice/core/checkpoint`, given back as `resume`. */
export class Checkpoint {
  /** The strategy with the options that it had. */
  readonly strategy: Strategy;
  /** For each replica the time in ms of the first sample that is still needed; −∞ where nothing has been read. */
  readonly resumeFromMs: readonly number[];
  readonly #state: SplicerState;

  /** @internal */
  constructor(strategy: Strategy, state: SplicerState) {
    this.strategy = strategy;
    this.resumeFromMs = state.windows.map((window) => window.fromMs);
    this.#state = state;
  }

  /**
   * The state to go on from.
   *
   * @throws SpliceError `checkpoint-mismatch` if it was saved by another strategy or over another number of replicas.
   * @internal
   */
  stateFor(strategy: Strategy, replicas: number): SplicerState {
    const saved = describeStrategy(this.strategy);
    const given = describeStrategy(strategy);
    if (saved !== given) {
      throw new SpliceError("checkpoint-mismatch", `the checkpoint was saved by ${saved}, not by ${given}`);
    }
    if (this.resumeFromMs.length !== replicas) {
      throw new SpliceError(
        "checkpoint-mismatch",
        `the checkpoint was saved over ${this.resumeFromMs.length} replicas, not ${replicas}`,
      );
    }
    return this.#state;
  }
}

function describeStrategy(strategy: Strategy): string {
  return `${strategy.name}(${JSON.stringify(strategy.options)})`;
}
