/** Writes runs out: into one pair of columns, or into blocks. */
import { type Block, type Columns, columnsBlock } from "./block.ts";
import type { Run } from "./run.ts";
import { addToValues, slice } from "./slice.ts";
import { describeTime, TIMESTAMP_MS_MAX } from "./timestamp.ts";

/** Below this many rows a loop over the elements is faster than `TypedArray.set`, which costs some 60 ns a call. */
const LOOP_ROWS_MAX = 32;
/** Runs of floats shorter than this are gathered: a block of its own costs more than copying the rows. */
const GATHERED_RUN_ROWS_MAX = 7;
/** The most rows that are gathered into one block, as many as Prometheus puts into a chunk. */
const GATHERED_BLOCK_ROWS_MAX = 120;

/** After so many runs, if they are that short in the mean, rows are copied as the runs come: the list would be longer. */
const LISTED_RUNS_MAX = 1024;

/** Gathers runs, each over the one block that its replica's columns are, into fresh columns of the exact size. */
export function gatherRuns(runs: Iterable<Run>, replicas: readonly Columns[]): Columns {
  const list = new RunList();
  const sources = replicas.map((columns) => new RowSource(columns.timestamps, columns.values));
  const iterator = runs[Symbol.iterator]();
  for (let next = iterator.next(); next.done !== true; next = iterator.next()) {
    const { replica, start, end, add } = next.value;
    list.push(replica, start, end, add);
    if (list.count === LISTED_RUNS_MAX && list.rowsTotal < LISTED_RUNS_MAX * LOOP_ROWS_MAX) {
      return gatherShortRuns(list, iterator, sources);
    }
  }
  if (list.count === 1 && list.adds[0] === 0) {
    // Fast path: one run, as of a whole pair. A slice is not filled with zeros before it is written.
    const [replica, start, end] = list.runs;
    const { timestamps, values } = replicas[replica!]!;
    return { timestamps: timestamps.slice(start, end), values: values.slice(start, end) };
  }
  const rows = new RowSink(list.rowsTotal);
  list.appendTo(rows, sources);
  return rows.toColumns();
}

/** Copies the rows of listed runs, and of those that follow as they come, which are expected to be short. */
function gatherShortRuns(list: RunList, iterator: Iterator<Run>, sources: readonly RowSource[]): Columns {
  const rows = new RowSink(sources.reduce((sum, { timestamps }) => sum + timestamps.length, 0));
  list.appendTo(rows, sources);
  const { timestamps, words } = rows;
  for (let next = iterator.next(); next.done !== true; next = iterator.next()) {
    const { replica, start, end, add } = next.value;
    const source = sources[replica]!;
    if (end - start < LOOP_ROWS_MAX && add === 0) {
      copyRows(source.timestamps, source.words, start, end, timestamps, words, rows.length);
      rows.length += end - start;
    } else {
      rows.append(source, start, end, add);
    }
  }
  return rows.toColumns();
}

/** Gathers runs into blocks, as `spliceBlocks` promises. */
export function* gatherBlocks(runs: Iterable<Run>): Generator<Block, void, undefined> {
  let rows = new RowSink(GATHERED_BLOCK_ROWS_MAX);
  let isRowsDetached = false;
  /** By replica: the block that was gathered from last, since short runs come from the same few blocks in turn. */
  const sources: (BlockSource | undefined)[] = [];
  let beforeReplica = -1;
  let beforeBlock: Block | undefined;
  let beforeEnd = 0;
  for (const { replica, block, start, end, add } of runs) {
    const detached =
      beforeBlock === undefined
        ? start > 0 || block.detached
        : beforeReplica !== replica || !follows(beforeBlock, beforeEnd, block, start);
    const isWhole = start === 0 && end === block.count && add === 0;
    beforeReplica = replica;
    beforeBlock = block;
    beforeEnd = end;
    const isGathered = !isWhole && block.kind === "float" && end - start <= GATHERED_RUN_ROWS_MAX;
    if (rows.length > 0 && (!isGathered || rows.length + end - start > GATHERED_BLOCK_ROWS_MAX)) {
      yield rows.toBlock(isRowsDetached);
      rows = new RowSink(GATHERED_BLOCK_ROWS_MAX);
    }
    if (isGathered) {
      isRowsDetached = rows.length === 0 ? detached : isRowsDetached;
      let source = sources[replica];
      if (source?.block !== block) {
        sources[replica] = source = { block, rows: new RowSource(block.timestamps(), block.values()) };
      }
      checkRows(replica, source.rows.timestamps, start, end);
      rows.append(source.rows, start, end, add);
    } else {
      // What is passed on as floats has no hint that could be wrong, so a whole block of them stays the object that it is.
      yield slice(block, start, end, { add, detached: isWhole && block.kind === "float" ? block.detached : detached });
    }
  }
  if (rows.length > 0) {
    yield rows.toBlock(isRowsDetached);
  }
}

