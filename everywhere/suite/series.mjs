/** Random series of native histograms as the appenders of Prometheus cut them into chunks and wrote them: the same bytes. */
import { histogramBlock } from "@promsplice/core";
import { HistogramRows, memoryReader } from "@promsplice/remote-read";

import { equal, fromBits, STALE, toHex } from "./bits.mjs";
import { chunksOfFrames, collect, served } from "./exchange.mjs";

const EMPTY = { hint: 0, schema: 0, threshold: "0".repeat(16), ps: [], ns: [], count: "0", zero: "0", pb: [], nb: [] };

/** Checks a series of histogram-series.json: `float`, `rows`, and in hexadecimal `chunks`. */
export async function checkSeries({ float, rows, chunks }, number, counts) {
  const timestamps = Float64Array.from(rows, ({ t }) => Number(t));
  const stored = rows.map((row) => (row.sum === STALE ? { ...EMPTY, sum: STALE } : row));
  const block = histogramBlock(timestamps, columnOf(float, stored));
  let encoded = [];
  const reader = memoryReader([{ labels: ["__name__", "h"], blocks: [block] }]);
  await collect(served(reader, "STREAMED_XOR_CHUNKS", (body) => (encoded = chunksOfFrames(body))));
  equal(
    encoded.map(({ data }) => withoutFlags(toHex(data))),
    chunks.map(withoutFlags),
    `series ${number} of histograms, encoded`,
  );
  counts.seriesBytes += encoded.reduce((sum, { data }) => sum + data.length, 0);
}

/** The header's flags are about the chunk before, and sometimes a guess. */
function withoutFlags(hex) {
  return hex.slice(0, 4) + hex.slice(6);
}

function columnOf(isFloat, rows) {
  const words = (texts) => wordsOf(texts.map((text) => (isFloat ? `0x${text}` : text)));
  const buckets = rows.map(({ pb, nb }) => [...pb, ...nb]);
  const starts = [0];
  for (const { length } of buckets) {
    starts.push(starts.at(-1) + length);
  }
  return new HistogramRows({
    isFloat,
    layouts: rows.map((row) => layoutOf(row)),
    layoutOf: Uint32Array.from(rows, (_, row) => row),
    hints: Uint8Array.from(rows, ({ hint }) => hint),
    counts: words(rows.map(({ count }) => count)),
    zeroCounts: words(rows.map(({ zero }) => zero)),
    sums: wordsOf(rows.map(({ sum }) => `0x${sum}`)),
    bucketStarts: Uint32Array.from(starts),
    buckets: words(buckets.flat()),
  });
}

function layoutOf({ schema, threshold, bounds = [], ps, ns }) {
  return {
    schema,
    bounds: fromBits([threshold, ...bounds]),
    positiveSpans: Int32Array.from(ps.flat()),
    negativeSpans: Int32Array.from(ns.flat()),
    positiveBuckets: countBuckets(ps),
    negativeBuckets: countBuckets(ns),
  };
}

function countBuckets(spans) {
  return spans.reduce((sum, [, length]) => sum + length, 0);
}

/** Numbers of 64 bits as words, the lower one first. */
function wordsOf(texts) {
  const numbers = BigUint64Array.from(texts, (text) => BigInt.asUintN(64, BigInt(text)));
  return new Int32Array(numbers.buffer);
}
