/**
 * The samples of a series in a SAMPLES answer as blocks. There they are lists, each in order of time by itself; a block is of
 * floats, of histograms of integers or of histograms of floats:
 *
 *     floats        1  2        4  5            blocks   floats 1–2 · histograms 3 · floats 4–5
 *     histograms          3  4                  at 4 the float wins, as in Prometheus
 */
import { type Block, type Columns, columnsBlock, histogramBlock, slice } from "@promsplice/core";

import { type HistogramRows, pickRows } from "./chunk/histogram-rows.ts";
import type { ReceivedHistograms } from "./histogram-message.ts";
import { sortColumns, sortedRows } from "./sort-columns.ts";

/** A list of samples of one kind, strictly increasing in time. */
interface SampleList {
  readonly timestamps: Float64Array;
  block(start: number, end: number): Block;
}

/**
 * Blocks over the lists of one series, in order of time and not overlapping. What is out of order is sorted; of equal times the
 * first of a list is kept, and a float before a histogram, one of integers before one of floats.
 */
export function mixBlocks(
  floats: Columns,
  histograms: { readonly integers: ReceivedHistograms; readonly floats: ReceivedHistograms },
): Block[] {
  const lists = [floatList(floats), histogramList(histograms.integers), histogramList(histograms.floats)].filter(
    ({ timestamps }) => timestamps.length > 0,
  );
  // Fast path: samples of one kind, as nearly all series have.
  return lists.length > 1 ? interleave(lists) : lists.map((list) => list.block(0, list.timestamps.length));
}

function floatList(columns: Columns): SampleList {
  const { timestamps, values } = sortColumns(columns);
  return {
    timestamps,
    block: (start, end) =>
      columnsBlock({ timestamps: timestamps.subarray(start, end), values: values.subarray(start, end) }),
  };
}

function histogramList(received: ReceivedHistograms): SampleList {
  const { timestamps, rows } = sortHistograms(received);
  return {
    timestamps,
    block: (start, end) => histogramBlock(timestamps.subarray(start, end), rows.slice(start, end)),
  };
}

function sortHistograms(received: ReceivedHistograms): { timestamps: Float64Array; rows: HistogramRows } {
  const order = sortedRows(received.timestamps);
  if (order === undefined) {
    return received;
  }
  return {
    timestamps: Float64Array.from(order, (row) => received.timestamps[row]!),
    rows: pickRows(received.rows, order),
  };
}

/** Rows of a list that follow one another in the series. */
interface Piece {
  readonly list: number;
  readonly start: number;
  end: number;
  readonly detached: boolean;
}

function interleave(lists: readonly SampleList[]): Block[] {
  const rows = lists.map(() => 0);
  const ends = lists.map(() => 0);
  const pieces: Piece[] = [];
  for (;;) {
    const heads = lists.map(({ timestamps }, list) => timestamps[rows[list]!] ?? Infinity);
    const timeMs = Math.min(...heads);
    if (timeMs === Infinity) {
      break;
    }
    const list = heads.indexOf(timeMs);
    const row = rows[list]!;
    const open = pieces.at(-1);
    if (open?.list === list && open.end === row) {
      open.end++;
    } else {
      // After a row that another list's wins over, the predecessor is not the one that the row was sent with.
      pieces.push({ list, start: row, end: row + 1, detached: row > ends[list]! });
    }
    ends[list] = row + 1;
    for (const [other, head] of heads.entries()) {
      if (head === timeMs) {
        rows[other]!++;
      }
    }
  }
  return pieces.map(({ list, start, end, detached }) =>
    slice(lists[list]!.block(start, end), 0, end - start, { detached }),
  );
}