/** Checks the few rows that are gathered: those after the end of all other replicas have not been looked at yet. */
function checkRows(replica: number, timestamps: Float64Array, start: number, end: number): void {
  let beforeMs = -Infinity;
  for (let row = start; row < end; row++) {
    const timeMs = timestamps[row]!;
    if (!(timeMs > beforeMs && timeMs <= TIMESTAMP_MS_MAX && Math.floor(timeMs) === timeMs)) {
      throw new RangeError(`replica ${replica}, row ${row}: ${describeTime(timeMs, beforeMs)}`);
    }
    beforeMs = timeMs;
  }
}

/** Whether a run begins with the row that truly follows the last row of the run before it, which is of the same replica. */
function follows(beforeBlock: Block, beforeEnd: number, block: Block, start: number): boolean {
  return beforeBlock === block
    ? start === beforeEnd
    : start === 0 && beforeEnd === beforeBlock.count && !block.detached;
}

interface BlockSource {
  readonly block: Block;
  readonly rows: RowSource;
}

/** Columns to copy rows from, with the values as the 32-bit words that they are moved in. */
class RowSource {
  readonly timestamps: Float64Array;
  readonly values: Float64Array;
  readonly words: Uint32Array;

  constructor(timestamps: Float64Array, values: Float64Array) {
    this.timestamps = timestamps;
    this.values = values;
    this.words = wordsOf(values);
  }
}

/** Fresh columns that rows are appended to. */
class RowSink {
  readonly timestamps: Float64Array;
  readonly values: Float64Array;
  readonly words: Uint32Array;
  length = 0;

  constructor(rowsMax: number) {
    this.timestamps = new Float64Array(rowsMax);
    this.values = new Float64Array(rowsMax);
    this.words = wordsOf(this.values);
  }

  append(source: RowSource, start: number, end: number, add: number): void {
    const { length } = this;
    if (end - start < LOOP_ROWS_MAX) {
      copyRows(source.timestamps, source.words, start, end, this.timestamps, this.words, length);
    } else {
      this.timestamps.set(source.timestamps.subarray(start, end), length);
      this.values.set(source.values.subarray(start, end), length);
    }
    this.length = length + end - start;
    if (add !== 0) {
      addToValues(this.values, length, this.length, add);
    }
  }

  /** The rows as columns of the exact size. */
  toColumns(): Columns {
    const { timestamps, values, length } = this;
    return length === timestamps.length
      ? { timestamps, values }
      : { timestamps: timestamps.slice(0, length), values: values.slice(0, length) };
  }

  toBlock(detached: boolean): Block {
    return slice(columnsBlock(this.toColumns()), 0, this.length, { detached });
  }
}

function copyRows(
  timestamps: Float64Array,
  words: Uint32Array,
  start: number,
  end: number,
  toTimestamps: Float64Array,
  toWords: Uint32Array,
  to: number,
): void {
  let word = 2 * to;
  for (let row = start; row < end; row++) {
    toTimestamps[to++] = timestamps[row]!;
    toWords[word++] = words[2 * row]!;
    toWords[word++] = words[2 * row + 1]!;
  }
}

function wordsOf(values: Float64Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, 2 * values.length);
}

/** Runs as flat numbers, for as long as their total length is not known. */
class RunList {
  /** Replica, start and end of each run. */
  runs = new Int32Array(3 * 64);
  adds = new Float64Array(64);
  count = 0;
  rowsTotal = 0;

  push(replica: number, start: number, end: number, add: number): void {
    const at = 3 * this.count;
    if (at === this.runs.length) {
      const { runs, adds } = this;
      this.runs = new Int32Array(2 * runs.length);
      this.runs.set(runs);
      this.adds = new Float64Array(2 * adds.length);
      this.adds.set(adds);
    }
    this.runs[at] = replica;
    this.runs[at + 1] = start;
    this.runs[at + 2] = end;
    this.adds[this.count] = add;
    this.count++;
    this.rowsTotal += end - start;
  }

  /** Copies the rows of all runs. */
  appendTo(rows: RowSink, sources: readonly RowSource[]): void {
    const { runs, adds, count } = this;
    for (let index = 0; index < count; index++) {
      const at = 3 * index;
      rows.append(sources[runs[at]!]!, runs[at + 1]!, runs[at + 2]!, adds[index]!);
    }
  }
}
