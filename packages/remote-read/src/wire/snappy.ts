/**
 * The snappy block format, in which requests and SAMPLES answers travel.
 *
 *     block     decoded length (uvarint) │ element │ element │ …
 *     element   tag, its low two bits:  00 literal   length − 1 in the upper six bits; 60…63: in 1…4 bytes that follow
 *                                       01 copy      4…11 bytes from up to 2,047 back: 11 bits of offset, 3 of them in the tag
 *                                       10 copy      1…64 bytes, offset in two bytes
 *                                       11 copy      1…64 bytes, offset in four bytes
 *
 * Decoders of the wild trust what they read, so a strict scan over the tags goes first, which takes about a sixth of the time
 * of decoding (Node 20.20): only a block that is right in all of them, and whose length is under a limit, is decoded at all.
 * From format_description.txt of google/snappy 1.2.
 */
// oxlint-disable-next-line typescript/triple-slash-reference -- snappyjs declares nothing, and an import cannot do it
/// <reference path="./snappyjs.d.ts" />
import snappyjs from "snappyjs";

import { RemoteReadError } from "../remote-read-error.ts";

/** Functions to use instead of snappyjs; both take and give plain blocks. */
export interface SnappyOptions {
  /** Is only ever given a block that has passed the scan. */
  readonly uncompress?: ((block: Uint8Array) => Uint8Array) | undefined;
  readonly compress?: ((bytes: Uint8Array) => Uint8Array) | undefined;
}

/** The decoded length of a block takes at most this many bytes: it is below 2^32. */
const LENGTH_BYTES_MAX = 5;

/**
 * Decodes a block into a fresh array.
 *
 * @param bytesMax the longest that the decoded bytes may be; checked before anything is allocated.
 * @throws RemoteReadError `limit-exceeded`, or `snappy-corrupt` with the offset where one is known.
 */
export function uncompressSnappy(block: Uint8Array, bytesMax: number, options: SnappyOptions = {}): Uint8Array {
  // Some decoders answer a Buffer with a Buffer.
  const plain = new Uint8Array(block.buffer, block.byteOffset, block.length);
  const { length, end } = readDecodedLength(plain);
  if (length > bytesMax) {
    throw new RemoteReadError("limit-exceeded", `snappy: decoded length ${length} exceeds limit ${bytesMax}`);
  }
  const produced = scanElements(plain, end);
  if (produced !== length) {
    throw corrupt(`its elements make ${produced} bytes, it says ${length}`, plain.length);
  }
  const bytes = decode(plain, options.uncompress ?? snappyjs.uncompress);
  if (bytes.length !== length) {
    throw corrupt(`the decoder made ${bytes.length} bytes out of it, expected ${length}`);
  }
  return bytes;
}

/** Encodes bytes as one block, in a fresh array. */
export function compressSnappy(bytes: Uint8Array, options: SnappyOptions = {}): Uint8Array {
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  return (options.compress ?? snappyjs.compress)(plain);
}

function decode(block: Uint8Array, uncompress: (block: Uint8Array) => Uint8Array): Uint8Array {
  try {
    return uncompress(block);
  } catch (error) {
    throw corrupt("the decoder refuses it", undefined, error);
  }
}

function readDecodedLength(block: Uint8Array): { readonly length: number; readonly end: number } {
  let length = 0;
  for (let end = 1; end <= LENGTH_BYTES_MAX; end++) {
    const byte = block[end - 1];
    if (byte === undefined) {
      throw corrupt("it ends in its length", block.length);
    }
    length += (byte & 127) * 128 ** (end - 1);
    if (byte < 128 && length < 2 ** 32) {
      return { length, end };
    }
  }
  throw corrupt("its length is not below 2^32", 0);
}

/** Checks all elements from `at` on; returns how many bytes they make. */
function scanElements(block: Uint8Array, at: number): number {
  let produced = 0;
  while (at < block.length) {
    const tag = block[at++]!;
    if ((tag & 3) === 0) {
      let length = (tag >>> 2) + 1;
      if (length > 60) {
        const extra = length - 60;
        length = readNumber(block, at, extra) + 1;
        at += extra;
      }
      if (length > block.length - at) {
        throw corrupt(`a literal of ${length} bytes, and ${block.length - at} are left`, at);
      }
      at += length;
      produced += length;
    } else {
      let offset = 0;
      // Not a loop over the bytes: that would cost half of the speed.
      if ((tag & 3) === 1) {
        offset = ((tag >>> 5) << 8) | block[at++]!;
      } else if ((tag & 3) === 2) {
        offset = block[at]! | (block[at + 1]! << 8);
        at += 2;
      } else {
        offset = readNumber(block, at, 4);
        at += 4;
      }
      if (at > block.length) {
        throw corrupt("it ends in an element", block.length);
      }
      if (offset === 0 || offset > produced) {
        throw corrupt(`a copy from ${offset} bytes back, where there are ${produced}`, at);
      }
      produced += (tag & 3) === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
    }
  }
  return produced;
}

/** The little-endian number in one to four bytes. */
function readNumber(block: Uint8Array, at: number, bytes: number): number {
  if (bytes > block.length - at) {
    throw corrupt("it ends in an element", block.length);
  }
  let number = 0;
  for (let index = 0; index < bytes; index++) {
    number |= block[at + index]! << (8 * index);
  }
  return number >>> 0;
}

function corrupt(problem: string, offset?: number, cause?: unknown): RemoteReadError {
  return new RemoteReadError("snappy-corrupt", `snappy: corrupt input: ${problem}`, { offset, cause });
}
