/** Splices one series of a pair, and notes for each sample which replica it came from. */
import { type Block, type Columns, penalty, slice, splice } from "@promsplice/core";

/** The spliced series. */
export interface Spliced extends Columns {
  /** For each row the replica that gave it. */
  readonly replicas: Uint8Array;
}

/** Splices with `penalty`; one list of float blocks a replica. Columns are copied as bits, so stale markers stay what they are. */
export function splicePair(replicas: readonly (readonly Block[])[]): Spliced {
  const rowsMax = replicas.flat().reduce((rows, block) => rows + block.count, 0);
  const timestamps = new Float64Array(rowsMax);
  const values = new Float64Array(rowsMax);
  const givenBy = new Uint8Array(rowsMax);
  let rows = 0;
  for (const { block, replica, start, end } of splice(replicas, penalty())) {
    timestamps.set(block.timestamps().subarray(start, end), rows);
    values.set(block.values().subarray(start, end), rows);
    givenBy.fill(replica, rows, rows + end - start);
    rows += end - start;
  }
  return {
    timestamps: timestamps.slice(0, rows),
    values: values.slice(0, rows),
    replicas: givenBy.slice(0, rows),
  };
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
