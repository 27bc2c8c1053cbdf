/**
 * What a chunk decodes to, each way that there is: the whole, its times alone, its start times. What holds of any chunk,
 * whatever its bytes are, is checked on the way, by plain code that shares nothing with the decoders.
 */
import { type Block, checkColumns } from "@promsplice/core";

import { chunkBlock, chunkCount, type EncodedChunk } from "../../src/chunk/chunk-block.ts";
import { decodeHistograms } from "../../src/chunk/histogram-decode.ts";
import { type HistogramRows, histogramRowsOf } from "../../src/chunk/histogram-rows.ts";
import { decodeCarefully } from "../../src/chunk/xor-careful.ts";
import { decodeXor } from "../../src/chunk/xor-decode.ts";
import { decodeXor2 } from "../../src/chunk/xor2-decode.ts";
import { RemoteReadError } from "../../src/remote-read-error.ts";

/** A chunk that decodes, with the times of its rows; or the code of the error. */
export type Outcome =
  | { readonly code: string; readonly slowestMs: number }
  | {
      readonly code: undefined;
      readonly slowestMs: number;
      readonly chunk: EncodedChunk;
      readonly timestamps: Float64Array;
    };

const TIME_MS_MAX = 2 ** 53;

/**
 * Decodes a chunk of which nothing is known; `slowestMs` is the time that the processor
 * spent in the slowest way: other processes may take most of a clock's.
 *
 * @throws Error for anything that must not be: an error of another class, ways that disagree, columns that are not right.
 */
export function decodeAnyhow(type: number, data: Uint8Array): Outcome {
  let count = 0;
  const refused = codeOf(() => {
    count = chunkCount({ type, data });
    if (count > 0) {
      chunkBlock({ minMs: -TIME_MS_MAX, maxMs: TIME_MS_MAX, type, data });
    }
  });
  if (refused !== undefined) {
    return { code: refused, slowestMs: 0 };
  }
  if (count === 0) {
    return { code: "empty", slowestMs: 0 };
  }
  const ways = WAYS[type]!;
  let slowestMs = 0;
  const [whole, ...others] = ways.map((decode) => {
    const timestamps = new Float64Array(count);
    let words: Int32Array | undefined;
    const begin = process.cpuUsage();
    const code = codeOf(() => {
      words = decode(type, data, count, timestamps);
    });
    const { user, system } = process.cpuUsage(begin);
    slowestMs = Math.max(slowestMs, (user + system) / 1000);
    return { code, timestamps, words };
  });
  for (const [index, other] of others.entries()) {
    if (whole!.code !== other.code) {
      throw new Error(`way ${index + 1} of decoding ends with ${other.code}, way 0 with ${whole!.code}`);
    }
    if (whole!.code === undefined) {
      expectSame(`times of way ${index + 1}`, other.timestamps, whole!.timestamps);
      expectSame(`values of way ${index + 1}`, other.words ?? whole!.words!, whole!.words!);
    }
  }
  if (whole!.code !== undefined) {
    return { code: whole!.code, slowestMs };
  }
  const { timestamps } = whole!;
  for (let row = 0; row < count; row++) {
    const timeMs = timestamps[row]!;
    if (!Number.isInteger(timeMs) || Math.abs(timeMs) > TIME_MS_MAX) {
      throw new Error(`row ${row} is at ${timeMs}`);
    }
  }
  return {
    code: undefined,
    slowestMs,
    chunk: { minMs: timestamps[0]!, maxMs: timestamps[count - 1]!, type, data },
    timestamps,
  };
}

/**
 * Makes a block of a chunk that decodes, and checks its columns.
 *
 * @throws Error if anything is not right. Returns undefined where the chunk is no block, its last row being before its first.
 */
export function checkedBlock({ chunk, timestamps }: Outcome & { readonly code: undefined }): Block | undefined {
  const { minMs, maxMs, type } = chunk;
  if (maxMs < minMs) {
    if (codeOf(() => chunkBlock(chunk)) !== "chunk-malformed") {
      throw new Error("a chunk whose last row is before its first is a block");
    }
    return undefined;
  }
  const timesFirst = chunkBlock(chunk);
  const block = chunkBlock(chunk);
  expectSame("times asked for alone", timesFirst.timestamps(), timestamps);
  if (block.kind === "float") {
    const values = block.values();
    expectSame("values", wordsOf(timesFirst.values()), wordsOf(values));
    if (values.length !== block.count) {
      throw new Error(`there are ${values.length} values of ${block.count} rows`);
    }
    checkOrder(block);
  } else {
    const rows = histogramRowsOf(block.histograms());
    checkHistograms(rows, block.count, type);
    checkHistograms(histogramRowsOf(timesFirst.histograms()), block.count, type);
    for (const row of [0, block.count >> 1, block.count - 1]) {
      rows.at(row);
    }
  }
  expectSame("times", block.timestamps(), timestamps);
  const starts = codeOf(() => block.startTimestamps?.());
  if (starts !== undefined && starts !== "chunk-malformed") {
    throw new Error(`start times end with ${starts}`);
  }
  return block;
}

/** Whether the times of a column increase from row to row. */
export function isIncreasing(timestamps: Float64Array): boolean {
  return timestamps.every((timeMs, row) => row === 0 || timeMs > timestamps[row - 1]!);
}

/** The code of the RemoteReadError that something throws, if it does; any other error is thrown on. */
function codeOf(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof RemoteReadError) {
      return error.code;
    }
    throw error;
  }
}

/** One way of decoding a chunk; gives the words of its values or of its buckets where it decodes them. */
type Decode = (type: number, data: Uint8Array, count: number, timestamps: Float64Array) => Int32Array | undefined;

