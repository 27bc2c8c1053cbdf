/** The two goals that are no times: how little `splice` allocates, and how few blocks of an idle replica it decodes. */
import { type Block, penalty, splice } from "@promsplice/core";
import { countRunRows, cutIntoOneBlock } from "./cases.ts";
import { cutIntoBlocks, makeReplicas, WHOLE_SHAPES } from "./fixtures.ts";
import type { Ratio } from "./goals.ts";
import { measureAllocated } from "./heap.ts";

const HEAP_BYTES_MAX = 64 * 1024;
const DECODED_IDLE_BLOCKS_MAX = 2;
const ATTEMPTS = 11;

/** Heap growth of `splice` over `rowsMany` rows (of both replicas together) and over `rowsFew`: it must not hang on them. */
export async function measureSpliceHeap(rowsFew: number, rowsMany: number): Promise<Ratio[]> {
  const ratios: Ratio[] = [];
  for (const shape of ["jitter", "gap"] as const) {
    for (const rows of [rowsFew, rowsMany]) {
      const pair = makeReplicas(shape, 2, rows / 2).map(cutIntoOneBlock);
      const { heapBytes } = await measureAllocated(() => countRunRows(splice(pair, penalty())), ATTEMPTS);
      ratios.push({
        what: `heap growth of splice over ${rows.toExponential()} rows, ${shape}`,
        against: "–",
        measured: heapBytes,
        unit: "bytes",
        limit: HEAP_BYTES_MAX,
      });
    }
  }
  return ratios;
}

/** How many blocks of the idle replica are decoded while the other one is whole: `blocks` of 120 rows a side. */
export function countDecodedBlocks(blocks: number): Ratio[] {
  return WHOLE_SHAPES.map((shape) => {
    const decoded = new Set<Block>();
    const pair = makeReplicas(shape, 2, 120 * blocks).map((columns) =>
      cutIntoBlocks(columns).map((block) => watchDecoding(block, decoded)),
    );
    const shown = new Set<Block>();
    for (const { block } of splice(pair, penalty())) {
      shown.add(block);
    }
    return {
      what: `splice of ${blocks} blocks a side, ${shape}: idle blocks decoded`,
      against: "–",
      measured: [...decoded].filter((block) => !shown.has(block)).length,
      unit: "blocks",
      limit: DECODED_IDLE_BLOCKS_MAX,
    };
  });
}

/** A block that notes when its columns are asked for, as one over an encoded chunk would decode them then. */
function watchDecoding(block: Block, decoded: Set<Block>): Block {
  const noted = <Column>(column: Column): Column => {
    decoded.add(watched);
    return column;
  };
  const { kind, firstMs, lastMs, count, detached } = block;
  const watched: Block = {
    kind,
    firstMs,
    lastMs,
    count,
    detached,
    timestamps: () => noted(block.timestamps()),
    values: () => noted(block.values()),
    histograms: () => noted(block.histograms()),
    valueAt: (row) => noted(block.valueAt(row)),
    staleRows: () => noted(block.staleRows()),
  };
  return watched;
}
