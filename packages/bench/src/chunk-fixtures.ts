/**
 * Seeded series as chunks: 120 samples each, 15 s apart, on the dot or up to 10 ms early or late.
 *
 *     constant  one value for ever: a bit a sample
 *     counter   a whole number that grows by 0 to 99 each time
 *     gauge     a random walk, in which nearly all bits of the fraction change each time
 */
import { type Columns, columnsBlock } from "@promsplice/core";
// The package keeps its codecs to itself; they are measured as they are built.
import { encodeBlock, type EncodedChunk } from "../../remote-read/dist/chunk/chunk-block.js";
import { seededRandom } from "./fixtures.ts";

export const CHUNK_KINDS = ["constant", "counter", "gauge"] as const;

type ChunkKind = (typeof CHUNK_KINDS)[number];

/** What a series of chunks looks like. */
export interface ChunkShape {
  readonly kind: ChunkKind;
  readonly hasJitter: boolean;
}

export const CHUNK_SHAPES: readonly ChunkShape[] = [true, false].flatMap((hasJitter) =>
  CHUNK_KINDS.map((kind) => ({ kind, hasJitter })),
);

/** As many samples as Prometheus puts into a chunk. */
export const CHUNK_ROWS = 120;
export const START_MS = 1_700_000_000_000;
export const INTERVAL_MS = 15_000;
export const JITTER_MS = 10;

/** Decoders may read this far behind a chunk: frames are allocated with as much more. */
const SLACK_BYTES = 16;

export function nameShape({ kind, hasJitter }: ChunkShape): string {
  return `${kind}, ${hasJitter ? "jitter" : "no jitter"}`;
}

/** The samples of so many chunks, the first at about `firstMs`. The same arguments give the same samples. */
export function makeChunkColumns(
  { kind, hasJitter }: ChunkShape,
  chunks: number,
  seed: number,
  firstMs: number = START_MS,
): Columns {
  const random = seededRandom(seed);
  const rows = chunks * CHUNK_ROWS;
  const timestamps = new Float64Array(rows);
  const values = new Float64Array(rows);
  let value = kind === "counter" ? 100_000 : 50;
  for (let row = 0; row < rows; row++) {
    const jitterMs = hasJitter ? Math.floor(random() * (2 * JITTER_MS + 1)) - JITTER_MS : 0;
    timestamps[row] = firstMs + row * INTERVAL_MS + jitterMs;
    if (kind === "counter") {
      value += Math.floor(random() * 100);
    } else if (kind === "gauge") {
      value += random() - 0.5;
    }
    values[row] = value;
  }
  return { timestamps, values };
}

/** Columns as chunks whose data stand one behind the other in one buffer, with room behind them, as those of a frame do. */
export function encodeChunks(columns: Columns): EncodedChunk[] {
  const chunks = encodeBlock(columnsBlock(columns));
  const buffer = new ArrayBuffer(chunks.reduce((bytes, { data }) => bytes + data.length, SLACK_BYTES));
  let start = 0;
  return chunks.map((chunk) => {
    const data = new Uint8Array(buffer, start, chunk.data.length);
    data.set(chunk.data);
    start += data.length;
    return { ...chunk, data };
  });
}
