/** Blocks that are handed over one by one, as a stream would. */
import type { Block } from "../src/block.ts";

/** Hands blocks over only when they are asked for, and counts that where it is wanted. */
export function* onNeed(blocks: readonly Block[], asked?: number[], replica = 0): Generator<Block> {
  for (const block of blocks) {
    if (asked !== undefined) {
      asked[replica]!++;
    }
    yield block;
  }
}

export async function* onNeedAsync(blocks: readonly Block[]): AsyncGenerator<Block> {
  for (const block of blocks) {
    await Promise.resolve();
    yield block;
  }
}
