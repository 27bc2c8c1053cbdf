/** Chunks of types 2 to 6 that are not what a server sends: cut, changed, or claiming what is not there. */
import { type Block, slice } from "@promsplice/core";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { BitSink } from "../src/chunk/bit-sink.ts";
import { chunkBlock } from "../src/chunk/chunk-block.ts";
import { histogramRowsOf } from "../src/chunk/histogram-rows.ts";
import { WatchedBlock } from "../src/watched-block.ts";
import { concatenate, fromHex } from "./bytes.ts";
import { codeOf, errorOf } from "./error-code.ts";
import { exactRows } from "./exact-histogram.ts";
import { plainRows } from "./plain-histogram.ts";
import { type Vector, vectors } from "./vectors.ts";

const T = 1_600_000_000_000;

function vectorOf(name: string): Vector {
  return vectors.find((vector) => vector.name === name)!;
}

/** A block over the data of a chunk with the first and last times of a vector. */
function blockOf({ encoding, decoded }: Vector, data: Uint8Array): Block {
  return chunkBlock({ minMs: Number(decoded![0]!.t), maxMs: Number(decoded!.at(-1)!.t), type: encoding, data });
}

function columnOf(block: Block): unknown {
  return block.kind === "float" ? block.values() : block.histograms();
}

/** Writes fields of a chunk of histograms: the header for so many rows, then what `write` writes. */
function chunkData(count: number, write: (sink: BitSink) => void): Uint8Array {
  const sink = new BitSink();
  sink.put(count, 16);
  sink.put(0, 8);
  write(sink);
  const data = new Uint8Array(sink.finish());
  sink.copyTo(data);
  return data;
}

/** What is wrong with one row of integers, or of floats, at T. */
function problemOf(data: Uint8Array, type = 2): string {
  const error = errorOf(() => chunkBlock({ minMs: T, maxMs: T, type, data }).histograms());
  expect(error.code).toBe("chunk-malformed");
  return error.message;
}

/** The code and what is wrong with rows of integers at T when their times are asked for. */
function problemAt(data: Uint8Array, bucketsMax?: number): string {
  const error = errorOf(() => chunkBlock({ minMs: T, maxMs: T, type: 2, data }, bucketsMax).timestamps());
  return `${error.code}: ${error.message}`;
}

/** Writes the zero threshold 0 and a schema; then come spans. */
function begin(sink: BitSink, schema = 0): void {
  sink.put(0, 8);
  sink.putVarbit(schema >> 31, schema);
}

/** A chunk with positive spans of one bucket each, their offsets given as two words. */
function spansData(...offsets: readonly (readonly [number, number])[]): Uint8Array {
  return chunkData(1, (sink) => {
    begin(sink);
    sink.putUvarbit(0, offsets.length);
    for (const [high, low] of offsets) {
      sink.putUvarbit(0, 1);
      sink.putVarbit(high, low);
    }
    sink.put64(0, 0);
  });
}

/** One row of so many positive spans of a length each, and of bounds of custom buckets; all numbers at T are 0. */
function layoutData(schema: number, spans: number, length: number, bounds: number): Uint8Array {
  return chunkData(1, (sink) => {
    begin(sink, schema);
    sink.putUvarbit(0, spans);
    for (let at = 0; at < spans; at++) {
      sink.putUvarbit(0, length);
      sink.putVarbit(0, 0);
    }
    sink.putUvarbit(0, 0);
    if (schema === -53) {
      sink.putUvarbit(0, bounds);
      for (let at = 0; at < bounds; at++) {
        sink.putUvarbit(0, 1);
      }
    }
    sink.putVarbit(Math.floor(T / 2 ** 32), T | 0);
    for (let left = 66 + spans * length; left > 0; left--) {
      sink.put(0, 1);
    }
  });
}

function samplesOf(block: Block): unknown {
  return block.kind === "float" ? block.values() : plainRows(block);
}

const hostile = vectors.filter(
  ({ name, encoding, decoded }) => encoding > 1 && decoded !== null && !/extremes|beyond|out-of-order/.test(name),
);

