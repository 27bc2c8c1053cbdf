/**
 * Makes one time-ordered sequence of blocks out of a replica's blocks that may overlap or repeat: their union, in which
 * on equal times the block that came first wins.
 *
 *     first block     1──2──────5──6
 *     second block       2──3──4──────7
 *     handed on       1──2 ╎3──4╎ 5──6 ╎7        slices of the two, nothing copied
 *
 * Servers send such blocks when samples arrived out of order, and after a restore. (Thanos instead treats overlapping
 * blocks as further replicas.) Blocks come by their first time; one is held back, since the next may overlap it. A block
 * that overlaps no other is handed on as it is, undecoded; of overlapping ones the timestamps are decoded.
 */
import type { Block } from "./block.ts";
import { slice } from "./slice.ts";
import { SpliceError } from "./splice-error.ts";
import { describeTime } from "./timestamp.ts";

/** How many blocks of one replica may cover the same instant. Real servers send two or three. */
const OVERLAPPING_BLOCKS_MAX = 8;

/** A block of which rows from `row` on have not been handed on. */
interface OpenBlock {
  readonly block: Block;
  row: number;
  rowMs: number;
}

export class Normaliser {
  readonly #replica: number;
  readonly #ready: Block[] = [];
  #newestFirstMs = -Infinity;
  /** The newest block, where it overlaps none so far. */
  #held: Block | undefined = undefined;
  /** Blocks that overlap, in the order in which they came: on equal times the first one wins. */
  #open: OpenBlock[] = [];
  /** Rows of an open block that are not handed on yet, because they may go on. */
  #pending: { readonly block: Block; readonly start: number; end: number } | undefined = undefined;
  /** Whether the last rows handed on were the end of their block. */
  #endsBlock = true;

  constructor(replica: number) {
    this.#replica = replica;
  }

  /**
   * Takes the next block.
   *
   * @throws SpliceError `blocks-out-of-order` if it begins before the one before it, or is the ninth to cover an instant.
   */
  push(block: Block): void {
    if (block.firstMs < this.#newestFirstMs) {
      throw this.#outOfOrder(
        `a block that begins at ${block.firstMs} came after one that begins at ${this.#newestFirstMs}`,
      );
    }
    this.#newestFirstMs = block.firstMs;
    if (this.#open.length > 0) {
      this.#handOnBefore(block.firstMs);
    }
    const held = this.#held;
    if (held !== undefined) {
      if (held.lastMs < block.firstMs) {
        // Fast path: the one before it has ended, as all have where nothing overlaps.
        this.#ready.push(held);
        this.#held = block;
        return;
      }
      if (isSameBytes(held, block)) {
        return;
      }
      this.#held = undefined;
      this.#open.push({ block: held, row: 0, rowMs: held.firstMs });
    }
    if (this.#open.length === 0) {
      this.#held = block;
    } else if (!this.#open.some((open) => isSameBytes(open.block, block))) {
      if (this.#open.length === OVERLAPPING_BLOCKS_MAX) {
        throw this.#outOfOrder(`more than ${OVERLAPPING_BLOCKS_MAX} blocks overlap at ${block.firstMs}`);
      }
      this.#open.push({ block, row: 0, rowMs: block.firstMs });
    }
  }

  /** There are no more blocks. */
  finish(): void {
    this.#handOnBefore(Infinity);
    if (this.#held !== undefined) {
      this.#ready.push(this.#held);
      this.#held = undefined;
    }
  }

  /** The next block of the union, if one is ready. */
  shift(): Block | undefined {
    return this.#ready.shift();
  }

  /** Hands on the rows of the open blocks that are earlier than `untilMs`. */
  #handOnBefore(untilMs: number): void {
    for (;;) {
      const next = this.#earliestBefore(untilMs);
      if (next === undefined) {
        break;
      }
      const { rowMs } = next;
      this.#append(next.block, next.row);
      for (const open of this.#open) {
        if (open.rowMs === rowMs) {
          this.#step(open);
        }
      }
      this.#open = this.#open.filter((open) => open.row < open.block.count);
    }
    if (this.#pending !== undefined && this.#pending.end === this.#pending.block.count) {
      this.#flush();
    }
  }

  #earliestBefore(untilMs: number): OpenBlock | undefined {
    let earliest: OpenBlock | undefined;
    for (const open of this.#open) {
      if (open.rowMs < (earliest?.rowMs ?? untilMs)) {
        earliest = open;
      }
    }
    return earliest;
  }

  #step(open: OpenBlock): void {
    open.row++;
    if (open.row === open.block.count) {
      return;
    }
    const rowMs = open.block.timestamps()[open.row]!;
    if (!(rowMs > open.rowMs)) {
      throw new RangeError(`replica ${this.#replica}, row ${open.row}: ${describeTime(rowMs, open.rowMs)}`);
    }
    open.rowMs = rowMs;
  }

  #append(block: Block, row: number): void {
    if (this.#pending?.block === block && this.#pending.end === row) {
      this.#pending.end++;
    } else {
      this.#flush();
      this.#pending = { block, start: row, end: row + 1 };
    }
  }

  #flush(): void {
    if (this.#pending !== undefined) {
      const { block, start, end } = this.#pending;
      this.#ready.push(slice(block, start, end, { detached: start > 0 || block.detached || !this.#endsBlock }));
      this.#endsBlock = end === block.count;
      this.#pending = undefined;
    }
  }

  #outOfOrder(problem: string): SpliceError {
    return new SpliceError("blocks-out-of-order", `replica ${this.#replica}: ${problem}`, { replica: this.#replica });
  }
}

/** Blocks in the order of their first times; those that begin together keep the order that they have. */
export function sortBlocks(blocks: readonly Block[]): readonly Block[] {
  let beforeMs = -Infinity;
  for (const block of blocks) {
    const firstMs = firstTime(block);
    if (firstMs < beforeMs) {
      return blocks.toSorted((one, other) => firstTime(one) - firstTime(other));
    }
    beforeMs = firstMs;
  }
  return blocks;
}

/** NaN for what is no block: the kernel refuses it when its turn comes. */
function firstTime(block: Block | null | undefined): number {
  return block?.firstMs ?? NaN;
}

function isSameBytes(one: Block, other: Block): boolean {
  const bytes = one.bytes;
  const others = other.bytes;
  return (
    bytes !== undefined &&
    others !== undefined &&
    one.kind === other.kind &&
    one.chunkType === other.chunkType &&
    one.firstMs === other.firstMs &&
    one.lastMs === other.lastMs &&
    bytes.length === others.length &&
    bytes.every((byte, index) => byte === others[index])
  );
}
