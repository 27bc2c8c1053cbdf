/**
 * One replica as `fill` reads it: forward, with a memory. Its rows are numbered from the first one that was read; those in
 * hand reach back as far as an estimate of the interval needs and ahead as far as somebody looked.
 *
 *     blocks    [ 0 … 119 ][ 120 … 239 ][ 240 … 359 ]           asked for as they are needed
 *     in hand              [ 120 … 239 ][ 240 … 359 ]           let go of when 17 rows behind what was shown
 *
 * A block that only has to be passed over is not decoded: its first and last time and its number of rows are enough.
 * Looking is always allowed; where a block is missing the answer is NEEDED, and the same question may be put again.
 */
import { END, NEED, PIECE, Piece, seekRow, type SourcesState, type Step } from "../source.ts";
import { describeTime } from "../timestamp.ts";
import type { ReplicaWindow } from "../window.ts";
import { Stretch } from "./stretch.ts";
import { DELTAS, type Estimate, estimateInterval } from "./interval-estimate.ts";

/** The answer to a question for a row where the replica's next block is missing. */
export const NEEDED = -1;
/** The answer to a question for a row where there is none and will be none. */
export const NO_ROW = -2;

/**
 * The rows behind what was shown that an estimate may look at: those between which the last deltas lie. Where any have been let
 * go of, so many are left; so who resumes may number the rows that are left from 0.
 */
const ROWS_KEPT: number = DELTAS + 1;

export class Scrapes {
  readonly replica: number;
  /** For a resume: rows handed out again by {@link nextWithin}. */
  readonly piece: Piece = new Piece();
  /** The time of the sample shown last: rows far enough before it are let go of. */
  floorMs: number = -Infinity;
  /** No delta that counts for the interval at `steadyRow` is shorter than this. */
  leastDeltaMs: number = 0;
  /** −1 where nothing is known. */
  steadyRow: number = -1;
  readonly #window: ReplicaWindow;
  readonly #givenMs: number;
  readonly #rowsKept: number;
  readonly #untilMs: number;
  readonly #stretches: Stretch[] = [];
  /** The one that was used last. */
  #hand: Stretch | undefined = undefined;
  #rowsEnd = 0;
  #isEnded = false;
  /** What {@link rowFrom} answered last. */
  #seenRow = 0;
  #estimatedRow = -1;
  readonly #estimate: Estimate = { intervalMs: NaN, leastMs: NaN };

  /**
   * `givenMs` is the interval where it need not be estimated, else NaN; with `looksBack` as many rows are kept behind what
   * was shown in both cases. After a resume rows later than `untilMs` are none: the replica had ended there.
   */
  constructor(window: ReplicaWindow, givenMs: number, looksBack: boolean, untilMs: number) {
    this.#window = window;
    this.replica = window.needs;
    this.piece.replica = window.needs;
    this.#givenMs = givenMs;
    this.#rowsKept = looksBack || Number.isNaN(givenMs) ? ROWS_KEPT : 1;
    this.#untilMs = untilMs;
  }

  /** The time after which there is nothing, where the end has been seen. */
  get untilMs(): number {
    return this.#isEnded && this.#window.laterMs === -Infinity ? this.#lastMs() : Infinity;
  }

  /** The block of a row in hand and, at `row + shift`, its place in it. */
  at(row: number): Stretch {
    const hand = this.#hand;
    if (hand !== undefined && row >= hand.base && row < hand.end) {
      // Fast path: the block that was used last, because rows are asked for in order.
      return hand;
    }
    const stretches = this.#stretches;
    let index = stretches.length - 1;
    while (stretches[index]!.base > row) {
      index--;
    }
    this.#hand = stretches[index]!;
    return this.#hand;
  }

  /** The time of a row in hand. */
  timeOf(row: number): number {
    const stretch = this.at(row);
    return row === stretch.base ? stretch.firstMs : stretch.timestamps()[row + stretch.shift]!;
  }

  /** The first row there is. */
  firstRow(): number {
    if (this.#stretches.length === 0) {
      const step = this.#pull();
      if (step !== PIECE) {
        return step === NEED ? NEEDED : NO_ROW;
      }
    }
    return this.#stretches[0]!.base;
  }

  /** The first row at or after a time. Blocks that end before it are passed over undecoded. */
  rowFrom(timeMs: number): number {
    for (let index = 0; ; index++) {
      if (index === this.#stretches.length) {
        const step = this.#pull();
        if (step !== PIECE) {
          return step === NEED ? NEEDED : NO_ROW;
        }
        index = this.#stretches.length - 1;
      }
      const stretch = this.#stretches[index]!;
      if (stretch.lastMs < timeMs) {
        continue;
      }
      let row = stretch.base;
      if (stretch.firstMs < timeMs) {
        row = this.#seek(stretch, timeMs);
      }
      this.#seenRow = row;
      return row;
    }
  }