describe("a chunk of type 2 to 6", () => {
  test.each(hostile)("$name is malformed wherever it is cut, and the same with bytes behind it", (vector) => {
    const data = fromHex(vector.hex);
    const decode = (bytes: Uint8Array): unknown => columnOf(blockOf(vector, bytes));
    for (let length = 0; length < data.length; length++) {
      const code = codeOf(() => decode(data.subarray(0, length)));
      // The shortest prefixes claim no rows, which is a matter of whoever makes blocks.
      expect([length, length === 2 && data[0] === 0 ? "chunk-malformed" : code]).toEqual([length, "chunk-malformed"]);
      expect(codeOf(() => blockOf(vector, data.subarray(0, length)).timestamps())).toBe("chunk-malformed");
    }
    const longer = concatenate(data, Uint8Array.of(0, 255, 1));
    expect(samplesOf(blockOf(vector, longer))).toEqual(samplesOf(blockOf(vector, data)));
  });

  test("with any bits changed decodes within its count, or is malformed, in both ways of decoding", () => {
    const codes = new Set<string>();
    fc.assert(
      fc.property(
        fc.constantFrom(...hostile),
        fc.array(fc.tuple(fc.nat(4000), fc.nat(7)), { minLength: 1, maxLength: 4 }),
        (vector, flips) => {
          const data = fromHex(vector.hex);
          for (const [at, bit] of flips) {
            data[at % data.length]! ^= 1 << bit;
          }
          const code = codeOf(() => {
            const block = blockOf(vector, data);
            const column = columnOf(block);
            if (block.kind === "histogram") {
              expect(exactRows(block)).toHaveLength(block.count);
            } else {
              expect(column).toHaveLength(block.count);
            }
          });
          codes.add(code);
          const timesCode = codeOf(() => blockOf(vector, data).timestamps());
          // Whatever the values, the times are found where they are.
          expect(timesCode).toBe(code);
        },
      ),
      { numRuns: 5000 },
    );
    expect([...codes].toSorted()).toEqual([
      "RangeError: a chunk without samples is not a block",
      "chunk-malformed",
      "none",
    ]);
  });

  test("claims no more rows than its bytes can hold", () => {
    for (const [type, rowsAByte] of [
      [2, 2],
      [3, 2],
      [4, 8],
      [5, 2],
      [6, 2],
    ] as const) {
      const data = concatenate(Uint8Array.of(0x1f, 0xff, 0), new Uint8Array(Math.ceil(0x1fff / rowsAByte) - 4));
      const error = errorOf(() => chunkBlock({ minMs: 0, maxMs: 0, type, data }));
      expect([error.code, error.message]).toEqual([
        "chunk-malformed",
        `chunk claims 8191 samples in ${data.length} bytes`,
      ]);
    }
  });

  test("whose first or last row is not at the claimed time is malformed", () => {
    for (const name of ["HISTOGRAM/02-three", "FLOAT_HISTOGRAM/02-three", "XOR2/04-counter", "HISTOGRAM_ST/02-three"]) {
      const { encoding, hex } = vectorOf(name);
      const block = chunkBlock({ minMs: T, maxMs: T + 1, type: encoding, data: fromHex(hex) });
      expect(codeOf(() => columnOf(block))).toBe("chunk-malformed");
      expect(errorOf(() => block.timestamps()).message).toMatch(/^chunk claims times /);
    }
  });
});

