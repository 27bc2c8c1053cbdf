/** What a strategy makes of replicas, row by row, so that it can be measured. */
import { type Block, type Columns, columnsBlock, splice, type SpliceOptions, type Strategy } from "@promsplice/core";
import type { Scraped } from "./scrapes.ts";

/** Columns of equal length, in time order, stale markers included. */
export interface Outcome {
  readonly timestamps: Float64Array;
  /** As shown: with what `penalty({ counter: true })` adds. Meaningless on a stale marker. */
  readonly values: Float64Array;
  readonly replicas: Uint8Array;
  readonly isStale: Uint8Array;
}

/** The replicas as blocks, one each; none for one without a row. */
export function blocksOf(replicas: readonly Scraped[]): Block[][] {
  return replicas.map(({ columns }) => (columns.timestamps.length === 0 ? [] : [columnsBlock(columns)]));
}

/** `blocks` are those of `replicas`. */
export function spliceOutcome(
  replicas: readonly Scraped[],
  blocks: readonly Block[][],
  strategy: Strategy,
  options: SpliceOptions = {},
): Outcome {
  const { startMs = -Infinity, endMs = Infinity } = options;
  const capacity = replicas.reduce((sum, { columns: { timestamps } }) => {
    return sum + lowerBound(timestamps, endMs + 1) - lowerBound(timestamps, startMs);
  }, 0);
  const outcome = allocate(capacity);
  let rows = 0;
  for (const { replica, block, start, end, add } of splice(blocks, strategy, options)) {
    const { columns, isStale } = replicas[replica]!;
    // A block here is a whole replica, so its rows are the replica's.
    if (block.count !== columns.timestamps.length) {
      throw new Error(`replica ${replica}: the run is of a block of ${block.count} rows, not the one that was given`);
    }
    rows = copyRows(columns, isStale, replica, start, end, add, outcome, rows);
  }
  return cutTo(outcome, rows);
}

/** Without the stale markers. */
export function liveRows({ timestamps, values, replicas, isStale }: Outcome): Outcome {
  const live = allocate(timestamps.length);
  let rows = 0;
  for (let row = 0; row < timestamps.length; row++) {
    if (isStale[row] === 0) {
      live.timestamps[rows] = timestamps[row]!;
      live.values[rows] = values[row]!;
      live.replicas[rows] = replicas[row]!;
      rows++;
    }
  }
  return cutTo(live, rows);
}

/** The first row of ascending timestamps that is not before then. */
export function lowerBound(timestamps: Float64Array, timeMs: number): number {
  let low = 0;
  let high = timestamps.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (timestamps[middle]! < timeMs) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

function allocate(capacity: number): Outcome {
  return {
    timestamps: new Float64Array(capacity),
    values: new Float64Array(capacity),
    replicas: new Uint8Array(capacity),
    isStale: new Uint8Array(capacity),
  };
}

/** Appends rows [start, end) of a replica to an outcome that has `rows`; returns how many it has then. */
function copyRows(
  { timestamps, values }: Columns,
  isStale: Uint8Array,
  replica: number,
  start: number,
  end: number,
  add: number,
  outcome: Outcome,
  rows: number,
): number {
  for (let row = start; row < end; row++, rows++) {
    outcome.timestamps[rows] = timestamps[row]!;
    outcome.values[rows] = values[row]! + add;
    outcome.replicas[rows] = replica;
    outcome.isStale[rows] = isStale[row]!;
  }
  return rows;
}

function cutTo({ timestamps, values, replicas, isStale }: Outcome, rows: number): Outcome {
  return {
    timestamps: timestamps.subarray(0, rows),
    values: values.subarray(0, rows),
    replicas: replicas.subarray(0, rows),
    isStale: isStale.subarray(0, rows),
  };
}
