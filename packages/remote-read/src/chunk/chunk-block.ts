/**
 * Chunks as blocks: what a server sent, decoded no sooner and no further than somebody asks, and blocks as chunks.
 *
 *     message   minMs, maxMs, type, data ──▶ block   count (from the header), firstMs, lastMs, bytes = data
 *                                              │ timestamps()  decodes the times alone
 *                                              └ values()      decodes both
 */
import { type Block, findStaleRows, type HistogramColumn } from "@promsplice/core";
import { RemoteReadError } from "../remote-read-error.ts";
import { newColumn, Slab } from "./slab.ts";
import { wordsOf } from "./value-words.ts";
import { decodeXor } from "./xor-decode.ts";
import { encodeXor, xorRoom } from "./xor-encode.ts";
import { XOR_TIME_MS_MAX } from "./xor-format.ts";

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

/** The shortest samples, in a fifth row and later, are 2 bits. */
const ROWS_A_BYTE_MAX = 4;
/** As many as Prometheus puts into one chunk. */
const CHUNK_ROWS_MAX = 120;

/**
 * The number of samples that a chunk of type 1 to 4 claims to hold. Chunks of none are legal, and to be dropped: a block has
 * at least one row.
 *
 * @throws RemoteReadError `chunk-malformed` if the data are shorter than the count.
 */
export function chunkCount(data: Uint8Array): number {
  if (data.length < 2) {
    throw new RemoteReadError("chunk-malformed", `chunk is ${data.length} bytes, its header alone is 2`);
  }
  return (data[0]! << 8) | data[1]!;
}

/**
 * A block over a chunk, which it borrows: the data must stay as they are while the block is in use. Its columns are decoded
 * when first asked for, and kept.
 *
 * @throws RemoteReadError `chunk-type-unsupported` for every type but 1; `chunk-malformed` if the data are too short for their
 * count, or the claimed times are not inside ±2^53 and in order. The columns throw `chunk-malformed`, each time that they are
 * asked for, if the data do not decode or the first or last row is not at the claimed time.
 */
export function chunkBlock(chunk: EncodedChunk): Block {
  const { minMs, maxMs, type, data } = chunk;
  if (type !== XOR) {
    throw new RemoteReadError("chunk-type-unsupported", `chunk is of type ${type}, only type ${XOR} can be decoded`);
  }
  const count = chunkCount(data);
  if (count === 0) {
    throw new RangeError("a chunk without samples is not a block");
  }
  // Before anything is allocated for the rows.
  if (count > ROWS_A_BYTE_MAX * data.length) {
    throw new RemoteReadError("chunk-malformed", `chunk claims ${count} samples in ${data.length} bytes`);
  }
  if (!(minMs >= -XOR_TIME_MS_MAX && minMs <= maxMs && maxMs <= XOR_TIME_MS_MAX)) {
    throw new RemoteReadError(
      "chunk-malformed",
      `chunk claims times ${minMs} to ${maxMs}, not in order or outside ±2^53`,
    );
  }
  return new XorBlock(minMs, maxMs, count, data);
}

const encoded = new Slab();

/**
 * Encodes a block of floats as chunks of at most 120 samples. Their data are views into buffers that chunks share: not to be
 * written to, and not to be transferred.
 *
 * @throws RemoteReadError `chunk-type-unsupported` for a block of histograms; RangeError for times that are not a block's.
 */
export function encodeBlock(block: Block): EncodedChunk[] {
  if (block.kind !== "float") {
    throw new RemoteReadError("chunk-type-unsupported", `a block of ${block.kind}s cannot be encoded`);
  }
  const timestamps = block.timestamps();
  const words = wordsOf(block.values());
  const chunks: EncodedChunk[] = [];
  for (let start = 0; start < block.count;) {
    let end = Math.min(start + CHUNK_ROWS_MAX, block.count);
    while (timestamps[end - 1]! - timestamps[start]! >= XOR_TIME_MS_MAX) {
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

class XorBlock implements Block {
  readonly kind = "float";
  readonly firstMs: number;
  readonly lastMs: number;
  readonly count: number;
  readonly detached = false;
  readonly bytes: Uint8Array;
  #timestamps: Float64Array | undefined = undefined;
  #values: Float64Array | undefined = undefined;
  #staleRows: Uint32Array | undefined = undefined;

  constructor(firstMs: number, lastMs: number, count: number, bytes: Uint8Array) {
    this.firstMs = firstMs;
    this.lastMs = lastMs;
    this.count = count;
    this.bytes = bytes;
  }

  timestamps(): Float64Array {
    if (this.#timestamps === undefined) {
      const timestamps = newColumn(this.count);
      decodeXor(this.bytes, timestamps);
      this.#timestamps = this.#checkTimes(timestamps);
    }
    return this.#timestamps;
  }

  values(): Float64Array {
    if (this.#values === undefined) {
      const timestamps = this.#timestamps ?? newColumn(this.count);
      const values = newColumn(this.count);
      decodeXor(this.bytes, timestamps, values);
      this.#timestamps = this.#checkTimes(timestamps);
      this.#values = values;
    }
    return this.#values;
  }

  histograms(): HistogramColumn {
    throw new TypeError("a block of floats has no histograms");
  }

  valueAt(row: number): number {
    return this.values()[row]!;
  }

  staleRows(): Uint32Array {
    this.#staleRows ??= findStaleRows(this.values());
    return this.#staleRows;
  }

  #checkTimes(timestamps: Float64Array): Float64Array {
    const firstMs = timestamps[0]!;
    const lastMs = timestamps[this.count - 1]!;
    if (firstMs !== this.firstMs || lastMs !== this.lastMs) {
      throw new RemoteReadError(
        "chunk-malformed",
        `chunk claims times ${this.firstMs} to ${this.lastMs}, its samples are at ${firstMs} to ${lastMs}`,
      );
    }
    return timestamps;
  }
}
