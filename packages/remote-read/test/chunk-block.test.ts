import { type Block, columnsBlock, slice } from "@promsplice/core";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { chunkBlock, chunkCount, encodeBlock, type EncodedChunk } from "../src/chunk/chunk-block.ts";
import { bitsOf, concatenate, fromHex, toHex } from "./bytes.ts";
import { codeOf, errorOf } from "./error-code.ts";
import { encodeNaively, type NaiveSample } from "./naive-xor.ts";
import { arbitrarySamples, realChunks, specialBits, toColumns, toSamples, vectors } from "./xor-samples.ts";

function chunkOf(samples: readonly NaiveSample[]): EncodedChunk {
  return {
    minMs: Number(samples[0]!.time),
    maxMs: Number(samples.at(-1)!.time),
    type: 1,
    data: encodeNaively(samples),
  };
}

function samplesOf(block: Block): NaiveSample[] {
  return toSamples(block.timestamps(), block.values());
}

/** Five samples, 15 s apart, with a stale marker in the middle. */
const five: readonly NaiveSample[] = [1n, 2n, 0x7ff0000000000002n, 4n, 5n].map((bits, row) => ({
  time: 1_700_000_000_000n + BigInt(row) * 15_000n,
  bits,
}));

describe("chunkBlock", () => {
  test("knows kind, times, count and bytes without decoding", () => {
    const chunk = { ...chunkOf(five), data: concatenate(Uint8Array.of(0, 5), new Uint8Array(10).fill(255)) };
    const block = chunkBlock(chunk);
    expect([block.kind, block.firstMs, block.lastMs, block.count, block.detached]).toEqual([
      "float",
      1_700_000_000_000,
      1_700_000_060_000,
      5,
      false,
    ]);
    expect(block.bytes).toBe(chunk.data);
    expect(codeOf(() => block.timestamps())).toBe("chunk-malformed");
  });

  test("decodes recorded chunks to the recorded samples", () => {
    for (const { samples, data } of [...vectors, ...realChunks]) {
      const [first, last] = [samples[0]?.time ?? 1n, samples.at(-1)?.time ?? 0n];
      if (first <= last && last <= 2n ** 53n && first >= -(2n ** 53n)) {
        expect(samplesOf(chunkBlock({ minMs: Number(first), maxMs: Number(last), type: 1, data }))).toEqual(samples);
      }
    }
  });

  test("decodes the times alone, and the values when they are asked for", () => {
    const chunk = chunkOf(five);
    const block = chunkBlock(chunk);
    const timestamps = block.timestamps();
    expect([...timestamps]).toEqual(five.map(({ time }) => Number(time)));
    chunk.data.fill(255, 2);
    expect(codeOf(() => block.values())).toBe("chunk-malformed");
    expect(block.timestamps()).toBe(timestamps);
  });

  test("decodes both once and keeps them", () => {
    const chunk = chunkOf(five);
    const block = chunkBlock(chunk);
    const values = block.values();
    chunk.data.fill(255);
    expect(bitsOf(values)).toEqual(five.map(({ bits }) => bits.toString(16).padStart(16, "0")));
    expect(block.values()).toBe(values);
    expect([...block.timestamps()]).toEqual(five.map(({ time }) => Number(time)));
    expect(block.timestamps()).toBe(block.timestamps());
  });

  test("gives the same timestamps before and after the values", () => {
    const block = chunkBlock(chunkOf(five));
    const timestamps = block.timestamps();
    expect(samplesOf(block)).toEqual(five);
    expect(block.timestamps()).toBe(timestamps);
  });

  test("gives single values", () => {
    const block = chunkBlock(
      chunkOf([0x3ff0000000000000n, 0x4000000000000000n].map((bits, row) => ({ time: BigInt(row), bits }))),
    );
    expect([block.valueAt(1), block.valueAt(0)]).toEqual([2, 1]);
  });

  test("has no histograms", () => {
    expect(() => chunkBlock(chunkOf(five)).histograms()).toThrow(TypeError);
  });

  test("is a block like any other: slices of it are views", () => {
    const part = slice(chunkBlock(chunkOf(five)), 1, 4);
    expect(samplesOf(part)).toEqual(five.slice(1, 4));
    expect(part.bytes).toBeUndefined();
  });

  test("gives every block columns of its own", () => {
    const blocks = Array.from({ length: 400 }, (_, index) =>
      chunkBlock(
        chunkOf(
          Array.from({ length: 1 + (index % 50) }, (_unused, row) => ({
            time: BigInt(row + index),
            bits: BigInt(index),
          })),
        ),
      ),
    );
    for (const block of blocks) {
      block.timestamps();
    }
    for (const [index, block] of blocks.entries()) {
      expect(samplesOf(block)).toEqual(
        Array.from({ length: 1 + (index % 50) }, (_, row) => ({ time: BigInt(row + index), bits: BigInt(index) })),
      );
    }
    for (const [index, block] of blocks.entries()) {
      expect(samplesOf(block)[0]).toEqual({ time: BigInt(index), bits: BigInt(index) });
    }
  });

  test("decodes the longest chunk", () => {
    const timestamps = Float64Array.from({ length: 65_535 }, (_, row) => row * 1_000);
    const samples = toSamples(timestamps, Float64Array.from(timestamps, Math.sqrt));
    expect(samplesOf(chunkBlock(chunkOf(samples)))).toEqual(samples);
  });

  test.each([0, 7, -1, 1.5])("refuses type %i", (type) => {
    expect(codeOf(() => chunkBlock({ ...chunkOf(five), type }))).toBe("chunk-type-unsupported");
  });

  test("refuses a chunk that is shorter than its header, and one of no samples", () => {
    for (const data of [new Uint8Array(0), Uint8Array.of(0)]) {
      const error = errorOf(() => chunkBlock({ ...chunkOf(five), data }));
      expect([error.code, error.message]).toEqual([
        "chunk-malformed",
        `chunk is ${data.length} bytes, its header alone is 2`,
      ]);
    }
    expect(() => chunkBlock({ ...chunkOf(five), data: fromHex("0000") })).toThrow(RangeError);
  });

  test("refuses a count that cannot be in so few bytes, before it allocates", () => {
    const data = fromHex("ffff80a0abfef9623ff00000000000009875");
    const error = errorOf(() => chunkBlock({ ...chunkOf(five), data }));
    expect([error.code, error.message]).toEqual(["chunk-malformed", "chunk claims 65535 samples in 18 bytes"]);
  });

  test.each([
    [2, 1],
    [Number.NaN, 1],
    [1, Number.NaN],
    [-(2 ** 53) - 2, 0],
    [0, 2 ** 53 + 2],
    [-Infinity, Infinity],
  ])("refuses claimed times %d to %d", (minMs, maxMs) => {
    expect(codeOf(() => chunkBlock({ ...chunkOf(five), minMs, maxMs }))).toBe("chunk-malformed");
  });

  test("throws for a first or last row that is not at the claimed time, each time that a column is asked for", () => {
    const chunk = chunkOf(five);
    for (const wrong of [
      { minMs: chunk.minMs - 1 },
      { minMs: chunk.minMs + 1 },
      { maxMs: chunk.maxMs - 1 },
      { maxMs: chunk.maxMs + 1 },
    ]) {
      const block = chunkBlock({ ...chunk, ...wrong });
      const claim = `chunk claims times ${block.firstMs} to ${block.lastMs}, its samples are at 1700000000000 to 1700000060000`;
      for (const ask of [
        () => block.timestamps(),
        () => block.values(),
        () => block.valueAt(0),
        () => block.timestamps(),
      ]) {
        expect([errorOf(ask).code, errorOf(ask).message]).toEqual(["chunk-malformed", claim]);
      }
    }
  });

  test("throws each time where the data do not decode", () => {
    const chunk = chunkOf(five);
    const block = chunkBlock({ ...chunk, data: chunk.data.subarray(0, -3) });
    for (const ask of [() => block.values(), () => block.timestamps(), () => block.values()]) {
      expect(errorOf(ask).message).toContain("bytes end there, its header claims 5 rows");
    }
  });
});

