import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { wordsOf } from "../src/chunk/value-words.ts";
import { decodeCarefully } from "../src/chunk/xor-careful.ts";
import { decodeXor } from "../src/chunk/xor-decode.ts";
import { decodeFast, decodeTimesFast, takeChunk } from "../src/chunk/xor-fast.ts";
import { RemoteReadError } from "../src/remote-read-error.ts";
import { bitsOf, concatenate, fromHex, varint } from "./bytes.ts";
import { decodeNaively, encodeNaively, type NaiveSample } from "./naive-xor.ts";
import { arbitrarySamples, fixtures, realChunks, specialBits, toSamples, vectors } from "./xor-samples.ts";

/** The samples of a chunk, or the message of the error, which must be `chunk-malformed`. */
type Decoded = NaiveSample[] | string;

function decode(data: Uint8Array): Decoded {
  return attempt(data, (timestamps, values) => decodeXor(data, timestamps, values));
}

function decodeByCarefulAlone(data: Uint8Array): Decoded {
  return attempt(data, (timestamps, values) => decodeCarefully(data, timestamps.length, timestamps, wordsOf(values)));
}

function attempt(data: Uint8Array, action: (timestamps: Float64Array, values: Float64Array) => unknown): Decoded {
  const timestamps = new Float64Array(countOf(data));
  const values = new Float64Array(timestamps.length);
  try {
    action(timestamps, values);
  } catch (error) {
    if (error instanceof RemoteReadError && error.code === "chunk-malformed") {
      return error.message;
    }
    throw error;
  }
  return toSamples(timestamps, values);
}

function countOf(data: Uint8Array): number {
  return (data[0]! << 8) | data[1]!;
}

/** The same in the words of the naive decoder. */
function inShort(decoded: Decoded): Decoded {
  if (typeof decoded !== "string") {
    return decoded;
  }
  const kinds = { short: "bytes end there", varint: "longer than 64 bits", window: "over 64", time: "outside ±2^53" };
  return Object.entries(kinds).find(([, words]) => decoded.includes(words))?.[0] ?? decoded;
}

/** The times alone, which must be those of the whole, or the error of the whole. */
function expectSameTimes(data: Uint8Array, whole: Decoded): void {
  const times = attempt(data, (timestamps) => decodeXor(data, timestamps));
  const timesOf = (decoded: Decoded): unknown =>
    typeof decoded === "string" ? decoded : decoded.map(({ time }) => time);
  expect(timesOf(times)).toEqual(timesOf(whole));
}

/** Random numbers below `end`, the same ones in every run. */
function seededRandom(seed: number): (end: number) => number {
  let state = seed;
  return (end) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * end);
  };
}

/** The recorded chunks whose times we can have. */
const recorded = [...vectors, ...realChunks].filter(({ samples }) =>
  samples.every(({ time }) => time <= 2n ** 53n && time >= -(2n ** 53n)),
);

/** Whether times are near enough to the epoch and to one another for the fast decoder. */
function isOrdinary(samples: readonly NaiveSample[]): boolean {
  const times = samples.map(({ time }) => time);
  const deltas = times.slice(1).map((time, row) => time - times[row]!);
  const steps = deltas.slice(1).map((delta, row) => delta - deltas[row]!);
  return (
    times.length > 0 &&
    times[0]! < 2n ** 48n &&
    times[0]! >= -(2n ** 48n) &&
    deltas.slice(0, 1).every((delta) => delta >= 0n && delta < 2n ** 28n) &&
    steps.every((step) => step >= -524_287n && step <= 524_288n)
  );
}

/** A chunk of 65,535 samples a second apart, with or without 64 bits for each step, whose bits are 1111 and zeros. */
function longestChunk(isWide: boolean): Uint8Array {
  const step = isWide ? `1111${"0".repeat(64)}0` : "00";
  const rows = step.repeat(65_533);
  const bits = `0${rows}`.padEnd(Math.ceil((rows.length + 1) / 8) * 8, "0");
  const body = Uint8Array.from({ length: bits.length / 8 }, (_, index) =>
    Number.parseInt(bits.slice(index * 8, index * 8 + 8), 2),
  );
  return concatenate(Uint8Array.of(255, 255), varint(2_000), new Uint8Array(8), varint(1_000), body);
}

