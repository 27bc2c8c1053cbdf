import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import {
  exactInt64,
  int64Bytes,
  int64HalvesBytes,
  readInt64,
  readInt64Halves,
  writeInt64,
  writeInt64Halves,
} from "../../src/wire/varint.ts";
import { fromHex, toHex, varint } from "../bytes.ts";

const EDGES = [
  0n,
  1n,
  127n,
  128n,
  2n ** 28n,
  2n ** 31n,
  2n ** 32n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 53n + 1n,
  2n ** 56n,
  2n ** 63n - 1n,
];

const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -(2n ** 54n), max: 2n ** 54n }),
  fc.constantFrom(...EDGES, ...EDGES.map((edge) => -edge)),
);

describe("readInt64", () => {
  test("reads what is inside ±2^53 exactly, and what is outside as an infinity of its sign", () => {
    fc.assert(
      fc.property(int64, (value) => {
        const bytes = varint(value);
        const cursor = { buf: bytes, pos: 0, len: bytes.length };
        const isInside = value >= -(2n ** 53n) && value <= 2n ** 53n;
        expect(readInt64(cursor)).toBe(isInside ? Number(value) : value > 0n ? Infinity : -Infinity);
        expect(cursor.pos).toBe(bytes.length);
        expect(exactInt64(bytes, 0, bytes.length)).toBe(value);
      }),
      { numRuns: 2000 },
    );
  });

  test("takes numbers that are longer than they must be, up to ten bytes, and drops excess bits", () => {
    expect(readHex("8100")).toBe(1);
    expect(readHex("81808080808080808000")).toBe(1);
    expect(readHex("8180808080808080807e")).toBe(1);
    expect(readHex("ffffffffffffffffff7f")).toBe(-1);
  });

  test("refuses numbers that are cut off or go on after ten bytes", () => {
    expect(() => readHex("")).toThrow("cut off");
    expect(() => readHex("80")).toThrow("cut off");
    expect(() => readHex("ffffffffffffffffff")).toThrow("cut off");
    expect(() => readHex("8080808080808080808000")).toThrow("longer than 10 bytes");
    // What is behind the end does not count.
    expect(() => readInt64({ buf: fromHex("8001"), pos: 0, len: 1 })).toThrow("cut off");
  });
});

describe("writeInt64", () => {
  test("writes what a reader of bigints reads back, in the bytes that it says", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const bytes = new Uint8Array(12);
        const end = writeInt64(bytes, 1, value);
        expect(toHex(bytes.subarray(1, end))).toBe(toHex(varint(value)));
        expect(int64Bytes(value)).toBe(end - 1);
      }),
    );
    for (const value of [0, 127, 128, 2 ** 32, 2 ** 53, -1, -(2 ** 53)]) {
      const bytes = new Uint8Array(10);
      expect(toHex(bytes.subarray(0, writeInt64(bytes, 0, value)))).toBe(toHex(varint(value)));
    }
  });
});

function readHex(hex: string): number {
  const buf = fromHex(hex);
  return readInt64({ buf, pos: 0, len: buf.length });
}

test("numbers of 64 bits go out and come in as their halves, whatever their size", () => {
  fc.assert(
    fc.property(int64, (value) => {
      const expected = varint(value);
      const [high, low] = [Number(BigInt.asIntN(32, value >> 32n)), Number(BigInt.asIntN(32, value))];
      const bytes = new Uint8Array(10);
      expect(int64HalvesBytes(high, low)).toBe(expected.length);
      expect(writeInt64Halves(bytes, 0, high, low)).toBe(expected.length);
      expect(toHex(bytes.subarray(0, expected.length))).toBe(toHex(expected));
      const halves = new Int32Array(2);
      readInt64Halves({ buf: bytes, pos: 0, len: expected.length }, halves);
      expect([...halves]).toEqual([low, high]);
    }),
    { numRuns: 2000 },
  );
});
