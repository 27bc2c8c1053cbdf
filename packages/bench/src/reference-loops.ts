/**
 * What `penalty` is measured against: the rule of Thanos' pkg/dedup/iter.go taken step by step, one output sample a turn,
 * over the typed arrays themselves, without objects, iterators or allocation. Three honest ways to write it for two
 * replicas, since which one the engine likes best differs with the data and the machine; the best of the three is the bar.
 *
 * Each writes into columns that the caller provides, with room for the rows of both replicas, and returns the number of
 * rows written. Like the fast code they are compared with, they assume whole, increasing timestamps.
 */
import type { Columns } from "@promsplice/core";

export type ReferenceLoop = (a: Columns, b: Columns, output: Columns) => number;

/** The rule as it is written down: move both, look which one has ended, take the earlier one. */
function mergeAsWritten(a: Columns, b: Columns, output: Columns): number {
  const { timestamps: aTimes, values: aValues } = a;
  const { timestamps: bTimes, values: bValues } = b;
  const { timestamps: outTimes, values: outValues } = output;
  const aEnd = aTimes.length;
  const bEnd = bTimes.length;
  let aRow = 0;
  let bRow = 0;
  let aPenaltyMs = 0;
  let bPenaltyMs = 0;
  let lastMs = -Infinity;
  let count = 0;
  for (;;) {
    const aFromMs = lastMs + 1 + aPenaltyMs;
    while (aRow < aEnd && aTimes[aRow]! < aFromMs) {
      aRow++;
    }
    const bFromMs = lastMs + 1 + bPenaltyMs;
    while (bRow < bEnd && bTimes[bRow]! < bFromMs) {
      bRow++;
    }
    if (aRow === aEnd && bRow === bEnd) {
      return count;
    }
    let isA: boolean;
    if (aRow === aEnd) {
      isA = false;
      bPenaltyMs = 0;
    } else if (bRow === bEnd) {
      isA = true;
      aPenaltyMs = 0;
    } else {
      isA = aTimes[aRow]! <= bTimes[bRow]!;
      const timeMs = isA ? aTimes[aRow]! : bTimes[bRow]!;
      const penaltyMs = lastMs === -Infinity ? 5000 : 2 * (timeMs - lastMs);
      aPenaltyMs = isA ? 0 : penaltyMs;
      bPenaltyMs = isA ? penaltyMs : 0;
    }
    lastMs = isA ? aTimes[aRow]! : bTimes[bRow]!;
    outTimes[count] = lastMs;
    outValues[count++] = isA ? aValues[aRow]! : bValues[bRow]!;
  }
}

/** Each side's time is kept in a variable, infinite once the side has ended, so that the end needs no questions. */
export function mergeWithTimesKept(a: Columns, b: Columns, output: Columns): number {
  const { timestamps: aTimes, values: aValues } = a;
  const { timestamps: bTimes, values: bValues } = b;
  const { timestamps: outTimes, values: outValues } = output;
  const aEnd = aTimes.length;
  const bEnd = bTimes.length;
  let aRow = 0;
  let bRow = 0;
  let aMs = aEnd > 0 ? aTimes[0]! : Infinity;
  let bMs = bEnd > 0 ? bTimes[0]! : Infinity;
  let lastMs = -Infinity;
  let count = 0;
  while (aMs !== Infinity || bMs !== Infinity) {
    if (aMs <= bMs) {
      const bFromMs = lastMs === -Infinity ? aMs + 5001 : aMs + 1 + 2 * (aMs - lastMs);
      lastMs = aMs;
      outTimes[count] = aMs;
      outValues[count++] = aValues[aRow++]!;
      aMs = aRow < aEnd ? aTimes[aRow]! : Infinity;
      while (bMs < bFromMs) {
        bMs = ++bRow < bEnd ? bTimes[bRow]! : Infinity;
      }
    } else {
      const aFromMs = lastMs === -Infinity ? bMs + 5001 : bMs + 1 + 2 * (bMs - lastMs);
      lastMs = bMs;
      outTimes[count] = bMs;
      outValues[count++] = bValues[bRow++]!;
      bMs = bRow < bEnd ? bTimes[bRow]! : Infinity;
      while (aMs < aFromMs) {
        aMs = ++aRow < aEnd ? aTimes[aRow]! : Infinity;
      }
    }
  }
  return count;
}

