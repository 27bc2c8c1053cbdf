/** The series of one answer's body, in order: as its frames come, or all of its samples at once. */

import type { EncodedChunk } from "./chunk/chunk-block.ts";
import {
  CHUNK_BYTES,
  type ChunkedResponseLimits,
  type ChunkedSeries,
  decodeChunkedResponse,
  SERIES_BYTES,
} from "./chunked-response.ts";
import type { HttpBody } from "./http-body.ts";
import { type ReceivedSeries, SeriesOrder, type SeriesOrderOptions, sortReceived } from "./ordered-series.ts";
import { decodeReadResponse, type ReadResponseLimits } from "./read-response.ts";
import { ChunkBlocks } from "./received-blocks.ts";
import { RemoteReadError } from "./remote-read-error.ts";
import type { Crc32c } from "./wire/crc32c.ts";
import { FrameParser } from "./wire/frame.ts";
import { type SnappyOptions, uncompressSnappy } from "./wire/snappy.ts";

/** Room behind copied chunks, as decoders like it: see `wire/frame.ts`. */
const SLACK_BYTES = 16;

export interface FramesOptions extends ChunkedResponseLimits {
  readonly frameBytesMax: number;
  readonly histogramBucketsMax: number;
  readonly crc32c: Crc32c | undefined;
}

/**
 * The series of a streamed body. At most what must wait for its place is held.
 *
 * @throws RemoteReadError whatever body, frames, messages and order do.
 */
export async function* receiveFrames(
  body: HttpBody,
  options: FramesOptions,
  orderOptions: SeriesOrderOptions,
): AsyncGenerator<ReceivedSeries, void, undefined> {
  const parser = new FrameParser({ payloadBytesMax: options.frameBytesMax, crc32c: options.crc32c });
  const order = new SeriesOrder(orderOptions);
  for (let piece = await body.read(); piece !== undefined; piece = await body.read()) {
    parser.push(piece);
    for (let payload = parser.next(); payload !== undefined; payload = parser.next()) {
      const { series } = decodeChunkedResponse(payload, options);
      for (const { labels, chunks } of series) {
        // A frame of one series belongs to it. Of several, one that waits must not keep the others' bytes in memory.
        const kept = series.length === 1 ? chunks : copyChunks(chunks);
        const bytes = series.length === 1 ? payload.length : countBytes({ labels, chunks });
        const blocks = new ChunkBlocks(kept, options.histogramBucketsMax);
        const ready = order.add(labels, blocks, bytes + SERIES_BYTES + CHUNK_BYTES * chunks.length);
        if (ready.length > 0) {
          yield* ready;
        }
      }
    }
  }
  parser.finish();
  yield* order.finish();
}

export interface SamplesOptions extends ReadResponseLimits {
  /** Longest message, in bytes. */
  readonly bodyBytesMax: number;
  readonly snappy: SnappyOptions | undefined;
}

/**
 * The series of a body of samples, which is gathered and decoded as a whole.
 *
 * @throws RemoteReadError what the body does; `limit-exceeded`, before the bytes are decompressed; `snappy-corrupt`,
 * `protobuf-malformed`, `labels-malformed`; `limit-exceeded` also for too many series or labels, and too long labels.
 */
export async function* receiveSamples(
  body: HttpBody,
  options: SamplesOptions,
  orderWithout: readonly string[],
): AsyncGenerator<ReceivedSeries, void, undefined> {
  const { bodyBytesMax, snappy } = options;
  const message = uncompressSnappy(await gather(body, longestBlock(bodyBytesMax)), bodyBytesMax, snappy);
  const { results } = decodeReadResponse(message, options);
  if (results.length !== 1) {
    throw new RemoteReadError("protobuf-malformed", `the answer has ${results.length} results, expected 1`);
  }
  const received = results[0]!.map(({ labels, blocks }) => ({ labels, pieces: [blocks], bytes: 0, united: 0 }));
  yield* sortReceived(received, orderWithout);
}

/** The longest that so many bytes can become in the snappy block format, as its authors compute it. */
function longestBlock(bytes: number): number {
  return 32 + bytes + Math.floor(bytes / 6);
}

async function gather(body: HttpBody, bytesMax: number): Promise<Uint8Array> {
  let gathered = new Uint8Array(Math.min(64 * 1024, bytesMax));
  let length = 0;
  for (let piece = await body.read(); piece !== undefined; piece = await body.read()) {
    const wanted = length + piece.length;
    if (wanted > bytesMax) {
      throw new RemoteReadError("limit-exceeded", `the answer is over ${bytesMax} bytes`);
    }
    if (wanted > gathered.length) {
      const larger = new Uint8Array(Math.min(Math.max(wanted, 2 * gathered.length), bytesMax));
      larger.set(gathered.subarray(0, length));
      gathered = larger;
    }
    gathered.set(piece, length);
    length = wanted;
  }
  return gathered.subarray(0, length);
}

function countBytes({ labels, chunks }: ChunkedSeries): number {
  const textLength = labels.reduce((sum, text) => sum + text.length, 0);
  return chunks.reduce((sum, { data }) => sum + data.length, textLength);
}

function copyChunks(chunks: readonly EncodedChunk[]): readonly EncodedChunk[] {
  const copy = new Uint8Array(chunks.reduce((sum, { data }) => sum + data.length, SLACK_BYTES));
  let start = 0;
  return chunks.map((chunk) => {
    const end = start + chunk.data.length;
    copy.set(chunk.data, start);
    const data = copy.subarray(start, end);
    start = end;
    return { ...chunk, data };
  });
}
