/** Blocks of one replica that count how many of them are decoded, and remember what failed, and so whose failure it was. */
import type { Block } from "@promsplice/core";

import { type BlockWatcher, WatchedBlock } from "./watched-block.ts";

/** What the blocks of one replica have in common. */
export class Guard implements BlockWatcher {
  /** Blocks of which at least the timestamps were decoded. */
  blocksDecoded: number = 0;
  /** The error that one of them threw last. */
  failure: unknown = undefined;

  decoded(): void {
    this.blocksDecoded++;
  }

  failed(error: unknown): unknown {
    this.failure = error;
    return error;
  }
}

/** The same blocks, guarded. An array stays one: it may have any order. */
export function guardBlocks(blocks: Iterable<Block>, guard: Guard): Iterable<Block> {
  return Array.isArray(blocks)
    ? (blocks as readonly Block[]).map((block) => new WatchedBlock(block, guard))
    : guardEach(blocks, guard);
}

function* guardEach(blocks: Iterable<Block>, guard: Guard): Generator<Block, void, undefined> {
  try {
    for (const block of blocks) {
      yield new WatchedBlock(block, guard);
    }
  } catch (error) {
    throw guard.failed(error);
  }
}
