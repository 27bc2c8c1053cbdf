/** Samples as rows of bits, made into blocks in any way, and what a splice shows read back as the same rows. */
import { type Block, type Columns, columnsBlock, histogramBlock } from "../src/block.ts";
import type { Run } from "../src/run.ts";
import type { Row } from "./twins/penalty.ts";

export const STALE: readonly [number, number] = [0x7ff00000, 2];

/** A float as a row; a bit pattern is given as its high and low word. */
export function floatRow(t: number, value: number | readonly [number, number]): Row {
  if (typeof value !== "number") {
    return { t, high: value[0], low: value[1], histogram: undefined };
  }
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  return { t, high: bits.getUint32(0), low: bits.getUint32(4), histogram: undefined };
}

export function histogramRow(t: number, id: number): Row {
  return { t, high: 0, low: 0, histogram: id };
}

/** One block over rows of one kind. */
export function blockOf(rows: readonly Row[]): Block {
  if (rows[0]!.histogram === undefined) {
    return columnsBlock(columnsOf(rows));
  }
  return histogramBlock(
    Float64Array.from(rows, ({ t }) => t),
    rows.map(({ histogram }) => histogram!),
  );
}

/** Rows of floats as a pair of columns. */
export function columnsOf(rows: readonly Row[]): Columns {
  const values = new Float64Array(rows.length);
  const words = new Uint32Array(values.buffer);
  rows.forEach(({ high, low }, row) => {
    words[2 * row] = low;
    words[2 * row + 1] = high;
  });
  return { timestamps: Float64Array.from(rows, ({ t }) => t), values };
}

/** Cuts rows into blocks, where the kind changes and after each `length()` rows. */
export function cut(rows: readonly Row[], length: () => number): Block[] {
  const blocks: Block[] = [];
  let start = 0;
  while (start < rows.length) {
    const rowsMax = length();
    let end = start + 1;
    while (
      end < rows.length &&
      end - start < rowsMax &&
      (rows[end]!.histogram === undefined) === (rows[start]!.histogram === undefined)
    ) {
      end++;
    }
    blocks.push(blockOf(rows.slice(start, end)));
    start = end;
  }
  return blocks;
}

/** The bits of a float, or the number of a histogram, as text. With `loose` all NaNs are equal, and −0 is 0. */
export function formatRow({ high, low, histogram }: Row, loose: boolean): string {
  if (histogram !== undefined) {
    return `h${histogram}`;
  }
  if (loose && (high & 0x7ff00000) === 0x7ff00000 && ((high & 0xfffff) !== 0 || low !== 0)) {
    return "NaN";
  }
  const isZero = loose && high >>> 0 === 0x80000000 && low === 0;
  return `${(isZero ? 0 : high >>> 0).toString(16)}:${(low >>> 0).toString(16)}`;
}

/** A row with a number added, as a run says it. */
export function addTo(row: Row, add: number): Row {
  if (add === 0 || row.histogram !== undefined) {
    return row;
  }
  const bits = new DataView(new ArrayBuffer(8));
  bits.setUint32(0, row.high);
  bits.setUint32(4, row.low);
  const value = bits.getFloat64(0);
  return Number.isNaN(value) ? row : floatRow(row.t, value + add);
}

/** The rows of a block, read through its columns. */
export function rowsOf(block: Block): Row[] {
  if (block.kind === "histogram") {
    const ids = block.histograms() as readonly number[];
    return Array.from(block.timestamps(), (t, row) => histogramRow(t, ids[row]!));
  }
  return rowsOfColumns({ timestamps: block.timestamps(), values: block.values() });
}

export function rowsOfColumns({ timestamps, values }: Columns): Row[] {
  const words = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length);
  return Array.from(timestamps, (t, row) => ({
    t,
    high: words[2 * row + 1]!,
    low: words[2 * row]!,
    histogram: undefined,
  }));
}

/** One line a sample of some runs: time, replica, bits of the value as it comes out. */
export function formatRuns(runs: Iterable<Run>, loose: boolean): string[] {
  const lines: string[] = [];
  for (const run of runs) {
    lines.push(...formatRun(run, loose));
  }
  return lines;
}

export function formatRun({ replica, block, start, end, add }: Run, loose: boolean): string[] {
  return rowsOf(block)
    .slice(start, end)
    .map((row) => `${row.t} r${replica} ${formatRow(addTo(row, add), loose)}`);
}
