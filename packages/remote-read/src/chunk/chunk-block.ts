/**
 * Chunks as blocks: what a server sent, decoded no sooner and no further than somebody asks, and blocks as chunks.
 *
 *     message   minMs, maxMs, type, data ──▶ block   count (from the header), firstMs, lastMs, bytes = data
 *                                              │ timestamps()  decodes the times alone
 *                                              └ values()      decodes both
 */
import type { Block } from "@promsplice/core";
import { RemoteReadError } from "../remote-read-error.ts";
import { TIME_MS_MAX } from "./chunk-time.ts";
import { FloatChunkBlock } from "./float-block.ts";
import { HistogramChunkBlock } from "./histogram-block.ts";
import { cutHistograms } from "./histogram-cut.ts";
import { HISTOGRAM_BUCKETS_MAX } from "./histogram-decode.ts";
import { encodeHistograms } from "./histogram-encode.ts";
import { forgetReset } from "./histogram-header.ts";
import { histogramRowsOf } from "./histogram-rows.ts";
import { Slab } from "./slab.ts";
import { wordsOf } from "./value-words.ts";
import { encodeXor, xorRoom } from "./xor-encode.ts";

/** A chunk as it comes and goes in a message. */
export interface EncodedChunk {
  /** Time of the first sample in ms. */
  readonly minMs: number;
  /** Time of the last sample in ms, inclusive. */
  readonly maxMs: number;
  /** 1 XOR, 2 histogram, 3 float histogram, 4 XOR2, 5 and 6 as 2 and 3 with start timestamps. */
  readonly type: number;
  readonly data: Uint8Array;
}

const XOR = 1;
const HISTOGRAM = 2;
const FLOAT_HISTOGRAM = 3;

/** What of a type is known before anything is decoded. */
interface ChunkKind {
  readonly isHistogram: boolean;
  readonly headerBytes: number;
  /** The bits of the first two bytes that are the count. */
  readonly countMask: number;
  /** How many rows fit into a byte: the shortest are 2 bits of XOR, 1 of XOR2 and 4 of histograms. */
  readonly rowsAByteMax: number;
}

const KINDS: readonly (ChunkKind | undefined)[] = [
  undefined,
  { isHistogram: false, headerBytes: 2, countMask: 0xffff, rowsAByteMax: 4 },
  { isHistogram: true, headerBytes: 3, countMask: 0xffff, rowsAByteMax: 2 },
  { isHistogram: true, headerBytes: 3, countMask: 0xffff, rowsAByteMax: 2 },
  { isHistogram: false, headerBytes: 3, countMask: 0xffff, rowsAByteMax: 8 },
  { isHistogram: true, headerBytes: 3, countMask: 0x3fff, rowsAByteMax: 2 },
  { isHistogram: true, headerBytes: 3, countMask: 0x3fff, rowsAByteMax: 2 },
];
/** As many as Prometheus puts into one chunk. */
const CHUNK_ROWS_MAX = 120;

/**
 * The number of samples that a chunk claims to hold. Chunks of none are legal, and to be dropped: a block has at least one row.
 *
 * @throws RemoteReadError `chunk-type-unsupported`; `chunk-malformed` if the data are shorter than the header.
 */
export function chunkCount({ type, data }: { readonly type: number; readonly data: Uint8Array }): number {
  const { headerBytes, countMask } = kindOf(type);
  // An empty chunk of any type may be 2 bytes.
  if (data.length < 2 || (data.length < headerBytes && (data[0]! | data[1]!) !== 0)) {
    throw new RemoteReadError("chunk-malformed", `chunk is ${data.length} bytes, its header alone is ${headerBytes}`);
  }
  return ((data[0]! << 8) | data[1]!) & countMask;
}

/**
 * A block over a chunk, which it borrows: the data must stay as they are while the block is in use. Its columns are decoded
 * when first asked for, and kept, but for start timestamps, which are decoded each time. The histograms are a `HistogramRows`.
 *
 * @param bucketsMax the most buckets of a histogram; all of a chunk together may have 128 times as many.
 * @throws RemoteReadError `chunk-type-unsupported` for a type that is none of 1 to 6; `chunk-malformed` if the data are too
 * short for their count, or the claimed times are not inside ±2^53 and in order. The columns throw `chunk-malformed`, each time
 * that they are asked for, if the data do not decode or the first or last row is not at the claimed time; `limit-exceeded` if
 * there are more buckets.
 */