describe("decodeXor", () => {
  test.each([...vectors, ...realChunks])("decodes $name to the recorded samples, bit for bit", ({ data, samples }) => {
    const outside = samples.find(({ time }) => time > 2n ** 53n || time < -(2n ** 53n));
    if (outside === undefined) {
      expect(decode(data)).toEqual(samples);
    } else {
      expect(decode(data)).toContain(`time ${outside.time} is outside ±2^53`);
    }
  });

  test("decodes all the recorded vectors and chunks there are", () => {
    expect([vectors.length, realChunks.length, fixtures.length]).toEqual([22, 53, 7]);
    expect(vectors.filter((vector) => !recorded.includes(vector)).map(({ name }) => name)).toEqual([
      "XOR/18-int64-extremes",
      "XOR/19-beyond-2^53",
    ]);
  });

  test.each(fixtures)("decodes the first and the last sample of $source", ({ data, count, first, last }) => {
    const samples = decode(data);
    expect(samples).toHaveLength(count);
    expect([samples[0], samples.at(-1)]).toEqual([first, last]);
  });

  test("decodes recorded chunks by the careful decoder to the same", () => {
    for (const { data } of [...vectors, ...realChunks, ...fixtures]) {
      expect(decodeByCarefulAlone(data)).toEqual(decode(data));
    }
  });

  test("decodes by the fast decoder what is ordinary, and only that", () => {
    for (const { data, samples } of recorded) {
      expect(decodeFast(takeChunk(data))).toBe(isOrdinary(samples));
      expect(decodeTimesFast(takeChunk(data))).toBe(isOrdinary(samples));
    }
    expect(recorded.filter(({ samples }) => isOrdinary(samples)).length).toBeGreaterThan(60);
  });

  test("decodes the times alone to the same times", () => {
    for (const { data } of [...vectors, ...realChunks, ...fixtures]) {
      expectSameTimes(data, decode(data));
    }
  });

  test("decodes any samples that the naive encoder has encoded", () => {
    fc.assert(
      fc.property(arbitrarySamples, (samples) => {
        const data = encodeNaively(samples);
        expect(decode(data)).toEqual(samples);
        expect(decodeByCarefulAlone(data)).toEqual(samples);
        expectSameTimes(data, samples);
      }),
      { numRuns: 2_000 },
    );
  });

  test("decodes every chunk of a tiny universe: four rows of four values, with steps of every width", () => {
    const values = [0n, 0x8000000000000000n, 0x3ff0000000000000n, 0x7ff0000000000002n];
    const steps = [0n, 8_192n, -8_192n, 65_537n, 524_289n];
    for (let choice = 0; choice < 4 ** 4 * 5 ** 2; choice++) {
      const [second, third] = digits(Math.floor(choice / 4 ** 4), 5, 2).map((index) => steps[index]!);
      const times = [0n, 10_000_000n, 20_000_000n + second!, 30_000_000n + 2n * second! + third!];
      const samples = digits(choice, 4, 4).map((index, row) => ({ time: times[row]!, bits: values[index]! }));
      expect(decode(encodeNaively(samples))).toEqual(samples);
    }
  });

  test("writes from the given row on and leaves the rest of the columns alone", () => {
    const { data, samples } = vectors.find(({ name }) => name === "XOR/13-special-values")!;
    const timestamps = new Float64Array(samples.length + 5).fill(7);
    const values = new Float64Array(samples.length + 5).fill(7);
    expect(decodeXor(data, timestamps, values, 3)).toBe(samples.length);
    expect(toSamples(timestamps, values).slice(3, -2)).toEqual(samples);
    expect([...timestamps.slice(0, 3), ...timestamps.slice(-2), ...values.slice(0, 3), ...values.slice(-2)]).toEqual(
      Array.from({ length: 10 }, () => 7),
    );
  });

  test("throws a RangeError where the columns have no room, before it writes", () => {
    const { data } = vectors.find(({ name }) => name === "XOR/04-counter")!;
    const timestamps = new Float64Array(5);
    expect(() => decodeXor(data, timestamps, new Float64Array(4))).toThrow(
      "chunk has 5 rows, the columns have room for 4",
    );
    expect(() => decodeXor(data, timestamps, undefined, 1)).toThrow(RangeError);
    expect(() => decodeXor(data, timestamps, undefined, -1)).toThrow(RangeError);
    expect(timestamps).toEqual(new Float64Array(5));
  });

  test("leaves the columns as they were where the chunk is malformed", () => {
    const { data } = vectors.find(({ name }) => name === "XOR/15-stale-middle")!;
    const timestamps = new Float64Array(100).fill(7);
    const values = new Float64Array(100).fill(7);
    expect(() => decodeXor(data.subarray(0, -3), timestamps, values)).toThrow(RemoteReadError);
    expect([...timestamps, ...values].every((number) => number === 7)).toBe(true);
  });

  test("keeps the bits of every special value, cold and after the compiler has seen them often", () => {
    const samples = specialBits.map((bits, row) => ({ time: BigInt(row) * 15_000n, bits }));
    const data = encodeNaively(samples);
    for (let turn = 0; turn < 20_000; turn++) {
      const values = new Float64Array(samples.length);
      decodeXor(data, new Float64Array(samples.length), values);
      if (turn < 5 || turn > 19_990) {
        expect(bitsOf(values)).toEqual(specialBits.map((bits) => bits.toString(16).padStart(16, "0")));
      }
    }
  });

  test("accepts any bytes behind the last sample", () => {
    for (const { data } of [...recorded, ...fixtures]) {
      const expected = decode(data);
      for (const trailing of [Uint8Array.of(0), Uint8Array.of(255), new Uint8Array(40).fill(0xa5)]) {
        expect(decode(concatenate(data, trailing))).toEqual(expected);
      }
    }
    // More than the longest chunk could need.
    const data = concatenate(fromHex("000180f0ffffffff3f3ff0000000000000"), new Uint8Array(2_000_000));
    expect(decode(data)).toHaveLength(1);
  });

  test("throws for every truncated prefix", () => {
    for (const { data } of [...recorded, ...fixtures]) {
      const whole = decode(data);
      for (let bytes = 0; bytes < data.length; bytes++) {
        const prefix = data.slice(0, bytes);
        if (bytes < 2) {
          expect(() => decodeXor(prefix, new Float64Array(0))).toThrow(
            `chunk is ${bytes} bytes, its header alone is 2`,
          );
          continue;
        }
        const isSpare = typeof decodeNaively(prefix) !== "string";
        expect(inShort(decode(prefix))).toEqual(isSpare ? whole : "short");
        expect(decodeByCarefulAlone(prefix)).toEqual(decode(prefix));
        expectSameTimes(prefix, decode(prefix));
        // Only the byte that old servers append is to spare.
        expect(isSpare && bytes < data.length - 1).toBe(false);
      }
    }
  });

  test("reads nothing behind the chunk, whatever was decoded before it", () => {
    const long = encodeNaively(
      Array.from({ length: 200 }, (_, row) => ({ time: BigInt(row), bits: BigInt(row) << 40n })),
    );
    const { data } = vectors.find(({ name }) => name === "XOR/10-value-windows")!;
    for (let bytes = 2; bytes < data.length; bytes++) {
      decode(long);
      const afterLong = decode(data.slice(0, bytes));
      decode(concatenate(long.subarray(0, 2), new Uint8Array(300).fill(255)));
      expect(decode(data.slice(0, bytes))).toEqual(afterLong);
    }
  });

  test("agrees with the naive decoder on 20,000 chunks with flipped bits, fast and careful", () => {
    const random = seededRandom(42);
    const bases = [...recorded, ...fixtures].map(({ data }) => data).filter((data) => data.length > 2);
    const outcomes = new Map<string, number>();
    for (let turn = 0; turn < 20_000; turn++) {
      const data = bases[turn % bases.length]!.slice();
      for (let flips = 1 + random(3); flips > 0; flips--) {
        // Mostly behind the count, whose flips are all the same error.
        const bit = random(20) === 0 ? random(16) : 16 + random(data.length * 8 - 16);
        data[bit >>> 3]! ^= 128 >>> (bit & 7);
      }
      const expected = decodeNaively(data);
      const decoded = decode(data);
      const isEqual = sameOutcome(inShort(decoded), expected) && sameOutcome(decodeByCarefulAlone(data), decoded);
      if (!isEqual) {
        expect.fail(`differs: ${Buffer.from(data).toString("hex")}`);
      }
      if (turn % 10 === 0) {
        expectSameTimes(data, decoded);
      }
      const outcome = typeof expected === "string" ? expected : "samples";
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    expect([...outcomes.keys()].toSorted()).toEqual(["samples", "short", "time", "varint", "window"]);
  });

  test("decodes arbitrary bytes to samples or a typed error, as the naive decoder does", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), fc.uint8Array({ maxLength: 120 }), (count, bytes) => {
        const data = concatenate(Uint8Array.of(0, count), bytes);
        expect(inShort(decode(data))).toEqual(decodeNaively(data));
        expect(decodeByCarefulAlone(data)).toEqual(decode(data));
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ["a step to a time beyond 2^53", 2n ** 53n - 10n, 5n, "row 3: time 9007199254740997 is outside ±2^53"],
    ["a step to a time before −2^53", -(2n ** 53n) + 10n, -5n, "row 3: time -9007199254740997 is outside ±2^53"],
    ["a time that is 2^53 as a number", 2n ** 53n - 2n, 1n, "row 3: time 9007199254740993 is outside ±2^53"],
  ])("names the time for %s", (_, first, delta, message) => {
    const data = encodeNaively([0n, 1n, 2n, 3n].map((row) => ({ time: first + row * delta, bits: 0n })));
    expect(decode(data)).toBe(message);
    expect(decode(encodeNaively([0n, 1n, 2n].map((row) => ({ time: first + row * delta, bits: 0n }))))).toHaveLength(3);
  });

  test("names the time behind a delta that is 2^53 as a number", () => {
    const data = encodeNaively([-(2n ** 53n), 0n, 2n ** 53n + 1n].map((time) => ({ time, bits: 0n })));
    expect(decode(data)).toBe("row 2: time 9007199254740993 is outside ±2^53");
  });

  test("names a delta beyond 2^53 between two times inside", () => {
    const data = encodeNaively([-(2n ** 53n), 2n ** 53n].map((time) => ({ time, bits: 0n })));
    expect(decode(data)).toBe("row 1: delta 18014398509481984 is outside ±2^53");
  });

  test("decodes times at the edges of what the fast decoder takes", () => {
    const edges = [2n ** 48n - 1n, 2n ** 48n, 2n ** 48n + 1n, 2n ** 53n - 2n ** 31n];
    const deltas = [2n ** 28n - 1n, 2n ** 28n, 2n ** 30n - 1n, 2n ** 30n, 2n ** 30n + 1n];
    for (const edge of [...edges, ...edges.map((time) => -time)]) {
      for (const delta of deltas) {
        // One step of 20 bits leads to the delta, and one beyond it.
        const times = [edge, edge + delta - 500_000n, edge + 2n * delta - 500_000n, edge + 3n * delta - 400_000n];
        const samples = times.map((time) => ({ time, bits: 1n }));
        expect(inShort(decode(encodeNaively(samples)))).toEqual(decodeNaively(encodeNaively(samples)));
      }
    }
  });

  test("takes steps of 14 bits as far as 65,535 rows can lead", () => {
    // The largest first delta of four bytes, then steps that always grow, or always fall.
    for (const step of ["1010000000000000", "1010000000000001"]) {
      const bits = `0${`${step}0`.repeat(65_533)}`.padEnd(139_264 * 8, "0");
      const body = Uint8Array.from({ length: 139_264 }, (_, index) =>
        Number.parseInt(bits.slice(index * 8, index * 8 + 8), 2),
      );
      const data = concatenate(fromHex("ffff"), varint(2n ** 49n - 2n), new Uint8Array(8), varint(2 ** 28 - 1), body);
      expect(decodeFast(takeChunk(data))).toBe(true);
      const fast = new Float64Array(65_535);
      const careful = new Float64Array(65_535);
      decodeXor(data, fast);
      decodeCarefully(data, 65_535, careful, undefined);
      expect(fast).toEqual(careful);
    }
  });

  test("leaves deltas that grow beyond 2^31 to the careful decoder", () => {
    for (const sign of [1n, -1n]) {
      const samples = Array.from({ length: 6_000 }, (_, index) => {
        const row = BigInt(index);
        return { time: 2n ** 47n + row * 2n ** 27n + sign * ((row * (row - 1n)) / 2n) * 524_287n, bits: 1n };
      });
      const data = encodeNaively(samples);
      expect(decodeFast(takeChunk(data))).toBe(false);
      expect(decode(data)).toEqual(samples);
      expectSameTimes(data, samples);
    }
  });

  test("takes time that grows at most in proportion to the rows, for ordinary and for hostile chunks", () => {
    for (const whole of [longestChunk(false), longestChunk(true)]) {
      const part = whole.slice();
      part[0] = 0x1f;
      const timestamps = new Float64Array(65_535);
      const fastest = (data: Uint8Array): number => {
        let bestMs = Infinity;
        for (let turn = 0; turn < 7; turn++) {
          const startMs = performance.now();
          decodeXor(data, timestamps);
          bestMs = Math.min(bestMs, performance.now() - startMs);
        }
        return bestMs;
      };
      fastest(part);
      // Eight times the rows; quadratic would be sixty-four times the time.
      expect(fastest(whole) / fastest(part)).toBeLessThan(24);
    }
  });
});

/** The lowest digits of a number, which choose one of `base` each. */
function digits(number: number, base: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => Math.floor(number / base ** index) % base);
}

function sameOutcome(one: Decoded, other: Decoded): boolean {
  if (typeof one === "string" || typeof other === "string") {
    return one === other;
  }
  return (
    one.length === other.length &&
    one.every(({ time, bits }, row) => time === other[row]!.time && bits === other[row]!.bits)
  );
}
