import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { wordsOf } from "../src/chunk/value-words.ts";
import { decodeXor } from "../src/chunk/xor-decode.ts";
import { encodeXor, xorRoom } from "../src/chunk/xor-encode.ts";
import { toHex } from "./bytes.ts";
import { encodeNaively, type NaiveSample } from "./naive-xor.ts";
import { arbitrarySamples, fixtures, realChunks, specialBits, toColumns, toSamples, vectors } from "./xor-samples.ts";

/** The chunk of all samples, encoded into the middle of a buffer that was full of ones. */
function encode(samples: readonly NaiveSample[], before = 3): Uint8Array {
  const { timestamps, values } = toColumns(samples);
  return encodeColumns(timestamps, values, 0, samples.length, before);
}

function encodeColumns(
  timestamps: Float64Array,
  values: Float64Array,
  start: number,
  end: number,
  before = 3,
): Uint8Array {
  const room = xorRoom(end - start);
  const buffer = new Uint8Array(before + room + 5).fill(255);
  const chunkEnd = encodeXor(timestamps, wordsOf(values), start, end, new DataView(buffer.buffer), before);
  const around = [...buffer.subarray(0, before), ...buffer.subarray(before + room)];
  expect(around.every((byte) => byte === 255)).toBe(true);
  return buffer.slice(before, chunkEnd);
}

function decode(data: Uint8Array): NaiveSample[] {
  const timestamps = new Float64Array((data[0]! << 8) | data[1]!);
  const values = new Float64Array(timestamps.length);
  decodeXor(data, timestamps, values);
  return toSamples(timestamps, values);
}

/** Vectors that no fresh appender makes, or whose times we cannot have. */
const notOurs = new Set(["XOR/00-empty", "XOR/18-int64-extremes", "XOR/19-beyond-2^53", "XOR/21-reopened-appender"]);

