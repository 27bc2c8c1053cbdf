/**
 * A replica as the kernel sees it: a window over its blocks, which moves forward only. It holds the blocks that have been
 * given but not yet handed on (one or two, since the normaliser keeps one back), and leaves out the rows outside the time
 * window that was asked for, without decoding a block that lies wholly inside or outside.
 */
import type { Block } from "./block.ts";
import { Normaliser } from "./normalise.ts";
import {
  END,
  NEED,
  PIECE,
  Piece,
  seekRow,
  type Source,
  type SourcesState,
  type Step,
  type WindowState,
} from "./source.ts";

export class ReplicaWindow implements Source {
  readonly piece: Piece = new Piece();
  readonly needs: number;
  /** The first instant of the time window that was asked for, or −∞. */
  readonly windowStartMs: number;
  /** The last instant of the time window where rows after it have been seen, else −∞. */
  laterMs: number = -Infinity;
  readonly #normaliser: Normaliser;
  readonly #startMs: number;
  readonly #endMs: number;
  #isFinished = false;
  #isEnded: boolean;
  /** Everything before this time has been handed on or is not wanted. */
  #fromMs: number;
  /** The block in use and its rows not handed on yet. */
  #block: Block | undefined = undefined;
  #row = 0;
  #rowsEnd = 0;

  /** `startMs` and `endMs` (both inclusive) bound the rows that are input. */
  constructor(replica: number, startMs: number, endMs: number, saved?: WindowState) {
    this.needs = replica;
    this.piece.replica = replica;
    this.#normaliser = new Normaliser(replica);
    this.windowStartMs = startMs;
    this.#fromMs = Math.max(startMs, saved?.fromMs ?? -Infinity);
    this.#startMs = this.#fromMs;
    this.#endMs = endMs;
    this.#isEnded = saved?.ended ?? false;
  }

  /** Gives the window its replica's next block. */
  give(block: Block): void {
    this.#normaliser.push(block);
  }

  /** Tells the window that its replica has no more blocks. */
  finish(): void {
    this.#normaliser.finish();
    this.#isFinished = true;
  }

  next(): Step {
    return this.nextUntil(Infinity);
  }

  /** As `next`, but rows later than `untilMs` stay where they are, and END means that there is nothing up to then. */
  nextUntil(untilMs: number): Step {
    if (this.#fromMs > untilMs) {
      return END;
    }
    while (this.#block === undefined) {
      const block = this.#isEnded ? undefined : this.#normaliser.shift();
      if (block === undefined) {
        this.#isEnded ||= this.#isFinished;
        return this.#isEnded ? END : NEED;
      }
      if (block.lastMs > this.#endMs) {
        this.laterMs = this.#endMs;
      }
      if (block.firstMs > this.#endMs) {
        this.#isEnded = true;
        return END;
      }
      this.#use(block);
    }
    const block = this.#block;
    const end =
      block.lastMs <= untilMs ? this.#rowsEnd : seekRow(block.timestamps(), this.#row, this.#rowsEnd, untilMs + 1);
    if (end === this.#row) {
      return END;
    }
    const { piece } = this;
    piece.block = block;
    piece.start = this.#row;
    piece.end = end;
    this.#fromMs = (end === block.count ? block.lastMs : block.timestamps()[end - 1]!) + 1;
    if (end === this.#rowsEnd) {
      this.#block = undefined;
    } else {
      this.#row = end;
    }
    return PIECE;
  }

  /** See `Replayed`: here nothing is earlier than `firstMs`. */
  nextWithin(_firstMs: number, lastMs: number): Step {
    return this.nextUntil(lastMs);
  }

  save(row: number, fromMs: number, state: SourcesState): void {
    const standsMs = row < 0 ? this.#fromMs : this.piece.block!.timestamps()[row]!;
    state.windows[this.needs] = {
      fromMs: Math.max(standsMs, fromMs),
      ended: this.#isEnded,
      adjust: 0,
    };
  }

  /** Takes up a block if it has rows inside the bounds. */
  #use(block: Block): void {
    if (block.lastMs < this.#startMs) {
      return;
    }
    const row = block.firstMs >= this.#startMs ? 0 : seekRow(block.timestamps(), 0, block.count, this.#startMs);
    const end =
      block.lastMs <= this.#endMs ? block.count : seekRow(block.timestamps(), row, block.count, this.#endMs + 1);
    if (row < end) {
      this.#block = block;
      this.#row = row;
      this.#rowsEnd = end;
    }
  }
}
