/** Cases over what goes through the wire: checksums, frames, and messages of samples. */
import { columnsBlock } from "@promsplice/core";
// The package keeps its wire formats to itself; they are measured as they are built.
import { decodeChunkedResponse } from "../../remote-read/dist/chunked-response.js";
import { decodeReadResponse, ReadResponseEncoder } from "../../remote-read/dist/read-response.js";
import { crc32c } from "../../remote-read/dist/wire/crc32c.js";
import { FrameParser } from "../../remote-read/dist/wire/frame.js";
import { compressSnappy, uncompressSnappy } from "../../remote-read/dist/wire/snappy.js";
import { cutIntoPieces, encodeFrames, joinBytes, makeLabels, makeSentSeries } from "./answer-fixtures.ts";
import type { Case } from "./cases.ts";
import { CHUNK_ROWS, type ChunkShape, makeChunkColumns } from "./chunk-fixtures.ts";
import { seededRandom } from "./fixtures.ts";
import { sumSlicingBy8 } from "./slicing-by-8.ts";

/** A counter with jitter is what most series are. */
export const USUAL_SHAPE: ChunkShape = { kind: "counter", hasJitter: true };
const UNCOMPRESSED_BYTES_MAX = 2 ** 30;
const RANDOM_SEED = 7;

/** The names of the cases, by which ratios find their times. */
export const SUM = "CRC-32C";
export const SUM_BY_8 = "slicing by 8";
export const PARSE_FRAMES = "parse frames, checksums verified";
export const DECODE_FRAMES = "parse frames and decode their messages";
export const DECODE_SAMPLES = "decode SAMPLES";
export const DECODE_COMPRESSED_SAMPLES = "decode SAMPLES out of snappy";
export const SCAN_SNAPPY = "the strict scan of snappy";
export const UNCOMPRESS_SNAPPY = "the scan and snappyjs";

/**
 * The cases: checksums of `sumBytes` bytes (inputs are bytes), a streamed body of `seriesCount` series of `chunkCount` chunks
 * each, cut as a network does (inputs are bytes), and the same many samples as one message (inputs are samples, and of snappy
 * alone the message's bytes).
 *
 * @throws Error if the two checksums differ.
 */
export function makeWireCases(sumBytes: number, seriesCount: number, chunkCount: number): Case[] {
  return [
    ...makeSumCases(sumBytes),
    ...makeFrameCases(seriesCount, chunkCount),
    ...makeSampleCases(seriesCount, chunkCount),
  ];
}

function makeSumCases(byteCount: number): Case[] {
  const random = seededRandom(RANDOM_SEED);
  const bytes = Uint8Array.from({ length: byteCount }, () => Math.floor(random() * 256));
  const expected = sumSlicingBy8(bytes);
  if (crc32c(bytes) !== expected) {
    throw new Error(`CRC-32C gave ${crc32c(bytes)}, slicing by 8 ${expected}`);
  }
  return [
    { name: SUM, inputs: byteCount, expected, run: () => crc32c(bytes) },
    { name: SUM_BY_8, inputs: byteCount, expected, run: () => sumSlicingBy8(bytes) },
  ];
}

function makeFrameCases(seriesCount: number, chunkCount: number): Case[] {
  const body = joinBytes(encodeFrames(makeSentSeries(USUAL_SHAPE, "a", seriesCount, chunkCount)));
  const pieces = cutIntoPieces(body);
  const inputs = body.length;
  return [
    { name: PARSE_FRAMES, inputs, expected: seriesCount, run: () => countFrames(pieces) },
    { name: DECODE_FRAMES, inputs, expected: seriesCount * chunkCount, run: () => countChunks(pieces) },
  ];
}

function countFrames(pieces: readonly Uint8Array[]): number {
  const parser = new FrameParser();
  let frames = 0;
  for (const piece of pieces) {
    parser.push(piece);
    while (parser.next() !== undefined) {
      frames++;
    }
  }
  parser.finish();
  return frames;
}

function countChunks(pieces: readonly Uint8Array[]): number {
  const parser = new FrameParser();
  let count = 0;
  for (const piece of pieces) {
    parser.push(piece);
    for (let payload = parser.next(); payload !== undefined; payload = parser.next()) {
      for (const { chunks } of decodeChunkedResponse(payload).series) {
        count += chunks.length;
      }
    }
  }
  parser.finish();
  return count;
}

function makeSampleCases(seriesCount: number, chunkCount: number): Case[] {
  const encoder = new ReadResponseEncoder();
  encoder.startResult();
  for (let index = 0; index < seriesCount; index++) {
    const columns = makeChunkColumns(USUAL_SHAPE, chunkCount, index + 1);
    encoder.writeSeries(makeLabels(index, "a", 0), [columnsBlock(columns)]);
  }
  const message = encoder.finish();
  const compressed = compressSnappy(message);
  const inputs = seriesCount * chunkCount * CHUNK_ROWS;
  return [
    { name: DECODE_SAMPLES, inputs, expected: inputs, run: () => countSamples(message) },
    {
      name: DECODE_COMPRESSED_SAMPLES,
      inputs,
      expected: inputs,
      run: () => countSamples(uncompressSnappy(compressed, UNCOMPRESSED_BYTES_MAX)),
    },
    {
      name: SCAN_SNAPPY,
      inputs: message.length,
      expected: message.length,
      // In the place of snappyjs stands what it would answer.
      run: () => uncompressSnappy(compressed, UNCOMPRESSED_BYTES_MAX, { uncompress: () => message }).length,
    },
    {
      name: UNCOMPRESS_SNAPPY,
      inputs: message.length,
      expected: message.length,
      run: () => uncompressSnappy(compressed, UNCOMPRESSED_BYTES_MAX).length,
    },
  ];
}

function countSamples(message: Uint8Array): number {
  let samples = 0;
  for (const { blocks } of decodeReadResponse(message).results[0]!) {
    for (const { count } of blocks) {
      samples += count;
    }
  }
  return samples;
}