export function chunkBlock(chunk: EncodedChunk, bucketsMax: number = HISTOGRAM_BUCKETS_MAX): Block {
  const { minMs, maxMs, type, data } = chunk;
  const count = chunkCount(chunk);
  if (count === 0) {
    throw new RangeError("a chunk without samples is not a block");
  }
  const { isHistogram, rowsAByteMax } = kindOf(type);
  // Before anything is allocated for the rows.
  if (count > rowsAByteMax * data.length) {
    throw new RemoteReadError("chunk-malformed", `chunk claims ${count} samples in ${data.length} bytes`);
  }
  if (!(minMs >= -TIME_MS_MAX && minMs <= maxMs && maxMs <= TIME_MS_MAX)) {
    throw new RemoteReadError(
      "chunk-malformed",
      `chunk claims times ${minMs} to ${maxMs}, not in order or outside ±2^53`,
    );
  }
  return isHistogram ? new HistogramChunkBlock(chunk, count, bucketsMax) : new FloatChunkBlock(chunk, count);
}

function kindOf(type: number): ChunkKind {
  const kind = KINDS[type];
  if (kind === undefined) {
    throw new RemoteReadError("chunk-type-unsupported", `chunk is of type ${type}, only types 1 to 6 can be decoded`);
  }
  return kind;
}

/**
 * A block as chunks of types that every reader knows: as it came in, where it still is that, else encoded. A chunk of
 * histograms whose first row does not follow its true predecessor comes as a copy that says nothing about a counter reset there.
 *
 * The data may be the block's own, or share a buffer with other chunks': not to be written to, and not to be transferred.
 *
 * @throws what decoding and {@link encodeBlock} do.
 */
export function chunksOf(block: Block): readonly EncodedChunk[] {
  if (!isPassedOn(block)) {
    return encodeBlock(block);
  }
  const { kind, firstMs: minMs, lastMs: maxMs, bytes, chunkType: type } = block;
  const data = kind === "histogram" && block.detached ? forgetReset(bytes) : bytes;
  return [{ minMs, maxMs, type, data }];
}

/** Whether {@link chunksOf} takes a block as it came in, so that it need not be decoded. */
export function isPassedOn(block: Block): block is Block & { readonly bytes: Uint8Array; readonly chunkType: number } {
  const { bytes, chunkType } = block;
  return bytes !== undefined && chunkType !== undefined && chunkType >= XOR && chunkType <= FLOAT_HISTOGRAM;
}

const encoded = new Slab();

/**
 * Encodes a block as chunks of at most 120 samples, of type 1 for floats, 2 or 3 for histograms; of the latter a chunk also ends
 * where Prometheus ends one: before a counter reset, a layout that does not go with the one before, and what follows a stale
 * marker. Start timestamps are not encoded. The data share buffers: not to be written to, and not to be transferred.
 *
 * @throws TypeError for histograms of another kind than this package's; RangeError for times that are not a block's.
 */
export function encodeBlock(block: Block): EncodedChunk[] {
  return block.kind === "float" ? encodeFloats(block) : encodeHistogramBlock(block);
}

function encodeHistogramBlock(block: Block): EncodedChunk[] {
  const timestamps = block.timestamps();
  const rows = histogramRowsOf(block.histograms());
  return cutHistograms(timestamps, rows, block.detached).map((cut) => ({
    minMs: timestamps[cut.start]!,
    maxMs: timestamps[cut.end - 1]!,
    type: rows.isFloat ? FLOAT_HISTOGRAM : HISTOGRAM,
    data: encodeHistograms(timestamps, rows, cut),
  }));
}

function encodeFloats(block: Block): EncodedChunk[] {
  const timestamps = block.timestamps();
  const words = wordsOf(block.values());
  const chunks: EncodedChunk[] = [];
  for (let start = 0; start < block.count;) {
    let end = Math.min(start + CHUNK_ROWS_MAX, block.count);
    while (timestamps[end - 1]! - timestamps[start]! >= TIME_MS_MAX) {
      end--;
    }
    const at = encoded.reserve(xorRoom(end - start));
    const dataEnd = encodeXor(timestamps, words, start, end, encoded.view, at);
    encoded.take(dataEnd);
    const data = new Uint8Array(encoded.view.buffer, at, dataEnd - at);
    chunks.push({ minMs: timestamps[start]!, maxMs: timestamps[end - 1]!, type: XOR, data });
    start = end;
  }
  return chunks;
}