function countOf(type: number, hex: string): number {
  return chunkCount({ type, data: fromHex(hex) });
}

describe("chunkCount", () => {
  test("reads the header", () => {
    expect([countOf(1, "0000"), countOf(1, "0102ff"), countOf(1, "ffff")]).toEqual([0, 258, 65_535]);
    expect([2, 3, 4].map((type) => countOf(type, "ffff00"))).toEqual([65_535, 65_535, 65_535]);
    // The upper two bits are about counter resets there.
    expect([5, 6].map((type) => [countOf(type, "ffff00"), countOf(type, "c00000")])).toEqual([
      [16_383, 0],
      [16_383, 0],
    ]);
  });

  test("takes two zero bytes for an empty chunk of any type, and refuses what is shorter than a header", () => {
    for (const type of [1, 2, 3, 4, 5, 6]) {
      expect(chunkCount({ type, data: new Uint8Array(2) })).toBe(0);
      expect(codeOf(() => chunkCount({ type, data: Uint8Array.of(1) }))).toBe("chunk-malformed");
      expect(codeOf(() => chunkCount({ type, data: Uint8Array.of(0, 1) }))).toBe(
        type === 1 ? "none" : "chunk-malformed",
      );
    }
    expect(codeOf(() => chunkCount({ type: 7, data: new Uint8Array(3) }))).toBe("chunk-type-unsupported");
  });
});

