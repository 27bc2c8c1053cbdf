/** Splices one series of a pair, and notes for each sample which replica it came from. */
import { type Block, type Columns, slice, splice, type Strategy } from "@promsplice/core";
import type { Stretch } from "./measure.ts";
import { viewBits } from "./stale-marker.ts";

/** The spliced series. */
export interface Spliced extends Columns {
  /** For each row the replica that gave it. */
  readonly replicas: Uint8Array;
}

/**
 * Splices. Columns are copied as bits, so stale markers stay what they are.
 *
 * @param blocks One list of float blocks a replica.
 * @param order The replicas that are spliced, the preferred one first.
 * @param window What the strategy sees; everything by default.
 */
export function splicePair(
  blocks: readonly (readonly Block[])[],
  order: readonly number[],
  strategy: Strategy,
  window?: Stretch,
): Spliced {
  const rowsMax = blocks.flat().reduce((rows, block) => rows + block.count, 0);
  const timestamps = new Float64Array(rowsMax);
  const values = new Float64Array(rowsMax);
  const givenBy = new Uint8Array(rowsMax);
  const inOrder = order.map((replica) => blocks[replica]!);
  const options = window === undefined ? {} : { startMs: window.fromMs, endMs: window.toMs };
  let rows = 0;
  for (const { block, replica, start, end } of splice(inOrder, strategy, options)) {
    timestamps.set(block.timestamps().subarray(start, end), rows);
    values.set(block.values().subarray(start, end), rows);
    givenBy.fill(order[replica]!, rows, rows + end - start);
    rows += end - start;
  }
  return {
    timestamps: timestamps.slice(0, rows),
    values: values.slice(0, rows),
    replicas: givenBy.slice(0, rows),
  };
}

/**
 * An answer with, for each row, the replica that gave it: known from the same series spliced here.
 *
 * @throws RangeError if the two differ in a time or in a bit of a value.
 */
export function findSources(answer: Columns, spliced: Spliced): Spliced {
  const { timestamps } = answer;
  const [bits, expected] = [viewBits(answer), viewBits(spliced)];
  if (timestamps.length !== spliced.timestamps.length) {
    throw new RangeError(`the answer has ${timestamps.length} samples, expected ${spliced.timestamps.length}`);
  }
  const row = timestamps.findIndex(
    (timestampMs, index) => timestampMs !== spliced.timestamps[index] || bits[index] !== expected[index],
  );
  if (row >= 0) {
    throw new RangeError(`sample ${row} of the answer is not the one that its replicas splice to`);
  }
  return { timestamps, values: answer.values, replicas: spliced.replicas };
}

/** The rows inside a stretch, both ends included. */
export function trimSpliced({ timestamps, values, replicas }: Spliced, stretch: Stretch): Spliced {
  const [start, end] = findRows(timestamps, stretch);
  return {
    timestamps: timestamps.subarray(start, end),
    values: values.subarray(start, end),
    replicas: replicas.subarray(start, end),
  };
}

/** The parts of blocks inside a stretch, both ends included; those that are wholly inside stay the same objects. */
export function clipBlocks(blocks: readonly Block[], stretch: Stretch): Block[] {
  return blocks.flatMap((block) => {
    if (block.firstMs >= stretch.fromMs && block.lastMs <= stretch.toMs) {
      return [block];
    }
    const [start, end] = findRows(block.timestamps(), stretch);
    return start < end ? [slice(block, start, end)] : [];
  });
}

/** Which rows are inside a stretch, both ends included: from the first to before the second. */
export function findRows(timestamps: Float64Array, { fromMs, toMs }: Stretch): [number, number] {
  const start = timestamps.findIndex((timeMs) => timeMs >= fromMs);
  const length = start < 0 ? -1 : timestamps.subarray(start).findIndex((timeMs) => timeMs > toMs);
  return start < 0 ? [0, 0] : [start, length < 0 ? timestamps.length : start + length];
}

/** The same rows in blocks of at most `rows` rows, as another server might have cut them. */
export function cutBlocks(blocks: readonly Block[], rows: number): Block[] {
  return blocks.flatMap((block) =>
    Array.from({ length: Math.ceil(block.count / rows) }, (_, piece) =>
      slice(block, piece * rows, Math.min(block.count, (piece + 1) * rows)),
    ),
  );
}

/** All blocks of a replica as one pair of columns. */
export function joinBlocks(blocks: readonly Block[]): Columns {
  const count = blocks.reduce((rows, block) => rows + block.count, 0);
  const timestamps = new Float64Array(count);
  const values = new Float64Array(count);
  let row = 0;
  for (const block of blocks) {
    timestamps.set(block.timestamps(), row);
    values.set(block.values(), row);
    row += block.count;
  }
  return { timestamps, values };
}
