/**
 * The streamed answer of remote read: one message a frame, whose chunks are kept as the bytes they are.
 *
 *     ChunkedReadResponse   1 chunked_series (ChunkedSeries …)   2 query_index
 *     ChunkedSeries         1 labels (Label …)   2 chunks (Chunk …)
 *     Chunk                 1 min_time_ms   2 max_time_ms   3 type (1…6)   4 data
 *
 * From prompb/remote.proto and prompb/types.proto of Prometheus 3.14. Its client reads only the first series of a frame and
 * takes every frame for another series, so one frame is one series, and the whole of it.
 */
import { formatLabelSet, type LabelSet } from "@promsplice/core";

import type { EncodedChunk } from "./chunk/chunk-block.ts";
import { encodeLabels, type LabelLimits, LABELS, NO_LABEL_LIMITS, readLabel, toLabelSet } from "./label-message.ts";
import { RemoteReadError } from "./remote-read-error.ts";
import { combineCrc32c, type Crc32c, crc32c as plainCrc32c } from "./wire/crc32c.ts";
import { frameHeaderBytes, writeFrameHeader } from "./wire/frame.ts";
import {
  enterMessage,
  hasField,
  type ProtobufReader,
  readBytes,
  readClampedInt64,
  readInt32,
  readMessage,
  readTag,
  readTime,
  skipField,
} from "./wire/protobuf.ts";
import { int64Bytes, writeInt64 } from "./wire/varint.ts";

/** What a frame says of one series; the same series may come again in further frames. */
export interface ChunkedSeries {
  readonly labels: LabelSet;
  /** In the order of the wire, which may be any; they may overlap. */
  readonly chunks: readonly EncodedChunk[];
}

/** What a frame may hold, checked as it is decoded. */
export interface ChunkedResponseLimits extends LabelLimits {
  /** Most series. */
  readonly seriesMax: number;
  /** Most bytes that all its series take in memory besides the frame itself: {@link SERIES_BYTES}, {@link CHUNK_BYTES}. */
  readonly seriesBytesMax: number;
}

/** What a series and a chunk take in memory besides their bytes, about: objects and what engines keep about them. */
export const SERIES_BYTES = 256;
export const CHUNK_BYTES = 128;

const NO_LIMITS: ChunkedResponseLimits = { ...NO_LABEL_LIMITS, seriesMax: Infinity, seriesBytesMax: Infinity };

export interface ChunkedResponse {
  /** Index of the query that is answered; not every server sets it right. */
  readonly queryIndex: number;
  readonly series: readonly ChunkedSeries[];
}

/** A chunk to be sent, with the CRC-32C of its data where that is known: they are not summed again then. */
export interface OutgoingChunk extends EncodedChunk {
  readonly crc?: number | undefined;
}

export interface EncodeFrameOptions {
  /** The longest frame that is made, in bytes; 48,000,000 by default, since Prometheus' client takes 50,000,000. */
  readonly frameBytesMax?: number | undefined;
  /** Used instead of our own. */
  readonly crc32c?: Crc32c | undefined;
}

const FRAME_BYTES_MAX = 48_000_000;

/** The tags that we write: field number times 8, plus the wire type. */
const SERIES_TAG = (1 << 3) | 2;
const QUERY_INDEX_TAG = 2 << 3;
const CHUNKS = 2;
const CHUNKS_TAG = (CHUNKS << 3) | 2;
const MIN_TAG = 1 << 3;
const MAX_TAG = 2 << 3;
const TYPE_TAG = 3 << 3;
const DATA_TAG = (4 << 3) | 2;

/**
 * Decodes the payload of a frame. The data of its chunks are parts of `payload`, which must not be written to any more;
 * nothing is known yet of what is in them. Everything that is sent is handed over: frames without a series, series without
 * chunks, chunks without data or of an unknown type.
 *
 * @throws RemoteReadError `protobuf-malformed`, `labels-malformed`, or `chunk-malformed` for a chunk's time outside ±2^53;
 * `limit-exceeded` at the first series, chunk or label too many.
 */
export function decodeChunkedResponse(payload: Uint8Array, limits: ChunkedResponseLimits = NO_LIMITS): ChunkedResponse {
  return readMessage(payload, (reader) => {
    const series: ChunkedSeries[] = [];
    const memory: Memory = { bytes: 0, bytesMax: limits.seriesBytesMax };
    let queryIndex = 0;
    while (hasField(reader)) {
      const tag = readTag(reader);
      switch (tag >>> 3) {
        case 1:
          if (series.length === limits.seriesMax) {
            throw new RemoteReadError("limit-exceeded", `the answer has more than ${limits.seriesMax} series`);
          }
          series.push(readSeries(reader, tag, limits, memory));
          break;
        case 2:
          queryIndex = readClampedInt64(reader, tag);
          break;
        default:
          skipField(reader, tag);
      }
    }
    return { queryIndex, series };
  });
}

/** What the objects made of a frame take, about. */
interface Memory {
  bytes: number;
  readonly bytesMax: number;
}

function takeMemory(memory: Memory, bytes: number): void {
  memory.bytes += bytes;
  if (memory.bytes > memory.bytesMax) {
    const message = `the series and chunks of one frame take more than ${memory.bytesMax} bytes of memory`;
    throw new RemoteReadError("limit-exceeded", message);
  }
}

function readSeries(reader: ProtobufReader, tag: number, limits: LabelLimits, memory: Memory): ChunkedSeries {
  takeMemory(memory, SERIES_BYTES);
  const outerEnd = enterMessage(reader, tag);
  const labels: string[] = [];
  const chunks: EncodedChunk[] = [];
  while (hasField(reader)) {
    const field = readTag(reader);
    switch (field >>> 3) {
      case LABELS:
        readLabel(reader, field, labels, limits);
        break;
      case CHUNKS:
        takeMemory(memory, CHUNK_BYTES);
        chunks.push(readChunk(reader, field));
        break;
      default:
        skipField(reader, field);
    }
  }
  reader.len = outerEnd;
  return { labels: toLabelSet(labels), chunks };
}