describe("encodeBlock", () => {
  test("gives chunks that decode to the block's rows, at most 120 each, with the times of their first and last rows", () => {
    for (const count of [1, 2, 119, 120, 121, 240, 601]) {
      const samples = Array.from({ length: count }, (_, row) => ({
        time: BigInt(row * 15_000 - (row % 5)),
        bits: specialBits[row % specialBits.length]!,
      }));
      const chunks = encodeBlock(columnsBlock(toColumns(samples)));
      expect(chunks.map((chunk) => chunkCount(chunk))).toEqual(
        Array.from({ length: Math.ceil(count / 120) }, (_, index) => Math.min(120, count - index * 120)),
      );
      expect(chunks.every(({ type }) => type === 1)).toBe(true);
      expect(chunks.flatMap((chunk) => samplesOf(chunkBlock(chunk)))).toEqual(samples);
    }
  });

  test("encodes any block and gives it back, sliced or whole", () => {
    fc.assert(
      fc.property(arbitrarySamples, fc.nat(), (samples, cut) => {
        const start = cut % samples.length;
        const block = chunkBlock(chunkOf(samples));
        const chunks = encodeBlock(slice(block, start, samples.length));
        expect(chunks.map(({ data }) => toHex(data))).toEqual([toHex(encodeNaively(samples.slice(start)))]);
        expect(samplesOf(chunkBlock(chunks[0]!))).toEqual(samples.slice(start));
      }),
      { numRuns: 500 },
    );
  });

  test("gives chunks that later ones leave as they are", () => {
    const blocks = Array.from({ length: 300 }, (_, index) =>
      columnsBlock(
        toColumns(
          Array.from({ length: 120 }, (_unused, row) => ({
            time: BigInt(row * 1_000 + index),
            bits: BigInt(row) << BigInt(index % 56),
          })),
        ),
      ),
    );
    const chunks = blocks.map((block) => encodeBlock(block)[0]!);
    for (const [index, chunk] of chunks.entries()) {
      expect(samplesOf(chunkBlock(chunk))).toEqual(samplesOf(blocks[index]!));
    }
  });

  test("cuts where the times of one chunk would be 2^53 or more apart", () => {
    const times = [-(2n ** 53n), -(2n ** 53n) + 1n, -1n, 0n, 2n ** 53n - 1n, 2n ** 53n];
    const samples = times.map((time) => ({ time, bits: 1n }));
    const chunks = encodeBlock(columnsBlock(toColumns(samples)));
    expect(chunks.map((chunk) => chunkCount(chunk))).toEqual([3, 2, 1]);
    expect(chunks.flatMap((chunk) => samplesOf(chunkBlock(chunk)))).toEqual(samples);
  });
});
