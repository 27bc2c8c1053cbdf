/** Blocks of one replica that count how many of them are decoded, and remember what failed, and so whose failure it was. */
import type { Block, HistogramColumn } from "@promsplice/core";

/** What the blocks of one replica have in common. */
export interface Guard {
  /** Blocks of which at least the timestamps were decoded. */
  blocksDecoded: number;
  /** The error that one of them threw last. */
  failure: unknown;
}

/** The same blocks, guarded. An array stays one: it may have any order. */
export function guardBlocks(blocks: Iterable<Block>, guard: Guard): Iterable<Block> {
  return Array.isArray(blocks)
    ? (blocks as readonly Block[]).map((block) => new GuardedBlock(block, guard))
    : guardEach(blocks, guard);
}

function* guardEach(blocks: Iterable<Block>, guard: Guard): Generator<Block, void, undefined> {
  try {
    for (const block of blocks) {
      yield new GuardedBlock(block, guard);
    }
  } catch (error) {
    guard.failure = error;
    throw error;
  }
}

class GuardedBlock implements Block {
  readonly kind: "float" | "histogram";
  readonly firstMs: number;
  readonly lastMs: number;
  readonly count: number;
  readonly detached: boolean;
  readonly bytes: Uint8Array | undefined;
  readonly #block: Block;
  readonly #guard: Guard;
  #isDecoded = false;

  constructor(block: Block, guard: Guard) {
    this.kind = block.kind;
    this.firstMs = block.firstMs;
    this.lastMs = block.lastMs;
    this.count = block.count;
    this.detached = block.detached;
    this.bytes = block.bytes;
    this.#block = block;
    this.#guard = guard;
  }

  timestamps(): Float64Array {
    return this.#decode(() => this.#block.timestamps());
  }

  values(): Float64Array {
    return this.#decode(() => this.#block.values());
  }

  histograms(): HistogramColumn {
    return this.#decode(() => this.#block.histograms());
  }

  valueAt(row: number): number {
    return this.#decode(() => this.#block.valueAt(row));
  }

  staleRows(): Uint32Array {
    return this.#decode(() => this.#block.staleRows());
  }

  #decode<T>(column: () => T): T {
    try {
      const decoded = column();
      if (!this.#isDecoded) {
        this.#isDecoded = true;
        this.#guard.blocksDecoded++;
      }
      return decoded;
    } catch (error) {
      this.#guard.failure = error;
      throw error;
    }
  }
}