const XOR_WAYS: readonly Decode[] = [
  (_type, data, count, timestamps) => {
    const values = new Float64Array(count);
    decodeXor(data, timestamps, values);
    return wordsOf(values);
  },
  (_type, data, _count, timestamps) => {
    decodeXor(data, timestamps);
    return undefined;
  },
  (_type, data, count, timestamps) => {
    const words = new Int32Array(2 * count);
    decodeCarefully(data, count, timestamps, words);
    return words;
  },
  (_type, data, count, timestamps) => {
    decodeCarefully(data, count, timestamps, undefined);
    return undefined;
  },
];

const XOR2_WAYS: readonly Decode[] = [
  (_type, data, count, timestamps) => {
    const values = new Float64Array(count);
    decodeXor2(data, count, timestamps, { values });
    return wordsOf(values);
  },
  (_type, data, count, timestamps) => {
    decodeXor2(data, count, timestamps);
    return undefined;
  },
];

const HISTOGRAM_WAYS: readonly Decode[] = [
  (type, data, count, timestamps) => decodeHistograms(data, type, count, timestamps, { histograms: true })!.buckets,
  (type, data, count, timestamps) => {
    decodeHistograms(data, type, count, timestamps, { histograms: false });
    return undefined;
  },
];

const WAYS: readonly (readonly Decode[] | undefined)[] = [
  undefined,
  XOR_WAYS,
  HISTOGRAM_WAYS,
  HISTOGRAM_WAYS,
  XOR2_WAYS,
  HISTOGRAM_WAYS,
  HISTOGRAM_WAYS,
];

/** Rows between the first and the last are checked by whoever reads them: `checkColumns` must find those out of order. */
function checkOrder(block: Block): void {
  const columns = { timestamps: block.timestamps(), values: block.values() };
  let isRefused = false;
  try {
    checkColumns(columns);
  } catch (error) {
    if (!(error instanceof RangeError)) {
      throw error;
    }
    isRefused = true;
  }
  if (isRefused === isIncreasing(columns.timestamps)) {
    throw new Error(`checkColumns ${isRefused ? "refuses" : "accepts"} the columns`);
  }
}

function checkHistograms(rows: HistogramRows, count: number, type: number): void {
  const { length, isFloat, layouts, layoutOf, hints, counts, zeroCounts, sums, bucketStarts, buckets } = rows;
  const lengths = [length, layoutOf.length, hints.length, counts.length / 2, zeroCounts.length / 2, sums.length / 2];
  if (lengths.some((rowsOfColumn) => rowsOfColumn !== count) || bucketStarts.length !== count + 1) {
    throw new Error(`columns are of ${lengths.join(", ")} rows, expected ${count}`);
  }
  if (isFloat !== (type === 3 || type === 6)) {
    throw new Error(`type ${type} came out as ${isFloat ? "floats" : "integers"}`);
  }
  for (const { bounds, schema, positiveSpans, negativeSpans, positiveBuckets, negativeBuckets } of layouts) {
    if (bounds.length < 1 || (schema !== -53 && bounds.length !== 1)) {
      throw new Error(`a layout of schema ${schema} has ${bounds.length - 1} bounds`);
    }
    if (bucketsOf(positiveSpans) !== positiveBuckets || bucketsOf(negativeSpans) !== negativeBuckets) {
      throw new Error("a layout's spans are not of as many buckets as it has");
    }
  }
  for (let row = 0; row < count; row++) {
    const layout = layouts[layoutOf[row]!];
    if (layout === undefined || hints[row]! > 3) {
      throw new Error(`row ${row} has the layout ${layoutOf[row]} of ${layouts.length}, the hint ${hints[row]}`);
    }
    const { positiveBuckets, negativeBuckets } = layout;
    if (rows.isStale(row) && positiveBuckets + negativeBuckets > 0) {
      throw new Error(`row ${row} is a stale marker with buckets`);
    }
    if (bucketStarts[row + 1]! - bucketStarts[row]! !== positiveBuckets + negativeBuckets) {
      throw new Error(`row ${row} has the buckets ${bucketStarts[row]} to ${bucketStarts[row + 1]}`);
    }
  }
  if (bucketStarts[0] !== 0 || 2 * bucketStarts[count]! !== buckets.length) {
    throw new Error(`rows have ${bucketStarts[count]} buckets, there are ${buckets.length / 2}`);
  }
}

/** The sum of the lengths of spans, which must not overlap. */
function bucketsOf(spans: Int32Array): number {
  let buckets = 0;
  for (let at = 0; at < spans.length; at += 2) {
    if ((at > 0 && spans[at]! < 0) || spans[at + 1]! < 0) {
      throw new Error(`span ${at / 2} begins at ${spans[at]} and is of ${spans[at + 1]} buckets`);
    }
    buckets += spans[at + 1]!;
  }
  return buckets;
}

function wordsOf(values: Float64Array): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
}

/** Compares bytes, so that every bit counts; the message is made where they differ. */
function expectSame(what: string, got: Float64Array | Int32Array, expected: Float64Array | Int32Array): void {
  const isSame =
    got.byteLength === expected.byteLength &&
    Buffer.compare(
      Buffer.from(got.buffer, got.byteOffset, got.byteLength),
      Buffer.from(expected.buffer, expected.byteOffset, expected.byteLength),
    ) === 0;
  if (!isSame) {
    const at = got.findIndex((number, index) => !Object.is(number, expected[index]));
    throw new Error(`${what}: ${got[at]} at ${at}, expected ${expected[at]}`);
  }
}
