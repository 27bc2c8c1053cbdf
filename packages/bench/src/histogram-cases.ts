/** Cases over chunks of histograms: decoding them, their timestamps alone, and cutting and encoding a series. */
import { createHash } from "node:crypto";
import type { Block } from "@promsplice/core";
// The package keeps its codecs to itself; they are measured as they are built.
import { encodeBlock } from "../../remote-read/dist/chunk/chunk-block.js";
import { decodeHistograms } from "../../remote-read/dist/chunk/histogram-decode.js";
import { type HistogramRows, histogramRowsOf } from "../../remote-read/dist/chunk/histogram-rows.js";
import type { ChunkCases } from "./chunk-cases.ts";
import { CHUNK_ROWS } from "./chunk-fixtures.ts";
import { type HistogramKind, makeHistogramBlock } from "./histogram-fixtures.ts";

const SEED = 12_345;

/**
 * The cases of one kind, over so many chunks.
 *
 * @throws Error if decoding does not give the columns that were encoded, bit for bit.
 */
export function makeHistogramCases(kind: HistogramKind, chunkCount: number): ChunkCases {
  const block = makeHistogramBlock(kind, chunkCount, SEED);
  const type = kind === "integers" ? 2 : 3;
  const chunks = encodeBlock(block).map(({ data }) => data);
  const timestamps = new Float64Array(CHUNK_ROWS);
  const checksum = checksumOf(block.timestamps(), [histogramRowsOf(block.histograms())]);
  const decoded = chunks.map((data) => decodeChunk(data, type, timestamps));
  if (checksumOf(block.timestamps(), decoded) !== checksum) {
    throw new Error(`histograms of ${kind} are not decoded to what was encoded`);
  }
  const samples = block.count;
  const common = { inputs: samples, expected: samples };
  return {
    name: `histograms of ${kind}`,
    type,
    chunks,
    samples,
    checksum,
    decode: { ...common, name: `histogram decode, ${kind}`, run: () => decodeAll(chunks, type, timestamps) },
    decodeTimes: { ...common, name: `histogram timestamps, ${kind}`, run: () => decodeTimes(chunks, type, timestamps) },
    encode: {
      inputs: samples,
      expected: countBytes(chunks),
      name: `histogram encode, ${kind}`,
      run: () => encodeAll(block),
    },
  };
}

function decodeChunk(data: Uint8Array, type: number, timestamps: Float64Array): HistogramRows {
  return decodeHistograms(data, type, CHUNK_ROWS, timestamps, { histograms: true })!;
}

function decodeAll(chunks: readonly Uint8Array[], type: number, timestamps: Float64Array): number {
  let rows = 0;
  for (const data of chunks) {
    rows += decodeChunk(data, type, timestamps).length;
  }
  return rows;
}

function decodeTimes(chunks: readonly Uint8Array[], type: number, timestamps: Float64Array): number {
  for (const data of chunks) {
    decodeHistograms(data, type, CHUNK_ROWS, timestamps, { histograms: false });
  }
  return chunks.length * CHUNK_ROWS;
}

/** Finds where the chunks end and encodes each; returns the bytes that they take. */
function encodeAll(block: Block): number {
  return countBytes(encodeBlock(block).map(({ data }) => data));
}

function countBytes(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((bytes, { length }) => bytes + length, 0);
}

/** Column by column, as `../go/chunks/histograms.go` has them. */
function checksumOf(timestamps: Float64Array, pieces: readonly HistogramRows[]): string {
  const hash = createHash("sha256").update(timestamps);
  for (const column of ["counts", "zeroCounts", "sums", "buckets"] as const) {
    for (const piece of pieces) {
      hash.update(piece[column]);
    }
  }
  return hash.digest("hex");
}
