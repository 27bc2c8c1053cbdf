/**
 * What a block is: one time-ordered piece of one replica's series, of floats or of native histograms, never both.
 *
 *     row          0        1        2        3
 *     timestamps   15000    30000    45000    60000      firstMs = 15000, lastMs = 60000, count = 4
 *     values       1        2        stale    4          (or `histograms`)
 *
 * The three numbers are known without decoding; the columns are decoded when first asked for. A pair of typed arrays is a
 * block, an encoded chunk is a block, and a slice of a block is a view that is again a block. So whatever is cut out of a
 * series can be handed on as a series.
 *
 * Rules that hold for every block, stated here once:
 * - Timestamps are whole milliseconds since the epoch, inside ±2^53, strictly increasing.
 * - Columns belong to the block and are read-only; they stay valid as long as the block is held.
 * - Values move as bits (`TypedArray.set`, `slice`, or two 32-bit words), since a stale marker that passes through a
 *   JavaScript number may come out as another NaN.
 */

import { describe } from "./splice-error.ts";
import { findStaleHistograms, findStaleRows } from "./stale-marker.ts";
import { describeTime } from "./timestamp.ts";

/** Two columns of equal length: row i is the sample `values[i]` at `timestamps[i]` (milliseconds). */
export interface Columns {
  readonly timestamps: Float64Array;
  readonly values: Float64Array;
}

/** A column of native histograms. Its rows are opaque to this package; a plain array is one. */
export interface HistogramColumn {
  readonly length: number;
  slice(start: number, end: number): HistogramColumn;
  /** Whether a row is a stale marker; without it none is. */
  isStale?(row: number): boolean;
}

export interface Block {
  readonly kind: "float" | "histogram";
  /** Time of the first row, in milliseconds. */
  readonly firstMs: number;
  /** Time of the last row, in milliseconds, inclusive. */
  readonly lastMs: number;
  /** Number of rows. */
  readonly count: number;
  /**
   * True where the first row does not follow its true predecessor (another replica's sample stands before it, or rows
   * were left out). An encoder of histograms then writes the counter-reset hint *unknown*.
   */
  readonly detached: boolean;
  /** The encoded form, where the block still is what it was received as. */
  readonly bytes?: Uint8Array | undefined;
  /** What `bytes` are, where there are any: a number that means something to who made the block, nothing to this package. */
  readonly chunkType?: number | undefined;
  /** One time a row, in milliseconds. Decoding this column alone must not decode the values. */
  timestamps(): Float64Array;
  /** One value a row. Throws a `TypeError` on a block of histograms. */
  values(): Float64Array;
  /** One histogram a row. Throws a `TypeError` on a block of floats. */
  histograms(): HistogramColumn;
  /**
   * One time a row, in milliseconds: since when the row's counter has been counting, 0 where that is not known. Nothing where
   * the block says nothing of it, as most do.
   */
  startTimestamps?(): Float64Array | undefined;
  /** The value of one row as a number, to compare or add, never to store: floats only. */
  valueAt(row: number): number;
  /**
   * The rows that hold stale markers, ascending. May decode the values, and is cheap when
   * asked again.
   */
  staleRows(): Uint32Array;
}

/**
 * A block over a pair of columns, which it borrows: do not write to them while the block is in use.
 *
 * @throws TypeError if a column is not a Float64Array; RangeError if the lengths differ, there is no row, or the first or
 * last time is not a whole number inside ±2^53 or out of order. The rows between are checked by whoever reads them.
 */
export function columnsBlock(columns: Columns): Block {
  const { timestamps, values } = columns;
  checkTimestampColumn(timestamps);
  if (!(values instanceof Float64Array)) {
    throw new TypeError(`values must be a Float64Array, got ${describe(values)}`);
  }
  if (values.length !== timestamps.length) {
    throw new RangeError(`there are ${timestamps.length} timestamps but ${values.length} values`);
  }
  return new ColumnBlock("float", timestamps, values, undefined);
}

/** A block of native histograms over columns that it borrows. Throws as {@link columnsBlock} does. */
export function histogramBlock(timestamps: Float64Array, histograms: HistogramColumn): Block {
  checkTimestampColumn(timestamps);
  if (histograms.length !== timestamps.length) {
    throw new RangeError(`there are ${timestamps.length} timestamps but ${histograms.length} histograms`);
  }
  return new ColumnBlock("histogram", timestamps, undefined, histograms);
}

/**
 * Checks every row of a pair of columns: whole numbers, strictly increasing. `dedup` checks only the rows that it reads,
 * since checking all costs as much as merging.
 *
 * @throws TypeError or RangeError that names the row.
 */
export function checkColumns(columns: Columns): void {
  if (columns.timestamps instanceof Float64Array && columns.timestamps.length === 0) {
    if (!(columns.values instanceof Float64Array) || columns.values.length !== 0) {
      throw new RangeError("there are 0 timestamps but not 0 values");
    }
    return;
  }
  const timestamps = columnsBlock(columns).timestamps();
  for (let row = 0; row < timestamps.length; row++) {
    checkRow(timestamps, row, row === 0 ? -Infinity : timestamps[row - 1]!);
  }
}

function checkTimestampColumn(timestamps: Float64Array): void {
  if (!(timestamps instanceof Float64Array)) {
    throw new TypeError(`timestamps must be a Float64Array, got ${describe(timestamps)}`);
  }
  if (timestamps.length === 0) {
    throw new RangeError("a block needs at least one row");
  }
  const lastRow = timestamps.length - 1;
  checkRow(timestamps, 0, -Infinity);
  checkRow(timestamps, lastRow, lastRow === 0 ? -Infinity : timestamps[0]!);
}

function checkRow(timestamps: Float64Array, row: number, beforeMs: number): void {
  const problem = describeTime(timestamps[row]!, beforeMs);
  if (problem !== undefined) {
    throw new RangeError(`row ${row}: ${problem}`);
  }
}

class ColumnBlock implements Block {
  readonly kind: "float" | "histogram";
  readonly firstMs: number;
  readonly lastMs: number;
  readonly count: number;
  readonly detached: boolean = false;
  readonly #timestamps: Float64Array;
  readonly #values: Float64Array | undefined;
  readonly #histograms: HistogramColumn | undefined;
  #staleRows: Uint32Array | undefined = undefined;

  constructor(
    kind: "float" | "histogram",
    timestamps: Float64Array,
    values: Float64Array | undefined,
    histograms: HistogramColumn | undefined,
  ) {
    this.kind = kind;
    this.count = timestamps.length;
    this.firstMs = timestamps[0]!;
    this.lastMs = timestamps[this.count - 1]!;
    this.#timestamps = timestamps;
    this.#values = values;
    this.#histograms = histograms;
  }

  timestamps(): Float64Array {
    return this.#timestamps;
  }

  values(): Float64Array {
    return this.#values ?? wrongKind("values", this);
  }

  histograms(): HistogramColumn {
    return this.#histograms ?? wrongKind("histograms", this);
  }

  valueAt(row: number): number {
    return this.values()[row]!;
  }

  staleRows(): Uint32Array {
    this.#staleRows ??=
      this.#values === undefined ? findStaleHistograms(this.#histograms!) : findStaleRows(this.#values);
    return this.#staleRows;
  }
}

function wrongKind(column: string, block: Block): never {
  throw new TypeError(`a block of ${block.kind}s has no ${column}`);
}
