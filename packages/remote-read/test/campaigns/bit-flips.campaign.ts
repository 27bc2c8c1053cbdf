/**
 * Every single bit of every recorded stream of frames, flipped: the stream ends in an error, having handed out nothing but
 * frames that are right, or it means what it meant before. Never are there other samples.
 *
 *     seed ──▶ the one bit of all streams' bits ──▶ frame parser ──▶ an error
 *                                                        └──▶ (no flip has come this far) frames, chunks, samples: compared
 */
import { isDeepStrictEqual } from "node:util";

import { chunkBlock } from "../../src/chunk/chunk-block.ts";
import { decodeChunkedResponse } from "../../src/chunked-response.ts";
import { RemoteReadError } from "../../src/remote-read-error.ts";
import { FrameParser } from "../../src/wire/frame.ts";
import { bitsOf } from "../bytes.ts";
import { exactRows } from "../exact-histogram.ts";
import { chunksNames, readRecording } from "../recording.ts";
import { campaign } from "./campaign.ts";

/** What comes out of a body: payloads, and the code of the error in which it ends. */
interface Parsed {
  readonly payloads: readonly Uint8Array[];
  readonly code: string | undefined;
}

interface Stream {
  readonly name: string;
  readonly body: Uint8Array;
  readonly whole: Parsed;
  /** Where its bits begin among those of all streams. */
  readonly firstBit: number;
}

const streams: Stream[] = [];
let allBits = 0;
for (const name of chunksNames) {
  const body = readRecording(`${name}.resp.bin`);
  if (body.length > 0) {
    streams.push({ name, body, whole: parse(body), firstBit: allBits });
    allBits += 8 * body.length;
  }
}

/** Neighbours among the seeds are far from each other among the bits, and all bits are met; a prime number. */
const STRIDE = 1_000_003;
if (allBits % STRIDE === 0) {
  throw new Error(`${allBits} bits are a multiple of ${STRIDE}`);
}

/** Parses a body; whatever is thrown must be one of our errors. */
function parse(body: Uint8Array): Parsed {
  const payloads: Uint8Array[] = [];
  const parser = new FrameParser();
  try {
    parser.push(body);
    for (let payload = parser.next(); payload !== undefined; payload = parser.next()) {
      payloads.push(payload);
    }
    parser.finish();
    return { payloads, code: undefined };
  } catch (error) {
    return { payloads, code: codeOf(error) };
  }
}

function codeOf(error: unknown): string {
  if (error instanceof RemoteReadError) {
    return error.code;
  }
  throw error;
}

/** The samples of a payload to the last bit, or the code of the error that it is instead. */
function meaningOf(payload: Uint8Array): unknown {
  try {
    const { series } = decodeChunkedResponse(payload);
    return series.map(({ labels, chunks }) => [
      labels,
      chunks.map((chunk) => {
        const block = chunkBlock(chunk);
        return block.kind === "float" ? [[...block.timestamps()], bitsOf(block.values())] : exactRows(block);
      }),
    ]);
  } catch (error) {
    return codeOf(error);
  }
}

/** Whether what a flipped body gives is found to be wrong; throws if it gives anything that the whole one does not. */
function isDetected(flipped: Parsed, whole: Parsed): boolean {
  if (flipped.payloads.length > whole.payloads.length) {
    throw new Error(`expected ${whole.payloads.length} frames, got ${flipped.payloads.length}`);
  }
  for (const [index, payload] of flipped.payloads.entries()) {
    const right = whole.payloads[index]!;
    if (Buffer.compare(payload, right) !== 0) {
      const meaning = meaningOf(payload);
      if (typeof meaning === "string") {
        return true;
      }
      if (!isDeepStrictEqual(meaning, meaningOf(right))) {
        throw new Error(`frame ${index} has other samples: ${JSON.stringify(meaning)}`);
      }
    }
  }
  if (flipped.code !== undefined) {
    return true;
  }
  if (whole.code !== undefined || flipped.payloads.length < whole.payloads.length) {
    throw new Error(`expected ${whole.payloads.length} frames and ${whole.code}, got ${flipped.payloads.length}`);
  }
  return false;
}

/** The stream in which a bit is, by halves. */
function streamOf(bit: number): Stream {
  let first = 0;
  let end = streams.length;
  while (end - first > 1) {
    const middle = (first + end) >>> 1;
    if (streams[middle]!.firstBit <= bit) {
      first = middle;
    } else {
      end = middle;
    }
  }
  return streams[first]!;
}

campaign(
  "a flipped bit in a recorded stream is found, or changes no sample",
  { count: allBits, of: "flipped bits", seconds: 5 },
  (cases) => {
    let harmless = 0;
    const codes = new Map<string, number>();
    for (const seed of cases) {
      const index = (((seed >>> 0) % allBits) * STRIDE) % allBits;
      const { name, body, whole, firstBit } = streamOf(index);
      const bit = index - firstBit;
      const mask = 1 << (bit & 7);
      body[bit >>> 3]! ^= mask;
      try {
        const flipped = parse(body);
        harmless += isDetected(flipped, whole) ? 0 : 1;
        const code = flipped.code ?? "none";
        codes.set(code, (codes.get(code) ?? 0) + 1);
      } catch (error) {
        throw new Error(`bit ${bit} of ${name}: ${String(error)}`, { cause: error });
      } finally {
        body[bit >>> 3]! ^= mask;
      }
    }
    return {
      streams: streams.length,
      "that change nothing": harmless,
      ...Object.fromEntries(codes),
    };
  },
);
