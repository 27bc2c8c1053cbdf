/** What a block says of its encoded form and of start times, through slices and where blocks are united. */
import { expect, test } from "vitest";

import { type Block, columnsBlock } from "../src/block.ts";
import { penalty, spliceBlocks } from "../src/index.ts";
import { slice } from "../src/slice.ts";

/** A block that says that it is encoded, and since when its rows' counters have been counting. */
function encodedBlock(times: readonly number[], chunkType: number, bytes: Uint8Array): Block {
  const timestamps = Float64Array.from(times);
  const block = columnsBlock({ timestamps, values: timestamps });
  return {
    kind: "float",
    firstMs: block.firstMs,
    lastMs: block.lastMs,
    count: block.count,
    detached: false,
    bytes,
    chunkType,
    timestamps: () => timestamps,
    values: () => timestamps,
    histograms: () => block.histograms(),
    startTimestamps: () => timestamps.map((timeMs) => timeMs - 1),
    valueAt: (row) => block.valueAt(row),
    staleRows: () => block.staleRows(),
  };
}

test("a slice of a whole block keeps its bytes and their type, a part has neither", () => {
  const bytes = Uint8Array.of(1, 2);
  const block = encodedBlock([10, 20, 30], 7, bytes);
  const detached = slice(block, 0, 3, { detached: true });
  expect([detached.bytes, detached.chunkType]).toEqual([bytes, 7]);
  const part = slice(block, 1, 3);
  expect([part.bytes, part.chunkType]).toEqual([undefined, undefined]);
  const raised = slice(block, 0, 3, { add: 1 });
  expect([raised.bytes, raised.chunkType]).toEqual([undefined, undefined]);
});

test("a slice has the start times of its rows, or none where its block says nothing of them", () => {
  const block = encodedBlock([10, 20, 30], 7, Uint8Array.of(1));
  expect([...slice(block, 1, 3).startTimestamps!()!]).toEqual([19, 29]);
  const plain = columnsBlock({ timestamps: Float64Array.of(10, 20), values: Float64Array.of(1, 2) });
  expect(slice(plain, 1, 2).startTimestamps!()).toBeUndefined();
});

test("the same bytes of the same type sent twice are one block, of another type they are another", () => {
  const bytes = Uint8Array.of(1, 2);
  const splice = (types: readonly number[]): Block[] => [
    ...spliceBlocks([types.map((type) => encodedBlock([10, 20, 30], type, bytes.slice()))], penalty()),
  ];
  expect(splice([4, 4]).map(({ count, chunkType }) => [count, chunkType])).toEqual([[3, 4]]);
  // These are united, row by row: the first one wins.
  const united = splice([4, 1]);
  expect(united.reduce((sum, { count }) => sum + count, 0)).toBe(3);
});