function readChunk(reader: ProtobufReader, tag: number): EncodedChunk {
  const outerEnd = enterMessage(reader, tag);
  let minMs = 0;
  let maxMs = 0;
  let type = 0;
  let data: Uint8Array = NO_DATA;
  while (hasField(reader)) {
    const field = readTag(reader);
    switch (field >>> 3) {
      case 1:
        minMs = readTime(reader, field, "chunk-malformed");
        break;
      case 2:
        maxMs = readTime(reader, field, "chunk-malformed");
        break;
      case 3:
        type = readInt32(reader, field);
        break;
      case 4:
        data = readBytes(reader, field);
        break;
      default:
        skipField(reader, field);
    }
  }
  reader.len = outerEnd;
  return { minMs, maxMs, type, data };
}

const NO_DATA = new Uint8Array(0);

/**
 * Encodes one series as one whole frame, length and checksum included. The chunks' data are copied once, straight into it.
 *
 * @throws RemoteReadError `limit-exceeded` naming the series, before anything is allocated.
 */
export function encodeChunkedSeries(
  labels: LabelSet,
  chunks: readonly OutgoingChunk[],
  queryIndex: number,
  options: EncodeFrameOptions = {},
): Uint8Array {
  const labelBytes = encodeLabels(labels);
  const sizes = chunks.map(chunkBytes);
  const seriesBytes = sizes.reduce((bytes, size) => bytes + bytesBytes(size), labelBytes.length);
  const payloadBytes = bytesBytes(seriesBytes) + int64FieldBytes(queryIndex);
  const headerBytes = frameHeaderBytes(payloadBytes);
  checkFrameBytes(headerBytes + payloadBytes, labels, options);
  const frame = new Uint8Array(headerBytes + payloadBytes);
  let at = writeLength(frame, headerBytes, SERIES_TAG, seriesBytes);
  frame.set(labelBytes, at);
  at += labelBytes.length;
  const summing = new FrameSum(frame, headerBytes, options.crc32c ?? plainCrc32c);
  for (const [index, chunk] of chunks.entries()) {
    at = writeChunk(frame, writeLength(frame, at, CHUNKS_TAG, sizes[index]!), chunk);
    if (chunk.crc !== undefined) {
      summing.skip(at - chunk.data.length, at, chunk.crc);
    }
  }
  at = writeInt64Field(frame, at, QUERY_INDEX_TAG, queryIndex);
  writeFrameHeader(frame, payloadBytes, summing.finish(at));
  return frame;
}

/** Sums a frame from the front to the back, but not the pieces whose sums are known. */
class FrameSum {
  readonly #frame: Uint8Array;
  readonly #crc32c: Crc32c;
  #end: number;
  #crc = 0;

  constructor(frame: Uint8Array, start: number, crc32c: Crc32c) {
    this.#frame = frame;
    this.#end = start;
    this.#crc32c = crc32c;
  }

  /** Bytes `start` to `end`, which have been written like all before them, have the sum `crc`. */
  skip(start: number, end: number, crc: number): void {
    this.#crc = combineCrc32c(this.finish(start), crc, end - start);
    this.#end = end;
  }

  /** The sum of all up to `end`. */
  finish(end: number): number {
    const crc = this.#crc32c(this.#frame.subarray(this.#end, end), this.#crc);
    this.#end = end;
    this.#crc = crc;
    return crc;
  }
}

function checkFrameBytes(frameBytes: number, labels: LabelSet, options: EncodeFrameOptions): void {
  const frameBytesMax = options.frameBytesMax ?? FRAME_BYTES_MAX;
  if (frameBytes > frameBytesMax) {
    const series = formatLabelSet(labels);
    const message = `${series} takes a frame of ${frameBytes} bytes, limit is ${frameBytesMax}`;
    throw new RemoteReadError("limit-exceeded", message, { series });
  }
}

function chunkBytes({ minMs, maxMs, type, data }: EncodedChunk): number {
  return (
    int64FieldBytes(minMs) +
    int64FieldBytes(maxMs) +
    int64FieldBytes(type) +
    (data.length > 0 ? bytesBytes(data.length) : 0)
  );
}

function writeChunk(frame: Uint8Array, start: number, chunk: EncodedChunk): number {
  let at = writeInt64Field(frame, start, MIN_TAG, chunk.minMs);
  at = writeInt64Field(frame, at, MAX_TAG, chunk.maxMs);
  at = writeInt64Field(frame, at, TYPE_TAG, chunk.type);
  if (chunk.data.length > 0) {
    at = writeLength(frame, at, DATA_TAG, chunk.data.length);
    frame.set(chunk.data, at);
    at += chunk.data.length;
  }
  return at;
}

/** How many bytes a field of so many bytes takes, with its tag and its length. */
function bytesBytes(length: number): number {
  return 1 + int64Bytes(length) + length;
}

function writeLength(frame: Uint8Array, at: number, tag: number, length: number): number {
  frame[at] = tag;
  return writeInt64(frame, at + 1, length);
}

/** How many bytes a number takes with its tag: none where it is 0. */
function int64FieldBytes(value: number): number {
  return value === 0 ? 0 : 1 + int64Bytes(value);
}

function writeInt64Field(frame: Uint8Array, at: number, tag: number, value: number): number {
  if (value === 0) {
    return at;
  }
  frame[at] = tag;
  return writeInt64(frame, at + 1, value);
}
