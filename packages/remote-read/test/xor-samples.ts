/** Samples for the tests of XOR chunks: recorded ones, arbitrary ones, and both ways between columns and 64-bit integers. */
import * as fc from "fast-check";

import { fromHex } from "./bytes.ts";
import type { NaiveSample } from "./naive-xor.ts";
import { readJson } from "./recording.ts";

export interface RecordedXorChunk {
  readonly name: string;
  readonly data: Uint8Array;
  readonly samples: readonly NaiveSample[];
}

interface RecordedJsonSample {
  readonly t: string;
  readonly bits: string;
}

interface RecordedJsonChunk {
  readonly name?: string;
  readonly sources?: readonly string[];
  readonly source?: string;
  readonly encoding: number;
  readonly hex: string;
  readonly decoded?: readonly RecordedJsonSample[] | null;
  readonly samples?: readonly RecordedJsonSample[];
}

/** The chunks of the 3.14.0 appender, by what they are to show. */
export const vectors: readonly RecordedXorChunk[] = readChunks("vectors/vectors-3.14.0.json");

/** Chunks out of the answers of real servers. */
export const realChunks: readonly RecordedXorChunk[] = readChunks("vectors/real-chunks.json");

function readChunks(file: string): RecordedXorChunk[] {
  return (readJson(file) as RecordedJsonChunk[])
    .filter(({ encoding }) => encoding === 1)
    .map(({ name, sources, hex, decoded, samples }) => ({
      name: name ?? `${sources?.[0]} (${hex.length / 2} bytes)`,
      data: fromHex(hex),
      samples: (decoded ?? samples ?? []).map(({ t, bits }) => ({ time: BigInt(t), bits: BigInt(`0x${bits}`) })),
    }));
}

export interface RecordedFixture {
  readonly source: string;
  readonly data: Uint8Array;
  readonly count: number;
  readonly first: NaiveSample;
  readonly last: NaiveSample;
}

/** The chunks in the test of Prometheus' own read handler, of which the first and the last sample are known. */
export const fixtures: readonly RecordedFixture[] = (
  readJson("vectors/prometheus-test-fixtures.json") as (RecordedJsonChunk & {
    readonly numSamples: number;
    readonly first: RecordedJsonSample;
    readonly last: RecordedJsonSample;
  })[]
)
  .filter(({ encoding }) => encoding === 1)
  .map(({ source, hex, numSamples, first, last }) => ({
    source: source!,
    data: fromHex(hex),
    count: numSamples,
    first: { time: BigInt(first.t), bits: BigInt(`0x${first.bits}`) },
    last: { time: BigInt(last.t), bits: BigInt(`0x${last.bits}`) },
  }));

/** Columns of samples whose times are inside ±2^53. */
export function toColumns(samples: readonly NaiveSample[]): { timestamps: Float64Array; values: Float64Array } {
  return {
    timestamps: Float64Array.from(samples, ({ time }) => Number(time)),
    values: new Float64Array(BigUint64Array.from(samples, ({ bits }) => bits).buffer),
  };
}

export function toSamples(timestamps: Float64Array, values: Float64Array): NaiveSample[] {
  const words = new BigUint64Array(values.buffer, values.byteOffset, values.length);
  return Array.from(words, (bits, row) => ({ time: BigInt(timestamps[row]!), bits }));
}

/** Bits of values that are special: zeros, infinities, NaNs with and without payload, the stale marker, denormals. */
export const specialBits: readonly bigint[] = [
  0n,
  0x8000000000000000n,
  0x3ff0000000000000n,
  0x4000000000000000n,
  0x7ff0000000000000n,
  0xfff0000000000000n,
  0x7ff0000000000002n,
  0x7ff8000000000000n,
  0x7ff8000000000001n,
  0xfff8000000000000n,
  0x7ff00000deadbeefn,
  0xffffffffffffffffn,
  1n,
  0x000fffffffffffffn,
  0x7fefffffffffffffn,
];

/** Steps on both sides of where their width changes, and what jitter makes. */
const steps = fc.oneof(
  { weight: 4, arbitrary: fc.constant(0n) },
  { weight: 4, arbitrary: fc.bigInt(-10n, 10n) },
  { weight: 3, arbitrary: fc.constantFrom(-8192n, -8191n, 8192n, 8193n, -65536n, -65535n, 65536n, 65537n) },
  { weight: 2, arbitrary: fc.constantFrom(-524288n, -524287n, 524288n, 524289n) },
  { weight: 1, arbitrary: fc.bigInt(-(2n ** 40n), 2n ** 40n) },
);

const valueBits = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...specialBits) },
  {
    weight: 2,
    arbitrary: fc
      .integer({ min: 0, max: 5 })
      .map((value) => toSamples(Float64Array.of(0), Float64Array.of(value))[0]!.bits),
  },
  { weight: 1, arbitrary: fc.bigInt(0n, 2n ** 64n - 1n) },
  // Neighbours that differ in a few bits only, so that windows are used again.
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.nat(255), fc.integer({ min: 0, max: 56 }))
      .map(([byte, shift]) => BigInt(byte) << BigInt(shift)),
  },
);

/** Samples of a block: times increase, inside ±2^53 and less than 2^53 apart. */
export const arbitrarySamples: fc.Arbitrary<NaiveSample[]> = fc
  .tuple(
    fc.oneof(
      fc.constant(1_700_000_000_000n),
      fc.bigInt(-(2n ** 53n), 2n ** 53n),
      fc.constantFrom(0n, -1n, 2n ** 48n, -(2n ** 48n), 2n ** 48n - 1n),
    ),
    fc.oneof(fc.bigInt(1n, 60_000n), fc.bigInt(1n, 2n ** 40n), fc.constantFrom(2n ** 28n - 1n, 2n ** 28n, 2n ** 30n)),
    fc.array(fc.tuple(steps, valueBits, fc.boolean()), { minLength: 1, maxLength: 60 }),
  )
  .map(([first, firstDelta, rows]) => {
    const samples: NaiveSample[] = [];
    let [time, delta, bits] = [first, firstDelta, 0n];
    for (const [row, [step, next, isSame]] of rows.entries()) {
      if (row > 0) {
        delta = row === 1 ? firstDelta : delta + step < 1n ? 1n : delta + step;
        time += delta;
      }
      bits = row > 0 && isSame ? bits : next;
      if (time > 2n ** 53n || time - first >= 2n ** 53n) {
        break;
      }
      samples.push({ time, bits });
    }
    return samples;
  });