  /** The first live row at or after a row in hand or the one after those. */
  nextLive(from: number): number {
    for (let row = from; ;) {
      if (row >= this.#rowsEnd) {
        const step = this.#pull();
        if (step !== PIECE) {
          return step === NEED ? NEEDED : NO_ROW;
        }
      }
      const stretch = this.at(row);
      while (row < stretch.end && stretch.nextStale(row) === row) {
        row++;
      }
      if (row < stretch.end) {
        return row;
      }
    }
  }

  /** The first row at or after `from` that holds a stale marker and is earlier than `beforeMs`. */
  nextStale(from: number, beforeMs: number): number {
    for (let row = from; ;) {
      if (row >= this.#rowsEnd) {
        const step = this.#pull();
        if (step !== PIECE) {
          return step === NEED ? NEEDED : NO_ROW;
        }
      }
      const stretch = this.at(row);
      if (row === stretch.base && stretch.firstMs >= beforeMs) {
        return NO_ROW;
      }
      row = stretch.nextStale(row);
      if (row < stretch.end) {
        return this.timeOf(row) < beforeMs ? row : NO_ROW;
      }
      if (stretch.lastMs >= beforeMs) {
        return NO_ROW;
      }
    }
  }

  /** Whether a row is in hand and not earlier than a time. */
  isKnownFrom(row: number, timeMs: number): boolean {
    return row < this.#rowsEnd && this.timeOf(row) >= timeMs;
  }

  /**
   * Whether the replica has a row later than a time, at least outside the window if that ends later, without decoding
   * anything. Asks for blocks only if it `mayPull`.
   */
  reaches(timeMs: number, mayPull: boolean): Step {
    // Looked at again after each block, the last one included: it may lie behind the window, and then counts as well.
    while (!(this.#lastMs() > timeMs || this.#window.laterMs > timeMs)) {
      if (this.#isEnded) {
        return END;
      }
      if (!mayPull || this.#pull() === NEED) {
        return NEED;
      }
    }
    return PIECE;
  }

  /** The scrape interval as of a row in hand: NaN where the replica has one row, NEEDED where the next rows count. */
  intervalAt(row: number): number {
    if (this.#givenMs === this.#givenMs) {
      return this.#givenMs;
    }
    if (row === this.#estimatedRow) {
      return this.#estimate.intervalMs;
    }
    const last = Math.max(row, DELTAS);
    while (this.#rowsEnd <= last && !this.#isEnded) {
      if (this.#pull() === NEED) {
        return NEEDED;
      }
    }
    const first = last - DELTAS;
    const end = Math.min(last + 1, this.#rowsEnd);
    this.#estimateBetween(first, end);
    this.#estimatedRow = row;
    this.leastDeltaMs = this.#estimate.leastMs;
    this.steadyRow = end - first > 1 ? row : -1;
    return this.#estimate.intervalMs;
  }

  /** The longest gap after a row that is no hole for sure: a bound that costs nothing, or −∞. */
  steadyMaxMs(row: number): number {
    if (this.#givenMs === this.#givenMs) {
      return 1.5 * this.#givenMs;
    }
    // The interval is a mean of deltas, and none is shorter.
    return row === this.steadyRow ? 1.5 * this.leastDeltaMs : -Infinity;
  }

  /** The value of a row in hand, to be compared; NaN for a histogram, which is below nothing. */
  valueOf(row: number): number {
    const { block, shift } = this.at(row);
    return block.kind === "float" ? block.valueAt(row + shift) : NaN;
  }

  /** Whether the value falls from one live row to the next, the second among rows `from` to `last`, both in hand. */
  hasReset(from: number, last: number): boolean {
    // Markers are passed over, but not more rows than an estimate looks back.
    for (let row = from; row <= last; row++) {
      const before = this.#liveBefore(row);
      if (before >= 0 && !this.#isStale(row) && this.valueOf(row) < this.valueOf(before)) {
        return true;
      }
    }
    return false;
  }

  /** Takes note that a row was shown after the one before it, if that was the last of which something is known. */
  stepTo(row: number, timeMs: number): void {
    if (this.steadyRow === row - 1 && row > 0) {
      if (row > DELTAS) {
        this.leastDeltaMs = Math.min(this.leastDeltaMs, timeMs - this.timeOf(row - 1));
      }
      this.steadyRow = row;
    }
  }

  /** Hands out again the rows between two times, both inclusive; see `Source.rowsOf`. */
  nextWithin(firstMs: number, lastMs: number): Step {
    const row = this.rowFrom(firstMs);
    if (row === NEEDED) {
      return NEED;
    }
    if (row === NO_ROW || this.timeOf(row) > lastMs) {
      return END;
    }
    const stretch = this.at(row);
    const { piece } = this;
    piece.block = stretch.block;
    piece.start = row + stretch.shift;
    piece.end = stretch.end + stretch.shift;
    if (stretch.lastMs > lastMs) {
      piece.end = seekRow(stretch.timestamps(), piece.start, piece.end, lastMs + 1);
    }
    return PIECE;
  }

  save(state: SourcesState): void {
    this.#letGo();
    this.#window.save(-1, -Infinity, state);
    const window = state.windows[this.replica]!;
    window.fromMs = this.#stretches[0]?.firstMs ?? window.fromMs;
    window.ended = false;
  }

  #lastMs(): number {
    return this.#stretches[this.#stretches.length - 1]?.lastMs ?? -Infinity;
  }

  #isStale(row: number): boolean {
    return this.at(row).nextStale(row) === row;
  }

