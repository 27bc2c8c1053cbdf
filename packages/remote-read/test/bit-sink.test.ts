/** Bits out and in again: what BitSink writes is what a naive reading of the format says, and BitCursor reads it. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { BitCursor } from "../src/chunk/bit-cursor.ts";
import { BitSink } from "../src/chunk/bit-sink.ts";
import { addInt64, compareInt64, subtractInt64 } from "../src/chunk/int64-words.ts";
import { errorOf } from "./error-code.ts";

/** Code and payload widths below 64 bits. */
const WIDTHS = [
  ["10", 3],
  ["110", 6],
  ["1110", 9],
  ["11110", 12],
  ["111110", 18],
  ["1111110", 25],
  ["11111110", 56],
] as const;

const edges = WIDTHS.flatMap(([, bits]) => [1n << BigInt(bits - 1), 1n << BigInt(bits)]).flatMap((edge) => [
  edge - 1n,
  edge,
  edge + 1n,
  -edge - 1n,
  -edge,
  -edge + 1n,
]);

const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -5000n, max: 5000n }),
  fc.constantFrom(0n, -(2n ** 63n), 2n ** 63n - 1n, ...edges),
);

function halvesOf(value: bigint): [number, number] {
  return [Number(BigInt.asIntN(32, value >> 32n)), Number(BigInt.asIntN(32, value))];
}

/** A number as the format says it, in zeros and ones. */
function naiveVarbit(value: bigint, isSigned: boolean): string {
  if (value === 0n) {
    return "0";
  }
  for (const [code, bits] of WIDTHS) {
    const half = 1n << BigInt(bits - 1);
    const fits = isSigned ? value > -half && value <= half : BigInt.asUintN(64, value) < 2n * half;
    if (fits) {
      return code + BigInt.asUintN(bits, value).toString(2).padStart(bits, "0");
    }
  }
  return `11111111${BigInt.asUintN(64, value).toString(2).padStart(64, "0")}`;
}

function bitsOf(sink: BitSink): { bits: string; data: Uint8Array } {
  const data = new Uint8Array(sink.finish());
  sink.copyTo(data);
  return { bits: Array.from(data, (byte) => byte.toString(2).padStart(8, "0")).join(""), data };
}

describe("varbit numbers", () => {
  test.each([true, false])("are written as the format says and read again, signed: %s", (isSigned) => {
    fc.assert(
      fc.property(fc.array(int64, { maxLength: 40 }), fc.integer({ min: 1, max: 31 }), (values, lead) => {
        const sink = new BitSink();
        sink.put(0, lead);
        for (const value of values) {
          const [high, low] = halvesOf(value);
          if (isSigned) {
            sink.putVarbit(high, low);
          } else {
            sink.putUvarbit(high, low);
          }
        }
        const expected = "0".repeat(lead) + values.map((value) => naiveVarbit(value, isSigned)).join("");
        const { bits, data } = bitsOf(sink);
        expect(bits).toBe(expected.padEnd(Math.ceil(expected.length / 8) * 8, "0"));
        const cursor = new BitCursor(data, 0, 0);
        cursor.advance(lead);
        for (const value of values) {
          if (isSigned) {
            cursor.readVarbit();
          } else {
            cursor.readUvarbit();
          }
          expect(cursor.toBigInt()).toBe(value);
        }
        expect(cursor.bitsLeft).toBeLessThan(8);
        const skipping = new BitCursor(data, 0, 0);
        skipping.advance(lead);
        skipping.skipVarbits(values.length);
        expect(skipping.position).toBe(cursor.position);
      }),
      { numRuns: 1000 },
    );
  });

  test("are added up as steps of deltas, modulo 2^64", () => {
    fc.assert(
      fc.property(fc.array(fc.array(int64, { minLength: 3, maxLength: 3 }), { maxLength: 20 }), (rows) => {
        const sink = new BitSink();
        for (const step of rows.flat()) {
          sink.putVarbit(...halvesOf(step));
        }
        const { data } = bitsOf(sink);
        const cursor = new BitCursor(data, 0, 0);
        const deltas = new BigInt64Array(3);
        const values = new BigInt64Array(3);
        const expectedDeltas = [0n, 0n, 0n];
        const expected = [0n, 0n, 0n];
        for (const row of rows) {
          cursor.readSteps(new Int32Array(deltas.buffer), new Int32Array(values.buffer), 0, 3);
          for (const [at, step] of row.entries()) {
            expectedDeltas[at] = BigInt.asIntN(64, expectedDeltas[at]! + step);
            expected[at] = BigInt.asIntN(64, expected[at]! + expectedDeltas[at]);
          }
          expect([...values]).toEqual(expected);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("BitCursor", () => {
  test("says where the bytes end, whichever way it is asked to go", () => {
    const sink = new BitSink();
    sink.put(0b1110, 4);
    const { data } = bitsOf(sink);
    const words = new Int32Array(4);
    for (const read of [
      (cursor: BitCursor): unknown => cursor.readBits(9),
      (cursor: BitCursor): void => cursor.read64(),
      (cursor: BitCursor): void => cursor.readVarbit(),
      (cursor: BitCursor): void => cursor.skipVarbits(1),
      (cursor: BitCursor): void => cursor.readSteps(words, words, 0, 1),
      (cursor: BitCursor): void => cursor.readUvarint(),
      (cursor: BitCursor): void => cursor.moveTo(9),
    ]) {
      const cursor = new BitCursor(data, 0, 7);
      cursor.row = 5;
      const error = errorOf(() => read(cursor));
      expect([error.code, error.message]).toEqual([
        "chunk-malformed",
        "row 5: the chunk's 1 bytes end there, its header claims 7 rows",
      ]);
    }
  });

  test("refuses a varint of more than 64 bits", () => {
    const data = new Uint8Array(12).fill(255);
    expect(errorOf(() => new BitCursor(data, 0, 1).readUvarint()).message).toBe(
      "row 0: its varint is longer than 64 bits",
    );
    data[9] = 2;
    expect(errorOf(() => new BitCursor(data, 0, 1).readVarint()).message).toBe(
      "row 0: its varint is longer than 64 bits",
    );
    data[9] = 1;
    const cursor = new BitCursor(data, 0, 1);
    cursor.readUvarint();
    expect(cursor.toBigInt()).toBe(-1n);
  });
});

test("numbers of two words are added, taken away and compared as 64 bits are", () => {
  fc.assert(
    fc.property(int64, int64, (one, other) => {
      const numbers = BigInt64Array.of(one, other);
      const words = new Int32Array(numbers.buffer);
      expect(Math.sign(compareInt64(words, 0, words, 1))).toBe(one < other ? -1 : one > other ? 1 : 0);
      addInt64(words, 0, ...halvesOf(other));
      expect(numbers[0]).toBe(BigInt.asIntN(64, one + other));
      subtractInt64(words, 0, ...halvesOf(other));
      subtractInt64(words, 0, ...halvesOf(other));
      expect(numbers[0]).toBe(BigInt.asIntN(64, one - other));
    }),
    { numRuns: 1000 },
  );
});
