import type { Block } from "../block.ts";
import { END, PIECE, seekRow, type Source, type SourcesState, type Step } from "../source.ts";

/**
 * One side of a pair: a source read forward only, and the row on which it stands. Moving is destructive, a side never goes
 * back. The fields are read in hot code; only this class writes `block` and the rows, except that whoever takes rows moves
 * `row` on with {@link moveTo}.
 */
export class Side {
  readonly source: Source;
  replica: number = 0;
  block: Block | undefined = undefined;
  /** The rows in hand are `row` to `end`; `start` is where the piece began. */
  start: number = 0;
  row: number = 0;
  end: number = 0;
  /** Time of `row`, known without decoding where it is the first of its block. */
  rowMs: number = -Infinity;
  isEnded: boolean = false;
  /** The time to which {@link seek} goes: a field, since a number handed to a function may be allocated. */
  targetMs: number = -Infinity;
  #lastMs: number = -Infinity;

  constructor(source: Source) {
    this.source = source;
  }

  /** Makes sure that the side stands on a row: PIECE, or NEED, or END where there is none any more. */
  ensure(): Step {
    return this.row < this.end ? PIECE : this.#pull();
  }

  /** Moves to the first row at or after `targetMs`. Pieces that end before it are passed over undecoded. */
  seek(): Step {
    const { targetMs } = this;
    for (;;) {
      if (this.row < this.end) {
        if (this.rowMs >= targetMs) {
          return PIECE;
        }
        if (this.#lastMs >= targetMs) {
          this.moveTo(this.#find());
          return PIECE;
        }
        this.row = this.end;
      }
      const step = this.#pull();
      if (step !== PIECE) {
        return step;
      }
    }
  }

  /** Stands on another row of the piece in hand, or behind its last one. */
  moveTo(row: number): void {
    this.row = row;
    if (row < this.end) {
      this.rowMs = this.block!.timestamps()[row]!;
    }
  }

  #find(): number {
    const timestamps = this.block!.timestamps();
    const row = seekRow(timestamps, this.row, this.end, this.targetMs);
    if (row === this.end) {
      throw new RangeError(
        `replica ${this.replica}: a block that should end at ${this.#lastMs} ends at ${timestamps[row - 1]}`,
      );
    }
    return row;
  }

  /** Writes down where the side stands; see {@link Source.save}. */
  save(fromMs: number, state: SourcesState): void {
    this.source.save(this.row < this.end ? this.row : -1, fromMs, state);
  }

  #pull(): Step {
    if (this.isEnded) {
      return END;
    }
    const step = this.source.next();
    if (step === PIECE) {
      const { piece } = this.source;
      const block = piece.block!;
      this.replica = piece.replica;
      this.block = block;
      this.start = piece.start;
      this.row = piece.start;
      this.end = piece.end;
      this.rowMs = piece.start === 0 ? block.firstMs : block.timestamps()[piece.start]!;
      this.#lastMs = piece.end === block.count ? block.lastMs : block.timestamps()[piece.end - 1]!;
    } else if (step === END) {
      this.isEnded = true;
      this.block = undefined;
    }
    return step;
  }
}