/** The current side and the idle one are variables that change places, so that the loop has one body. */
function mergeWithSidesSwapped(a: Columns, b: Columns, output: Columns): number {
  const { timestamps: outTimes, values: outValues } = output;
  let { timestamps: times, values } = a;
  let { timestamps: idleTimes, values: idleValues } = b;
  let row = 0;
  let idleRow = 0;
  let idleMs = idleTimes.length > 0 ? idleTimes[0]! : Infinity;
  /** 1 where the idle side is a, which wins a tie. Times are whole, so `<` with 1 added is `≤`. */
  let tieMs = 0;
  let lastMs = -Infinity;
  let count = 0;
  for (;;) {
    let timeMs = row < times.length ? times[row]! : Infinity;
    if (idleMs < timeMs + tieMs) {
      const idleWas = idleTimes;
      const idleValuesWas = idleValues;
      const idleRowWas = idleRow;
      const idleMsWas = idleMs;
      idleTimes = times;
      idleValues = values;
      idleRow = row;
      idleMs = timeMs;
      times = idleWas;
      values = idleValuesWas;
      row = idleRowWas;
      timeMs = idleMsWas;
      tieMs = 1 - tieMs;
    } else if (timeMs === Infinity) {
      return count;
    }
    const idleFromMs = lastMs === -Infinity ? timeMs + 5001 : timeMs + 1 + 2 * (timeMs - lastMs);
    while (idleMs < idleFromMs) {
      idleMs = ++idleRow < idleTimes.length ? idleTimes[idleRow]! : Infinity;
    }
    lastMs = timeMs;
    outTimes[count] = timeMs;
    outValues[count++] = values[row++]!;
  }
}

export const REFERENCE_LOOPS: readonly ReferenceLoop[] = [mergeAsWritten, mergeWithTimesKept, mergeWithSidesSwapped];

/** Counter mode for two replicas, step by step: at a switch a side that lies below the last value shown is raised to it. */
export function mergeCounters(a: Columns, b: Columns, output: Columns): number {
  const { timestamps: aTimes, values: aValues } = a;
  const { timestamps: bTimes, values: bValues } = b;
  const { timestamps: outTimes, values: outValues } = output;
  const aEnd = aTimes.length;
  const bEnd = bTimes.length;
  let aRow = 0;
  let bRow = 0;
  let aMs = aEnd > 0 ? aTimes[0]! : Infinity;
  let bMs = bEnd > 0 ? bTimes[0]! : Infinity;
  let aAdd = 0;
  let bAdd = 0;
  let isA = true;
  let lastMs = -Infinity;
  let lastValue = aEnd > 0 ? aValues[0]! : Number.NaN;
  let count = 0;
  while (aMs !== Infinity || bMs !== Infinity) {
    if (isA !== aMs <= bMs) {
      isA = !isA;
      if (aRow < aEnd && aValues[aRow]! + aAdd < lastValue) {
        aAdd += lastValue - (aValues[aRow]! + aAdd);
      }
      if (bRow < bEnd && bValues[bRow]! + bAdd < lastValue) {
        bAdd += lastValue - (bValues[bRow]! + bAdd);
      }
    }
    const timeMs = isA ? aMs : bMs;
    lastValue = isA ? aValues[aRow++]! + aAdd : bValues[bRow++]! + bAdd;
    const idleFromMs = lastMs === -Infinity ? timeMs + 5001 : timeMs + 1 + 2 * (timeMs - lastMs);
    const aFromMs = isA ? timeMs + 1 : idleFromMs;
    const bFromMs = isA ? idleFromMs : timeMs + 1;
    aMs = aRow < aEnd ? aTimes[aRow]! : Infinity;
    while (aMs < aFromMs) {
      aMs = ++aRow < aEnd ? aTimes[aRow]! : Infinity;
    }
    bMs = bRow < bEnd ? bTimes[bRow]! : Infinity;
    while (bMs < bFromMs) {
      bMs = ++bRow < bEnd ? bTimes[bRow]! : Infinity;
    }
    lastMs = timeMs;
    outTimes[count] = timeMs;
    outValues[count++] = lastValue;
  }
  return count;
}

/** Any number of replicas by a loop for two, as the fold from the left that `penalty` is. */
export function mergeByFold(loop: ReferenceLoop, replicas: readonly Columns[]): Columns {
  return replicas.reduce((merged, replica) => {
    const rows = merged.timestamps.length + replica.timestamps.length;
    const output = { timestamps: new Float64Array(rows), values: new Float64Array(rows) };
    const count = loop(merged, replica, output);
    return { timestamps: output.timestamps.subarray(0, count), values: output.values.subarray(0, count) };
  });
}
