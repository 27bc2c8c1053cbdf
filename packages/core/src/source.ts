/**
 * The contract between the parts of the kernel: a source hands out what comes next in time, piece by
 * piece. A replica is a source, and a strategy over two sources is again one, so k replicas are a left
 * fold of pairs:
 *
 *     replica 0 ┐
 *               ├ pair ┐
 *     replica 1 ┘      ├ pair ──▶ pieces ──▶ runs
 *     replica 2 ───────┘
 *
 * Nothing here does I/O. A source that lacks a block answers NEED with the number of the replica; whoever drives the kernel
 * gives it one and asks again. Asking again is always allowed: a step only looks things up until it commits, so there is
 * no saved place in the code to come back to.
 */
import type { Block } from "./block.ts";
import { type ReasonCode, UNSAID } from "./reason.ts";

/** The answer is in `piece`, which is valid until the next call. */
export const PIECE = 0;
/** The next block of replica `needs` must be given (or the replica be finished) before the question can be answered. */
export const NEED = 1;
/** There is nothing more. */
export const END = 2;

export type Step = typeof PIECE | typeof NEED | typeof END;

/**
 * Rows `start` to `end` (half-open) of one block. Pieces are smaller than runs: a source may end one wherever that is
 * convenient, the kernel joins them.
 */
export class Piece {
  replica: number = 0;
  block: Block | undefined = undefined;
  start: number = 0;
  end: number = 0;
  /** What to add to the floats. It counts where the piece reaches the kernel; inside a fold it may be out of date. */
  add: number = 0;
  /** Where the strategy goes over to this replica: why, and up to two lengths of time that belong to it. */
  reason: ReasonCode = UNSAID;
  reasonMs: number = 0;
  reasonSecondMs: number = 0;
}

/** Where a pair of `penalty` stands, in scalars and times only; the first three are those of its `Pace`. */
export interface PairState {
  readonly lastMs: number;
  readonly penaltyMs: number;
  readonly reachedMs: number;
  /** 0 or 1: which side is current. */
  readonly current: number;
  /** With `counter`: the last sample's replica, its raw value (undefined: no float) and the adjust it had when the step began. */
  readonly replica: number;
  readonly value: number | undefined;
  readonly stepAdd: number | undefined;
}

/** Where a replica stands: the first time that is still needed, and whether it has ended. */
export interface WindowState {
  fromMs: number;
  ended: boolean;
  adjust: number;
}

/** Everything that a strategy knows, to go on elsewhere; pairs innermost first. */
export interface SourcesState {
  readonly pairs: PairState[];
  readonly windows: WindowState[];
  /** What a strategy that is no fold of pairs needs besides; its own order. */
  scalars?: readonly number[];
}

/** Rows that can be handed out again after a resume. */
export interface Replayed {
  readonly piece: Piece;
  /** The next rows at `firstMs` or later; END means that there is nothing up to `lastMs`, inclusive. */
  nextWithin(firstMs: number, lastMs: number): Step;
}

/** What a strategy left out or let pass for a reason of its own, so far. */
export interface LeftOut {
  /** Samples that would have been counter resets that no replica has. */
  readonly samplesLeftOut: number;
  /** Such samples that were shown all the same, since nothing else came for 1.5 intervals. */
  readonly falseResets: number;
  /** Gaps that were left as they are because no replica's interval is known. */
  readonly gapsUnknown: number;
}

export interface Source {
  readonly piece: Piece;
  /** After NEED: the replica whose next block is missing. */
  readonly needs: number;
  next(): Step;
  /**
   * After a resume: what hands out again rows of a replica that had been decided upon, where that is not the replica's
   * window itself.
   */
  rowsOf?(replica: number): Replayed;
  /** What `explainer` shows beside the spans, where the strategy has such notes. */
  notes?(): LeftOut;
  /**
   * Writes down where this source stands. `row` is the row of its last piece that its consumer uses next, or −1 where the
   * consumer has taken the whole piece. Of a replica, nothing before `fromMs` is needed any more.
   */
  save(row: number, fromMs: number, state: SourcesState): void;
}

/** The first row in `[start, end)` whose time is at least `targetMs`, or `end`. Galloping: cheap where it is near. */
export function seekRow(timestamps: Float64Array, start: number, end: number, targetMs: number): number {
  let low = start;
  let step = 1;
  while (low + step < end && timestamps[low + step - 1]! < targetMs) {
    low += step;
    step += step;
  }
  let high = Math.min(low + step, end);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (timestamps[middle]! < targetMs) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}