describe("a chunk of histograms", () => {
  test.each([-10, 53, -52, -54, 2 ** 31 - 1])("refuses the schema %i", (schema) => {
    expect(problemOf(chunkData(1, (sink) => begin(sink, schema)))).toBe(
      `row 0: schema ${schema} is none that is known`,
    );
  });

  test("refuses a schema that is more than 32 bits", () => {
    const data = chunkData(1, (sink) => {
      sink.put(0, 8);
      sink.putVarbit(1, 0);
    });
    expect(problemOf(data)).toBe("row 0: schema 4294967296 is none that is known");
  });

  test("refuses more spans, buckets or bounds than its bytes can hold, before there is room for them", () => {
    const spans = chunkData(1, (sink) => {
      begin(sink);
      sink.putUvarbit(0, 0x7fffffff);
    });
    expect(problemOf(spans)).toMatch(/^row 0: there are 2147483647 spans, and \d bits are left$/);
    const many = chunkData(1, (sink) => {
      begin(sink);
      sink.putUvarbit(-1, -1);
    });
    expect(problemOf(many)).toMatch(/^row 0: there are 18446744073709551615 spans/);
    const buckets = (length: number): Uint8Array =>
      chunkData(1, (sink) => {
        begin(sink);
        sink.putUvarbit(0, 1);
        sink.putUvarbit(0, length);
        sink.putVarbit(0, 0);
        sink.putUvarbit(0, 0);
        sink.put64(0, 0);
      });
    expect(problemOf(buckets(0x7fffffff))).toMatch(
      /^row 0: its spans are of 2147483647 buckets, and \d+ bits are left$/,
    );
    expect(problemOf(buckets(-1))).toBe("row 0: span 0 is of 4294967295 buckets");
    // A bucket of floats begins with 64 bits.
    expect(problemOf(buckets(2), 3)).toMatch(/^row 0: its spans are of 2 buckets, and \d+ bits are left$/);
    const bounds = chunkData(1, (sink) => {
      begin(sink, -53);
      sink.putUvarbit(0, 0);
      sink.putUvarbit(0, 0);
      sink.putUvarbit(0, 1_000_000);
    });
    expect(problemOf(bounds)).toMatch(/^row 0: there are 1000000 bounds, and \d bits are left$/);
  });

  test("refuses more spans, buckets or bounds of a histogram than its limit, though its bytes hold them", () => {
    expect(problemAt(layoutData(0, 1, 65_537, 0))).toBe(
      "limit-exceeded: a chunk has histograms of 65537 buckets, limit is 65536",
    );
    expect(problemAt(layoutData(0, 5, 0, 0), 4)).toBe("limit-exceeded: a chunk has histograms of 5 spans, limit is 4");
    expect(problemAt(layoutData(-53, 0, 0, 5), 4)).toBe(
      "limit-exceeded: a chunk has histograms of 5 bounds, limit is 4",
    );
    const rows = layoutData(0, 1, 3, 0);
    rows[1] = 129;
    const longer = concatenate(rows, new Uint8Array(200));
    expect(problemAt(longer, 3)).toBe(
      "limit-exceeded: a chunk has 129 histograms of 3 buckets each, limit is 384 buckets together",
    );
    expect(codeOf(() => chunkBlock({ minMs: T, maxMs: T, type: 2, data: longer }, 4).timestamps())).toBe("none");
  });

  test("refuses spans that overlap, or begin further off than 32 bits say", () => {
    expect(problemOf(spansData([0, 5], [-1, -1]))).toBe(
      "row 0: span 1 begins 1 buckets before the end of the one before it",
    );
    expect(problemOf(spansData([1, 0]))).toBe("row 0: span 0 has the offset 4294967296");
  });

  test.each([2, 3])("with a time outside ±2^53 is the error that names it: type %i", (type) => {
    // Two empty histograms: the first at 2^53 + `beyond`, the second 1 ms later.
    const data = (beyond: number): Uint8Array =>
      chunkData(2, (sink) => {
        begin(sink);
        sink.putUvarbit(0, 0);
        sink.putUvarbit(0, 0);
        sink.putVarbit(0x200000, beyond);
        // Count and zero count, then the sum; of the second row how they change.
        sink.put(0, type === 2 ? 2 : 0);
        for (let field = 0; field < (type === 2 ? 1 : 3); field++) {
          sink.put64(0, 0);
        }
        sink.putVarbit(0, 1);
        sink.put(0, 3);
      });
    expect(problemOf(data(1), type)).toBe("row 0: time 9007199254740993 is outside ±2^53");
    expect(problemOf(data(0), type)).toBe("row 1: time 9007199254740993 is outside ±2^53");
  });

  test("may be of sums and counts beyond 2^53, which come out whole", () => {
    const rows = histogramRowsOf(
      blockOf(
        vectorOf("HISTOGRAM/15-negative-ts-large-count"),
        fromHex(vectorOf("HISTOGRAM/15-negative-ts-large-count").hex),
      ).histograms(),
    );
    expect([rows.at(0).count, rows.at(1).count]).toEqual([9007199254740993n, 9007199254740995n]);
  });

  test("keeps no more than its rows need where most of them are stale markers", () => {
    // One row of 40 buckets, then 99 stale markers of 4 bits: 4,000 buckets would be there if each row had them.
    const data = chunkData(100, (sink) => {
      begin(sink);
      sink.putUvarbit(0, 1);
      sink.putUvarbit(0, 40);
      sink.putVarbit(0, 0);
      sink.putUvarbit(0, 0);
      sink.putVarbit(0, 1);
      sink.putUvarbit(0, 40);
      sink.putUvarbit(0, 0);
      sink.put64(0, 0);
      for (let bucket = 0; bucket < 40; bucket++) {
        sink.putVarbit(0, bucket === 0 ? 1 : 0);
      }
      for (let row = 1; row < 100; row++) {
        sink.putVarbit(0, row === 1 ? 1 : 0);
        sink.put(0, 2);
        if (row === 1) {
          // A new window of 1 leading and 62 significant bits: the stale marker, from 0.
          sink.put(0b11, 2);
          sink.put(1, 5);
          sink.put(62, 6);
          sink.put(0x7ff00000, 31);
          sink.put(1, 31);
        } else {
          sink.put(0, 1);
        }
      }
    });
    const block = chunkBlock({ minMs: 1, maxMs: 100, type: 2, data });
    const rows = histogramRowsOf(block.histograms());
    expect([rows.length, rows.isStale(0), rows.isStale(1), rows.isStale(99)]).toEqual([100, false, true, true]);
    expect(rows.buckets.buffer.byteLength).toBeLessThanOrEqual(64 * 8 * data.length);
    expect(rows.bucketStarts[100]).toBe(40);
  });
});

