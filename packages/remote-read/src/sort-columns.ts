/** Samples that arrive in any order, made what a block must be: strictly increasing in time. */
import type { Columns } from "@promsplice/core";

import { wordsOf } from "./chunk/value-words.ts";

/** The columns with their rows in order of time, of equal times the first row alone; the same columns where they are so. */
export function sortColumns(columns: Columns): Columns {
  const { timestamps, values } = columns;
  const rows = sortedRows(timestamps);
  if (rows === undefined) {
    return columns;
  }
  const sorted = { timestamps: new Float64Array(rows.length), values: new Float64Array(rows.length) };
  const words = wordsOf(values);
  const sortedWords = wordsOf(sorted.values);
  for (const [index, row] of rows.entries()) {
    sorted.timestamps[index] = timestamps[row]!;
    sortedWords[2 * index] = words[2 * row]!;
    sortedWords[2 * index + 1] = words[2 * row + 1]!;
  }
  return sorted;
}

/** The rows in order of time, of equal times the first one alone; nothing where all are in order as they are. */
export function sortedRows(timestamps: Float64Array): Uint32Array | undefined {
  // Fast path: in order, as all servers that are known send them.
  if (isIncreasing(timestamps)) {
    return undefined;
  }
  const order = Uint32Array.from(timestamps, (_, row) => row).toSorted(
    (one, other) => timestamps[one]! - timestamps[other]!,
  );
  return order.filter((row, index) => index === 0 || timestamps[row] !== timestamps[order[index - 1]!]);
}

function isIncreasing(timestamps: Float64Array): boolean {
  for (let row = 1; row < timestamps.length; row++) {
    if (timestamps[row]! <= timestamps[row - 1]!) {
      return false;
    }
  }
  return true;
}
