/**
 * Seeded series of native histograms, 15 s apart with jitter: a request's latencies in 20 buckets at schema 3, of which some fill
 * in every scrape, some now and then.
 *
 *     integers   whole counts, as servers scrape them
 *     floats     the same times 0.1, whose bits change nearly all, as of recorded rates
 */
import { type Block, histogramBlock } from "@promsplice/core";
// The package keeps its codecs to itself; they are measured as they are built.
import { type HistogramLayout, makeLayout } from "../../remote-read/dist/chunk/histogram-layout.js";
import { HINT_NO_RESET, HINT_UNKNOWN, HistogramBuilder } from "../../remote-read/dist/chunk/histogram-rows.js";
import { CHUNK_ROWS, INTERVAL_MS, JITTER_MS, START_MS } from "./chunk-fixtures.ts";
import { seededRandom } from "./fixtures.ts";

export const HISTOGRAM_KINDS = ["integers", "floats"] as const;

export type HistogramKind = (typeof HISTOGRAM_KINDS)[number];

const BUCKETS = 20;
const LAYOUT: HistogramLayout = makeLayout(
  3,
  Float64Array.of(2 ** -128),
  Int32Array.of(-10, 12, 2, 8),
  new Int32Array(0),
);
/** The most observations of a bucket in an interval: of the one in the middle. */
const OBSERVATIONS_MAX = 40;
const FLOAT_FACTOR = 0.1;

/** The histograms of so many chunks. The same arguments give the same ones. */
export function makeHistogramBlock(kind: HistogramKind, chunks: number, seed: number): Block {
  const random = seededRandom(seed);
  const rows = chunks * CHUNK_ROWS;
  const isFloat = kind === "floats";
  const builder = new HistogramBuilder(isFloat, rows, rows * BUCKETS);
  const counts = new Float64Array(BUCKETS).fill(100);
  let sum = 1_000;
  const timestamps = Float64Array.from({ length: rows }, (_, row) => {
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const usual = OBSERVATIONS_MAX * Math.exp(-((bucket - BUCKETS / 2) ** 2) / 20);
      const observed = Math.floor(random() * (usual + 1));
      counts[bucket]! += observed;
      sum += observed * 0.01 * (bucket + random());
    }
    const total = counts.reduce((so, count) => so + count, 0);
    // Prometheus begins a chunk without knowing of the one before.
    const start = builder.startRow(LAYOUT, row % CHUNK_ROWS === 0 ? HINT_UNKNOWN : HINT_NO_RESET);
    new Float64Array(builder.sums.buffer)[row] = sum;
    if (isFloat) {
      new Float64Array(builder.counts.buffer)[row] = total * FLOAT_FACTOR;
      const buckets = new Float64Array(builder.buckets.buffer);
      counts.forEach((count, bucket) => {
        buckets[start + bucket] = count * FLOAT_FACTOR;
      });
    } else {
      new BigInt64Array(builder.counts.buffer)[row] = BigInt(total);
      const buckets = new BigInt64Array(builder.buckets.buffer);
      counts.forEach((count, bucket) => {
        buckets[start + bucket] = BigInt(count - (counts[bucket - 1] ?? 0));
      });
    }
    return START_MS + row * INTERVAL_MS + Math.floor(random() * (2 * JITTER_MS + 1)) - JITTER_MS;
  });
  return histogramBlock(timestamps, builder.finish());
}