describe("start timestamps", () => {
  test("are there through slices and watched blocks, and not where the chunk has none", () => {
    for (const name of ["XOR2/32-st-delta-style", "HISTOGRAM_ST/08-stale-st", "FLOAT_HISTOGRAM_ST/08-stale-st"]) {
      const vector = vectorOf(name);
      const block = blockOf(vector, fromHex(vector.hex));
      const starts = vector.decoded!.map(({ st }) => Number(st));
      const watched = new WatchedBlock(block, { decoded: () => {}, failed: (error) => error });
      expect([...block.startTimestamps!()!]).toEqual(starts);
      expect([...slice(watched, 1, 3).startTimestamps!()!]).toEqual(starts.slice(1, 3));
    }
    for (const name of ["XOR/04-counter", "HISTOGRAM/02-three"]) {
      const vector = vectorOf(name);
      const block = blockOf(vector, fromHex(vector.hex));
      expect([block.startTimestamps!(), slice(block, 0, 1).startTimestamps!()]).toEqual([undefined, undefined]);
    }
  });

  test("outside ±2^53 are an error that names them, to whoever asks for them alone", () => {
    // One row of XOR2 at time 0 whose start is known: 2^53 + 1 before it.
    const data = chunkData(1, (sink) => {
      sink.put(0, 8);
      sink.put64(0, 0);
      let zigzag = (2n ** 53n + 1n) * 2n;
      for (; zigzag > 127n; zigzag >>= 7n) {
        sink.put(Number(zigzag & 127n) | 128, 8);
      }
      sink.put(Number(zigzag), 8);
    });
    data[2] = 0x80;
    const block = chunkBlock({ minMs: 0, maxMs: 0, type: 4, data });
    expect([...block.values()]).toEqual([0]);
    const error = errorOf(() => block.startTimestamps!());
    expect([error.code, error.message]).toEqual([
      "chunk-malformed",
      "row 0: start time -9007199254740993 is outside ±2^53",
    ]);
  });
});