  /** The live row before a row, if it is among the {@link DELTAS} before it. */
  #liveBefore(row: number): number {
    const first = Math.max(row - DELTAS, this.#stretches[0]!.base);
    for (let before = row - 1; before >= first; before--) {
      if (!this.#isStale(before)) {
        return before;
      }
    }
    return NO_ROW;
  }

  /** Searches a block, beginning where the last search ended: forwards, or backwards and then forwards. */
  #seek(stretch: Stretch, timeMs: number): number {
    const timestamps = stretch.timestamps();
    const start = stretch.base + stretch.shift;
    const end = stretch.end + stretch.shift;
    let from = Math.min(Math.max(this.#seenRow + stretch.shift, start), end - 1);
    for (let step = 1; from > start && timestamps[from]! >= timeMs; step += step) {
      from = Math.max(start, from - step);
    }
    const row = seekRow(timestamps, from, end, timeMs);
    if (row === end) {
      throw new RangeError(
        `replica ${this.replica}: a block that should end at ${stretch.lastMs} ends at ${timestamps[row - 1]}`,
      );
    }
    return row - stretch.shift;
  }

  /** Estimates from rows `first` to `end`, all in hand. */
  #estimateBetween(first: number, end: number): void {
    const stretch = this.at(first);
    const estimate = this.#estimate;
    if (end <= stretch.end) {
      // Fast path: all in one block, because blocks are longer.
      estimateInterval(stretch.timestamps(), first + stretch.shift, end + stretch.shift, estimate);
    } else {
      const times = new Float64Array(end - first);
      for (let row = first; row < end; row++) {
        times[row - first] = this.timeOf(row);
      }
      estimateInterval(times, 0, times.length, estimate);
    }
    if (!(estimate.leastMs > 0)) {
      this.#badDelta(first, end);
    }
  }

  #badDelta(first: number, end: number): never {
    let row = first + 1;
    while (row + 1 < end && this.timeOf(row) > this.timeOf(row - 1)) {
      row++;
    }
    const place = row + this.at(row).shift;
    throw new RangeError(
      `replica ${this.replica}, row ${place}: ${describeTime(this.timeOf(row), this.timeOf(row - 1))}`,
    );
  }

  #pull(): Step {
    if (this.#isEnded) {
      return END;
    }
    const step = this.#window.nextUntil(this.#untilMs);
    if (step === PIECE) {
      const stretch = new Stretch(this.#window.piece, this.#rowsEnd);
      this.#stretches.push(stretch);
      this.#rowsEnd = stretch.end;
      this.#letGo();
    } else if (step === END) {
      this.#isEnded = true;
    }
    return step;
  }

  /** Lets go of what lies so far behind what was shown that no estimate needs it. */
  #letGo(): void {
    const stretches = this.#stretches;
    let passed = 0;
    while (passed < stretches.length && stretches[passed]!.lastMs <= this.floorMs) {
      passed++;
    }
    if (passed > 1) {
      const neededRow = stretches[passed - 1]!.end - this.#rowsKept;
      let gone = 0;
      while (stretches[gone]!.end <= neededRow) {
        gone++;
      }
      stretches.splice(0, gone);
      this.#hand = undefined;
    }
  }
}
