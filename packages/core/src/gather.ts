/** Writes runs out: into one pair of columns, or into blocks. */
import { type Block, type Columns, columnsBlock } from "./block.ts";
import type { Run } from "./run.ts";
import { addToValues, slice } from "./slice.ts";
import { describeTime } from "./timestamp.ts";

/** Below this many rows a loop over the elements is faster than `TypedArray.set`, which costs some 60 ns a call. */
const LOOP_ROWS_MAX = 32;
/** Runs of floats shorter than this are gathered: a block of its own costs more than copying the rows. */
const GATHERED_RUN_ROWS_MAX = 7;
/** The most rows that are gathered into one block, as many as Prometheus puts into a chunk. */
const GATHERED_BLOCK_ROWS_MAX = 120;

/** Gathers runs, each over the one block that its replica's columns are, into fresh columns of the exact size. */
export function gatherRuns(runs: Iterable<Run>, replicas: readonly Columns[]): Columns {
  const list = new RunList();
  for (const run of runs) {
    list.push(run.replica, run.start, run.end, run.add);
  }
  if (list.count === 1 && list.adds[0] === 0) {
    // Fast path: one run, as of a whole pair. A slice is not filled with zeros before it is written.
    const [replica, start, end] = list.runs;
    const { timestamps, values } = replicas[replica!]!;
    return { timestamps: timestamps.slice(start, end), values: values.slice(start, end) };
  }
  const sources = replicas.map((columns) => new RowSource(columns.timestamps, columns.values));
  const rows = new RowSink(list.rowsTotal);
  const { runs: ends, adds, count } = list;
  for (let index = 0; index < count; index++) {
    const at = 3 * index;
    rows.append(sources[ends[at]!]!, ends[at + 1]!, ends[at + 2]!, adds[index]!);
  }
  return { timestamps: rows.timestamps, values: rows.values };
}

/** Gathers runs into blocks, as `spliceBlocks` promises. */
export function* gatherBlocks(runs: Iterable<Run>): Generator<Block, void, undefined> {
  let rows = new RowSink(GATHERED_BLOCK_ROWS_MAX);
  let isRowsDetached = false;
  let before: { readonly replica: number; readonly block: Block; readonly end: number } | undefined;
  for (const { replica, block, start, end, add } of runs) {
    const detached = before === undefined ? start > 0 || block.detached : !follows(before, replica, block, start);
    const isWhole = start === 0 && end === block.count && add === 0;
    before = { replica, block, end };
    const isGathered = !isWhole && block.kind === "float" && end - start <= GATHERED_RUN_ROWS_MAX;
    if (rows.length > 0 && (!isGathered || rows.length + end - start > GATHERED_BLOCK_ROWS_MAX)) {
      yield rows.toBlock(isRowsDetached);
      rows = new RowSink(GATHERED_BLOCK_ROWS_MAX);
    }
    if (isGathered) {
      isRowsDetached = rows.length === 0 ? detached : isRowsDetached;
      checkRows(replica, block.timestamps(), start, end);
      rows.append(new RowSource(block.timestamps(), block.values()), start, end, add);
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
  for (let row = start; row < end; row++) {
    const problem = describeTime(timestamps[row]!, row === start ? -Infinity : timestamps[row - 1]!);
    if (problem !== undefined) {
      throw new RangeError(`replica ${replica}, row ${row}: ${problem}`);
    }
  }
}

/** Whether a run begins with the row that truly follows the last row of the run before it. */
function follows(
  before: { readonly replica: number; readonly block: Block; readonly end: number },
  replica: number,
  block: Block,
  start: number,
): boolean {
  if (before.replica !== replica) {
    return false;
  }
  return before.block === block
    ? start === before.end
    : start === 0 && before.end === before.block.count && !block.detached;
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
  readonly #words: Uint32Array;
  length = 0;

  constructor(rowsMax: number) {
    this.timestamps = new Float64Array(rowsMax);
    this.values = new Float64Array(rowsMax);
    this.#words = wordsOf(this.values);
  }

  append(source: RowSource, start: number, end: number, add: number): void {
    const { length } = this;
    if (end - start < LOOP_ROWS_MAX) {
      copyRows(source.timestamps, source.words, start, end, this.timestamps, this.#words, length);
    } else {
      this.timestamps.set(source.timestamps.subarray(start, end), length);
      this.values.set(source.values.subarray(start, end), length);
    }
    this.length = length + end - start;
    if (add !== 0) {
      addToValues(this.values, length, this.length, add);
    }
  }

  toBlock(detached: boolean): Block {
    const { length } = this;
    const block = columnsBlock({ timestamps: this.timestamps.slice(0, length), values: this.values.slice(0, length) });
    return slice(block, 0, length, { detached });
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
}
