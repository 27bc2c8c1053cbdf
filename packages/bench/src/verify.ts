/**
 * Correctness beside speed: before anything is timed, each way to merge gives the same columns, bit for bit, as the
 * step-by-step loops do, on the inputs of every case.
 */
import { type Block, type Columns, dedup, penalty, splice, spliceBlocks } from "@promsplice/core";
import { cutIntoBlocks, makeReplicas, SHAPES } from "./fixtures.ts";
import { mergeByFold, mergeCounters, REFERENCE_LOOPS, type ReferenceLoop } from "./reference-loops.ts";

/**
 * Compares all ways over replicas of `rows` rows each, and returns how many comparisons that were.
 *
 * @throws Error that names the first difference.
 */
export function verifyAnswers(rows: number): number {
  let compared = 0;
  const compare = (what: string, got: Columns, expected: Columns): void => {
    compareColumns(what, got, expected);
    compared++;
  };
  for (const shape of SHAPES) {
    for (const count of [2, 3, 5]) {
      const replicas = makeReplicas(shape, count, rows);
      const blocks = replicas.map((columns) => cutIntoBlocks(columns));
      const name = `${count} replicas, ${shape}`;
      const [first, ...others] = REFERENCE_LOOPS as [ReferenceLoop, ...ReferenceLoop[]];
      const expected = mergeByFold(first, replicas);
      others.forEach((loop) => compare(`${loop.name}, ${name}`, mergeByFold(loop, replicas), expected));
      compare(`dedup, ${name}`, dedup(replicas, penalty()), expected);
      compare(`splice of blocks, ${name}`, joinBlocks(rowsOfRuns(blocks)), expected);
      compare(`spliceBlocks, ${name}`, joinBlocks(spliceBlocks(blocks, penalty())), expected);
    }
    const pair = makeReplicas(shape, 2, rows);
    compare(`counter dedup, ${shape}`, dedup(pair, penalty({ counter: true })), mergeByFold(mergeCounters, pair));
  }
  return compared;
}

/** Fails unless two pairs of columns hold the same bits. */
export function compareColumns(what: string, got: Columns, expected: Columns): void {
  if (got.timestamps.length !== expected.timestamps.length) {
    throw new Error(`${what}: gave ${got.timestamps.length} rows, expected ${expected.timestamps.length}`);
  }
  for (const column of ["timestamps", "values"] as const) {
    const gotBits = bitsOf(got[column]);
    const expectedBits = bitsOf(expected[column]);
    const row = gotBits.findIndex((bits, index) => bits !== expectedBits[index]);
    if (row >= 0) {
      throw new Error(`${what}: ${column} of row ${row} is ${got[column][row]}, expected ${expected[column][row]}`);
    }
  }
}

function* rowsOfRuns(blocks: readonly Block[][]): Generator<Pick<Block, "timestamps" | "values">> {
  for (const { block, start, end } of splice(blocks, penalty())) {
    yield {
      timestamps: () => block.timestamps().subarray(start, end),
      values: () => block.values().subarray(start, end),
    };
  }
}

function joinBlocks(blocks: Iterable<Pick<Block, "timestamps" | "values">>): Columns {
  const columns = Array.from(blocks, (block) => ({ timestamps: block.timestamps(), values: block.values() }));
  return {
    timestamps: joinColumns(columns.map(({ timestamps }) => timestamps)),
    values: joinColumns(columns.map(({ values }) => values)),
  };
}

function joinColumns(columns: readonly Float64Array[]): Float64Array {
  const joined = new Float64Array(columns.reduce((total, { length }) => total + length, 0));
  let row = 0;
  for (const column of columns) {
    joined.set(column, row);
    row += column.length;
  }
  return joined;
}

function bitsOf(column: Float64Array): BigUint64Array {
  return new BigUint64Array(column.buffer, column.byteOffset, column.length);
}