describe("encodeXor", () => {
  test.each(vectors.filter(({ name }) => !notOurs.has(name)))(
    "encodes the samples of $name to the bytes of Prometheus 3.14",
    ({ data, samples }) => {
      expect(toHex(encode(samples))).toBe(toHex(data));
    },
  );

  test("encodes the samples of recorded chunks to their bytes, but for the byte 0 that old servers append", () => {
    const ours = realChunks.filter(({ samples }) =>
      samples.every(({ time }) => time <= 2n ** 53n && time >= -(2n ** 53n)),
    );
    const differing = ours.filter(({ data, samples }) => {
      const encoded = toHex(encode(samples));
      return encoded !== toHex(data) && `${encoded}00` !== toHex(data);
    });
    expect(differing.map(({ name }) => name)).toEqual([]);
  });

  test("encodes the samples of Prometheus' own test fixtures to their bytes", () => {
    for (const { data } of fixtures) {
      const encoded = toHex(encode(decode(data)));
      expect([encoded, `${encoded}00`]).toContain(toHex(data));
    }
  });

  test("encodes any samples to what the naive encoder makes of them, and decoding gives them back", () => {
    fc.assert(
      fc.property(arbitrarySamples, fc.nat(8), (samples, before) => {
        const data = encode(samples, before);
        expect(toHex(data)).toBe(toHex(encodeNaively(samples)));
        expect(decode(data)).toEqual(samples);
      }),
      { numRuns: 3_000 },
    );
  });

  test("encodes steps on both sides of every width, at every position of the bits", () => {
    const edges = [1n, 8_191n, 8_192n, 8_193n, 65_535n, 65_536n, 65_537n, 524_287n, 524_288n, 524_289n, 2n ** 40n];
    for (const step of [...edges, ...edges.map((edge) => -edge)]) {
      for (let ahead = 0; ahead < 64; ahead++) {
        // Rows before it that take two bits each, the last of them one more or not.
        const count = 3 + (ahead >> 1);
        const samples = Array.from({ length: count }, (_, row) => ({ time: BigInt(row) * 2n ** 42n, bits: 1n }));
        const time = samples.at(-1)!.time + 2n ** 42n + step;
        const odd = { time: samples.at(-1)!.time + 2n ** 42n, bits: ahead % 2 === 0 ? 1n : 3n };
        const all =
          ahead % 2 === 0 ? [...samples, { time, bits: 2n }] : [...samples, odd, { time: time + 2n ** 42n, bits: 2n }];
        expect(toHex(encode(all))).toBe(toHex(encodeNaively(all)));
      }
    }
  });

  test("encodes every window: any number of leading and of significant bits", () => {
    for (let leading = 0; leading < 64; leading++) {
      for (let significant = 1; significant <= 64 - leading; significant++) {
        const bits = (2n ** BigInt(significant) - 1n) << BigInt(64 - leading - significant);
        const samples = [0n, bits, 0n, bits ^ 0x8000000000000001n, bits].map((value, row) => ({
          time: BigInt(row),
          bits: value,
        }));
        const data = encode(samples);
        expect(toHex(data)).toBe(toHex(encodeNaively(samples)));
        expect(decode(data)).toEqual(samples);
      }
    }
  });

  test("keeps the bits of every special value, cold and after the compiler has seen them often", () => {
    const samples = specialBits.map((bits, row) => ({ time: BigInt(row) * 15_000n, bits }));
    const { timestamps, values } = toColumns(samples);
    const view = new DataView(new ArrayBuffer(xorRoom(samples.length)));
    const expected = toHex(encodeNaively(samples));
    for (let turn = 0; turn < 20_000; turn++) {
      const end = encodeXor(timestamps, wordsOf(values), 0, samples.length, view, 0);
      if (turn < 5 || turn > 19_990) {
        expect(toHex(new Uint8Array(view.buffer, 0, end))).toBe(expected);
      }
    }
  });

  test("encodes a part of the columns as if it were the whole", () => {
    const samples = Array.from({ length: 300 }, (_, row) => ({
      time: BigInt(row * 15_000 + (row % 7)),
      bits: BigInt(row) << 45n,
    }));
    const { timestamps, values } = toColumns(samples);
    for (const [start, end] of [
      [0, 1],
      [7, 8],
      [7, 9],
      [100, 220],
      [0, 300],
      [299, 300],
    ] as const) {
      expect(toHex(encodeColumns(timestamps, values, start, end))).toBe(
        toHex(encodeNaively(samples.slice(start, end))),
      );
    }
  });

  test("needs no more room than it says, whatever the samples", () => {
    // The longest of all: every step takes 64 bits, every value a window of its own of 64.
    const samples = Array.from({ length: 120 }, (_, row) => ({
      time: -(2n ** 53n) + BigInt(row) ** 2n * 2n ** 39n + (row % 2 === 0 ? 0n : 2n ** 38n),
      bits: row % 2 === 0 ? 0n : 0x8000000000000001n,
    }));
    const data = encode(samples);
    expect(decode(data)).toEqual(samples);
    expect(data.length).toBeLessThanOrEqual(xorRoom(120));
    expect(data.length).toBeGreaterThan(120 * 8);
  });

  test("encodes the longest chunk", () => {
    const timestamps = Float64Array.from({ length: 65_536 }, (_, row) => 1_700_000_000_000 + row * 1_000 + (row % 3));
    const values = Float64Array.from({ length: 65_536 }, (_, row) => Math.sqrt(row));
    const decoded = decode(encodeColumns(timestamps, values, 0, 65_535));
    expect(decoded).toEqual(toSamples(timestamps.slice(0, 65_535), values.slice(0, 65_535)));
    expect(() => encodeColumns(timestamps, values, 0, 65_536)).toThrow("rows 0 to 65536 are not 1 to 65535 rows");
  });

  test("refuses rows that are not there, times that no block has, and too little room", () => {
    const view = new DataView(new ArrayBuffer(1_000));
    const words = new Int32Array(20);
    const encodeTimes = (...timesMs: readonly number[]): number =>
      encodeXor(Float64Array.from(timesMs), words, 0, timesMs.length, view, 0);
    expect(() => encodeTimes()).toThrow("rows 0 to 0 are not 1 to 65535 rows of the columns' 0");
    expect(() => encodeXor(new Float64Array(2), words, 0, 3, view, 0)).toThrow(RangeError);
    expect(() => encodeXor(new Float64Array(2), words, -1, 1, view, 0)).toThrow(RangeError);
    expect(() => encodeXor(new Float64Array(20), words, 0, 20, view, 0)).toThrow(RangeError);
    expect(() => encodeTimes(0.5)).toThrow("times 0.5 to 0.5 are not whole numbers");
    expect(() => encodeTimes(Number.NaN)).toThrow(RangeError);
    expect(() => encodeTimes(2 ** 53 + 2)).toThrow(RangeError);
    expect(() => encodeTimes(-(2 ** 53), 0)).toThrow("less than 2^53 between them");
    expect(() => encodeTimes(0, 0.5, 2)).toThrow("row 1: its time is not a whole number");
    expect(() => encodeTimes(0, 1, 1.5, 3)).toThrow("row 2: its time is not a whole number");
    expect(() => encodeTimes(0, 1, Number.NaN, 3)).toThrow("row 2: its time is not a whole number");
    expect(() => encodeTimes(0, 1, 2, 3.5)).toThrow("row 3: its time is not a whole number");
    expect(() => encodeXor(new Float64Array(1), words, 0, 1, new DataView(new ArrayBuffer(xorRoom(1) - 1)), 0)).toThrow(
      `1 rows need room for ${xorRoom(1)} bytes, there are ${xorRoom(1) - 1}`,
    );
    expect(() => encodeXor(new Float64Array(1), words, 0, 1, view, 990)).toThrow(RangeError);
    expect(() => encodeXor(new Float64Array(1), words, 0, 1, view, -1)).toThrow(RangeError);
  });
});
