/**
 * Blocks of snappy, right ones, broken ones and made-up ones, against a decoder that is nothing but the text of the format: a
 * block is taken exactly where that takes it, and what is refused is refused before any decoder sees it.
 */
import { seededRandom } from "../../../core/test/random.ts";
import { RemoteReadError } from "../../src/remote-read-error.ts";
import { compressSnappy, uncompressSnappy } from "../../src/wire/snappy.ts";
import { exchangeNames, readClientRequests, readRecording } from "../recording.ts";
import { campaign } from "./campaign.ts";
import { below, mutate, pick, type Random } from "./mutation.ts";
import { randomBlock } from "./snappy-blocks.ts";
import { uncompressStrictly } from "./strict-snappy.ts";

/** More than any block here can make: the longest are some kilobytes, and no element makes more than 64 bytes out of two. */
const BYTES_MAX = 1 << 22;

const CASE_MS_MAX = 20;

const recorded: readonly Uint8Array[] = [
  ...exchangeNames.map((name) => `${name}.req.bin`),
  ...[...readClientRequests().keys()].map((name) => `client-requests/${name}.req.bin`),
  ...exchangeNames.map((name) => `${name}.resp.bin`),
]
  .map(readRecording)
  .filter((block) => uncompressStrictly(block) !== undefined);

/** Blocks as our own encoder writes them. */
const compressed: readonly Uint8Array[] = exchangeNames
  .map((name) => readRecording(`${name}.resp.pb`))
  .filter((message) => message.length > 0)
  .map((message) => compressSnappy(message));

function blockOf(random: Random): Uint8Array {
  const kind = random();
  const block = kind < 0.5 ? randomBlock(random) : pick(random, kind < 0.8 ? recorded : compressed);
  return mutate(random, block, recorded, kind < 0.25 ? 0 : below(random, 4));
}

interface Outcome {
  readonly bytes?: Uint8Array;
  readonly error?: RemoteReadError;
  readonly ms: number;
}

/** Decodes with snappyjs, and says how long that took. Whatever is thrown must be one of ours. */
function uncompress(block: Uint8Array): Outcome {
  const startedMs = performance.now();
  try {
    const bytes = uncompressSnappy(block, BYTES_MAX);
    return { bytes, ms: performance.now() - startedMs };
  } catch (error) {
    if (!(error instanceof RemoteReadError)) {
      throw error;
    }
    return { error, ms: performance.now() - startedMs };
  }
}

/** How long a case takes; of one that is slow the fastest of some attempts, since others use this machine too. */
function fastest(block: Uint8Array, firstMs: number): number {
  let ms = firstMs;
  for (let attempt = 0; attempt < 10 && ms > CASE_MS_MAX / 4; attempt++) {
    ms = Math.min(ms, uncompress(block).ms);
  }
  return ms;
}

/** Whether a block without a limit gets to the decoder; where it does not it must be called corrupt. */
function passesScan(block: Uint8Array, expected: Uint8Array | undefined): boolean {
  let isCalled = false;
  try {
    uncompressSnappy(block, Infinity, {
      uncompress: () => {
        isCalled = true;
        return expected ?? new Uint8Array(0);
      },
    });
  } catch (error) {
    if (!(error instanceof RemoteReadError) || error.code !== "snappy-corrupt") {
      throw error;
    }
  }
  return isCalled;
}

/**
 * snappyjs refuses a literal of one or two bytes at the end of a block whose length stands in bytes of its own, which no
 * encoder writes: nothing but such a block may be refused that the format allows.
 */
function endsInOddLiteral(block: Uint8Array): boolean {
  const [fourth, third, second] = block.subarray(-4);
  return (
    block.length >= 4 &&
    ((third === tagOfLiteral(1) && second === 0) ||
      (fourth === tagOfLiteral(1) && third === 1) ||
      fourth === tagOfLiteral(2))
  );
}

/** The tag of a literal whose length is in so many bytes behind it. */
function tagOfLiteral(lengthBytes: number): number {
  return (59 + lengthBytes) << 2;
}

campaign(
  "snappy blocks decode as the format says, or are refused before they are decoded",
  { count: 1_000_000, of: "blocks", seconds: 8 },
  (cases) => {
    let count = 0;
    let accepted = 0;
    let oddLiterals = 0;
    let slowestMs = 0;
    for (const seed of cases) {
      count++;
      const block = blockOf(seededRandom(seed));
      const expected = uncompressStrictly(block);
      const { bytes, error, ms } = uncompress(block);
      if (passesScan(block, expected) !== (expected !== undefined)) {
        throw new Error(`the scan ${expected === undefined ? "lets through" : "refuses"} ${hex(block)}`);
      }
      if (expected === undefined) {
        if (error?.code !== "snappy-corrupt" && error?.code !== "limit-exceeded") {
          throw new Error(`expected a refusal, got ${error?.code ?? "bytes"} for ${hex(block)}`);
        }
      } else if (error !== undefined && endsInOddLiteral(block)) {
        oddLiterals++;
      } else if (bytes === undefined || Buffer.compare(bytes, expected) !== 0) {
        throw new Error(`expected ${hex(expected)}, got ${bytes === undefined ? error!.message : hex(bytes)}`);
      } else {
        accepted++;
      }
      slowestMs = Math.max(slowestMs, fastest(block, ms));
      if (slowestMs > CASE_MS_MAX) {
        throw new Error(`took ${slowestMs} ms for ${hex(block)}`);
      }
    }
    if (accepted < count / 10 && count > 1000) {
      throw new Error(`${accepted} blocks were accepted, too few to tell anything`);
    }
    return {
      "accepted, %": (100 * accepted) / count,
      "refused by snappyjs alone": oddLiterals,
      "slowest, ms": slowestMs,
    };
  },
);

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
