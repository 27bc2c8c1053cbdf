/**
 * Where k replicas stand: the next row of each, the earliest on top. A binary heap by time; on equal times the
 * lower-numbered replica comes first.
 *
 *     replica 0   ── ── 30 45            heap   [1] 28
 *     replica 1   ── 28 43                      [0] 30   [2] 31
 *     replica 2   ── ── 31
 *
 * Nothing can be said about what comes next in time before all replicas that go on have a row, so `ensure` asks for the
 * blocks that are missing first. Moving costs O(log k).
 */
import type { Block } from "../block.ts";
import { END, NEED, PIECE, type SourcesState, type Step } from "../source.ts";
import { describeTime, TIMESTAMP_MS_MAX } from "../timestamp.ts";
import type { ReplicaWindow } from "../window.ts";

export class Heads {
  /** After NEED: the replica whose next block is missing. */
  needs: number = 0;
  /** How many replicas stand on a row. */
  size: number = 0;
  /** By replica: the time on which it stands, the row, and the end of its rows in hand with the time of the last one. */
  readonly rowMs: Float64Array;
  readonly lastMs: Float64Array;
  readonly rows: Int32Array;
  readonly ends: Int32Array;
  readonly blocks: (Block | undefined)[];
  /** The decoded column of each block in hand, once it was asked for. */
  readonly #columns: (Float64Array | undefined)[];
  readonly #windows: readonly ReplicaWindow[];
  /** Replicas: the first `size` are the heap, the last `#waiting` have no row in hand. What is between has ended. */
  readonly #order: Int32Array;
  #waiting: number;

  constructor(windows: readonly ReplicaWindow[]) {
    const count = windows.length;
    this.rowMs = new Float64Array(count);
    this.lastMs = new Float64Array(count).fill(-Infinity);
    this.rows = new Int32Array(count);
    this.ends = new Int32Array(count);
    this.blocks = windows.map(() => undefined);
    this.#columns = windows.map(() => undefined);
    this.#windows = windows;
    this.#order = Int32Array.from(windows.keys());
    this.#waiting = count;
  }

  /** Makes sure that every replica stands on a row or has ended: PIECE, or NEED, or END where all have ended. */
  ensure(): Step {
    while (this.#waiting > 0) {
      const replica = this.#order[this.#order.length - this.#waiting]!;
      const window = this.#windows[replica]!;
      const step = window.next();
      if (step === NEED) {
        this.needs = replica;
        return NEED;
      }
      this.#waiting--;
      if (step === PIECE) {
        this.#take(replica);
      }
    }
    return this.size === 0 ? END : PIECE;
  }

  /** The replica with the earliest row. */
  top(): number {
    return this.#order[0]!;
  }

  /** The replica that comes next after the top one, or −1 where there is none. */
  second(): number {
    const order = this.#order;
    if (this.size < 3) {
      return this.size === 2 ? order[1]! : -1;
    }
    return this.#isBefore(order[1]!, order[2]!) ? order[1]! : order[2]!;
  }

  timestampsOf(replica: number): Float64Array {
    return (this.#columns[replica] ??= this.blocks[replica]!.timestamps());
  }

  /** Moves the top replica to a later row of those in hand, or behind them. */
  moveTop(row: number): void {
    const replica = this.#order[0]!;
    this.rows[replica] = row;
    if (row < this.ends[replica]!) {
      this.rowMs[replica] = checkedTime(this.timestampsOf(replica), replica, row);
    } else {
      this.blocks[replica] = undefined;
      this.#columns[replica] = undefined;
      this.#removeTop();
    }
    this.#sink();
  }

  /** Writes down where each replica stands. */
  save(fromMs: number, state: SourcesState): void {
    for (const [replica, window] of this.#windows.entries()) {
      window.save(this.blocks[replica] === undefined ? -1 : this.rows[replica]!, fromMs, state);
    }
  }

  /** Takes up what a window has handed out. */
  #take(replica: number): void {
    const { block, start, end } = this.#windows[replica]!.piece;
    const timeMs = start === 0 ? block!.firstMs : block!.timestamps()[start]!;
    if (!(timeMs > this.lastMs[replica]! && timeMs <= TIMESTAMP_MS_MAX && Math.floor(timeMs) === timeMs)) {
      throw badRow(replica, start, timeMs, this.lastMs[replica]!);
    }
    this.rowMs[replica] = timeMs;
    this.lastMs[replica] = end === block!.count ? block!.lastMs : block!.timestamps()[end - 1]!;
    this.blocks[replica] = block;
    this.rows[replica] = start;
    this.ends[replica] = end;
    const order = this.#order;
    let place = this.size++;
    while (place > 0 && this.#isBefore(replica, order[(place - 1) >> 1]!)) {
      order[place] = order[(place - 1) >> 1]!;
      place = (place - 1) >> 1;
    }
    order[place] = replica;
  }

  /** The top replica has no row in hand any more: it goes to those that wait. */
  #removeTop(): void {
    const order = this.#order;
    const replica = order[0]!;
    this.size--;
    this.#waiting++;
    order[0] = order[this.size]!;
    order[order.length - this.#waiting] = replica;
  }

  /** Lets what is on top sink to where it belongs. */
  #sink(): void {
    const order = this.#order;
    const { size } = this;
    const replica = order[0]!;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= size) {
        break;
      }
      if (child + 1 < size && this.#isBefore(order[child + 1]!, order[child]!)) {
        child++;
      }
      if (!this.#isBefore(order[child]!, replica)) {
        break;
      }
      order[place] = order[child]!;
      place = child;
    }
    order[place] = replica;
  }

  #isBefore(one: number, other: number): boolean {
    const oneMs = this.rowMs[one]!;
    const otherMs = this.rowMs[other]!;
    return oneMs < otherMs || (oneMs === otherMs && one < other);
  }
}

/** The time of a row behind the first of its block, which must be whole and later than the one before it. */
export function checkedTime(timestamps: Float64Array, replica: number, row: number): number {
  const timeMs = timestamps[row]!;
  if (!(timeMs > timestamps[row - 1]! && timeMs <= TIMESTAMP_MS_MAX && Math.floor(timeMs) === timeMs)) {
    throw badRow(replica, row, timeMs, timestamps[row - 1]!);
  }
  return timeMs;
}

function badRow(replica: number, row: number, timeMs: number, beforeMs: number): RangeError {
  return new RangeError(`replica ${replica}, row ${row}: ${describeTime(timeMs, beforeMs)}`);
}
