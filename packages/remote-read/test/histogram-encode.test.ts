/** Histograms as chunks: the bytes of Prometheus' appenders, and what is decoded again. */
import { type Block, histogramBlock, slice } from "@promsplice/core";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { chunkBlock, chunkCount, chunksOf, encodeBlock, type EncodedChunk } from "../src/chunk/chunk-block.ts";
import { fromHex, toHex } from "./bytes.ts";
import { codeOf } from "./error-code.ts";
import { exactBlock, type ExactHistogram, exactRows, filledBuckets } from "./exact-histogram.ts";
import { anyHistogramSeries, recordedSeries } from "./histogram-series.ts";
import { plainRows } from "./plain-histogram.ts";
import { realChunks, vectors } from "./vectors.ts";

function chunkOf(type: number, hex: string, rows: readonly { readonly t: string }[]): EncodedChunk {
  return { minMs: Number(rows[0]!.t), maxMs: Number(rows.at(-1)!.t), type, data: fromHex(hex) };
}

/** The bytes but for the header's flags: the original's are about a chunk before, and sometimes a guess. */
function withoutHint(hex: string): string {
  return hex.slice(0, 4) + hex.slice(6);
}

/** Header flags are about the chunk before, which the vectors' decoded rows know nothing of. */
function withoutFlags(hex: string): string {
  return `${hex.slice(0, 4)}00${hex.slice(6)}`;
}

describe("encodeBlock of histograms", () => {
  const plain = vectors.filter(({ encoding, decoded }) => decoded !== null && (encoding === 2 || encoding === 3));
  test.each(plain)("gives the bytes of the appender: $name", ({ encoding, hex, decoded }) => {
    const chunks = encodeBlock(chunkBlock(chunkOf(encoding, hex, decoded!)));
    expect(chunks.map(({ data }) => toHex(data))).toEqual([hex.startsWith("c0", 4) ? hex : withoutFlags(hex)]);
    expect(chunks.map(({ type, minMs, maxMs }) => [type, String(minMs), String(maxMs)])).toEqual([
      [encoding, decoded![0]!.t, decoded!.at(-1)!.t],
    ]);
  });

  const withStarts = vectors.filter(({ encoding }) => encoding > 4);
  test.each(withStarts)("gives chunks without start timestamps, which read the same: $name", (vector) => {
    const block = chunkBlock(chunkOf(vector.encoding, vector.hex, vector.decoded!));
    const chunks = encodeBlock(block);
    expect(chunks.map(({ type }) => type)).toEqual([vector.encoding - 3]);
    expect(plainRows(chunkBlock(chunks[0]!))).toEqual(plainRows(block));
  });

  const real = realChunks.filter(({ encoding }) => encoding === 2 || encoding === 3);
  test.each(real.map((chunk) => [chunk.sources.join(", "), chunk] as const))(
    "gives the bytes of a real server, but for what old ones append: %s",
    (_, { encoding, hex, samples }) => {
      const block = chunkBlock(chunkOf(encoding, hex, samples));
      const [chunk, ...others] = encodeBlock(block);
      expect(others).toEqual([]);
      const got = toHex(chunk!.data);
      const expected = hex.startsWith("c0", 4) ? hex : withoutFlags(hex);
      expect([expected, expected.replace(/00$/, "")]).toContain(got);
    },
  );
});

/** A gauge of floats with so many buckets above 0, all different. */
function wideGauge(timeMs: number, buckets: number): ExactHistogram {
  return {
    t: String(timeMs),
    hint: 3,
    schema: 0,
    threshold: "0000000000000000",
    ps: [[0, buckets]],
    ns: [[-5, 1]],
    count: "4000000000000000",
    zero: "3ff0000000000000",
    sum: "4000000000000000",
    pb: Array.from({ length: buckets }, (_, at) => (at + 1).toString(16).padStart(16, "0")),
    nb: ["3ff0000000000000"],
  };
}

function filledText(row: ExactHistogram): string {
  return JSON.stringify(filledBuckets(true, row));
}

describe("a series of histograms as chunks", () => {
  test.each(recordedSeries.map((series, index) => [index, series] as const))(
    "is cut, laid out and written as by Prometheus' appenders: %i",
    (_, { float, rows, chunks }) => {
      const encoded = encodeBlock(exactBlock(float, rows));
      expect(encoded.map(({ data }) => withoutHint(toHex(data)))).toEqual(chunks.map(withoutHint));
      const decoded = encoded.flatMap((chunk) => exactRows(chunkBlock(chunk)));
      const filled = (row: ExactHistogram): unknown => filledBuckets(float, { ...row, hint: 0 });
      expect(decoded.map(filled)).toEqual(rows.map(filled));
    },
  );

  test("says reset, unknown or gauge of a chunk's first row as the appenders do, but never no reset of what it has not seen", () => {
    const seen = new Set<string>();
    for (const { float, rows, chunks } of recordedSeries) {
      for (const [index, { data }] of encodeBlock(exactBlock(float, rows)).entries()) {
        seen.add(`${chunks[index]!.slice(4, 6)} ${toHex(data).slice(4, 6)}`);
      }
    }
    expect([...seen].toSorted()).toEqual(["00 00", "40 00", "80 80", "c0 c0"]);
  });

  test("decodes to itself where the layout stays: gauges to the last bit", () => {
    fc.assert(
      fc.property(anyHistogramSeries([3], 1), ({ float, rows }) => {
        // A stale marker is no gauge: it begins a chunk of its own.
        const chunks = encodeBlock(exactBlock(float, rows));
        expect(chunks.flatMap((chunk) => exactRows(chunkBlock(chunk)))).toEqual(rows);
      }),
      { numRuns: 500 },
    );
  });

  test("decodes to itself where the layout stays: counters to the last bit, but for what follows from the cuts", () => {
    fc.assert(
      fc.property(anyHistogramSeries([0, 1, 2], 1), ({ float, rows }) => {
        const decoded = encodeBlock(exactBlock(float, rows)).flatMap((chunk) => exactRows(chunkBlock(chunk)));
        expect(decoded.map((row) => ({ ...row, hint: 0 }))).toEqual(rows.map((row) => ({ ...row, hint: 0 })));
      }),
      { numRuns: 500 },
    );
  });

  test("decodes to the same buckets and fields whatever its layouts and hints, and its hints follow from the cuts", () => {
    fc.assert(
      fc.property(anyHistogramSeries([0, 1, 2, 3], 4), ({ float, rows }) => {
        const chunks = encodeBlock(exactBlock(float, rows));
        const decoded = chunks.map((chunk) => exactRows(chunkBlock(chunk)));
        const filled = (row: ExactHistogram): unknown => filledBuckets(float, { ...row, hint: 0 });
        expect(decoded.flat().map(filled)).toEqual(rows.map(filled));
        for (const [index, { hint, sum }] of decoded.flat().entries()) {
          expect(hint === 3).toBe(rows[index]!.hint === 3);
          expect(sum === "7ff0000000000002" ? hint : 0).toBe(0);
        }
        for (const [first, ...others] of decoded) {
          expect([0, 3]).toContain(first!.hint);
          expect(others.filter(({ hint, sum }) => hint === 0 && sum !== "7ff0000000000002")).toEqual([]);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test("is cut after 120 rows, and where the times of one chunk would be 2^53 or more apart", () => {
    const row = recordedSeries[0]!.rows.find(({ sum }) => sum !== "7ff0000000000002")!;
    const at = (times: readonly number[]): number[] =>
      encodeBlock(
        exactBlock(
          recordedSeries[0]!.float,
          times.map((t) => ({ ...row, t: String(t), hint: 0 })),
        ),
      ).map((chunk) => chunkCount(chunk));
    expect(at(Array.from({ length: 250 }, (_, index) => 1000 * index))).toEqual([120, 120, 10]);
    expect(at([-(2 ** 53), -(2 ** 53) + 1, -1, 0, 2 ** 53 - 1, 2 ** 53])).toEqual([3, 2, 1]);
  });

  test("may be as wide as it likes, if whoever decodes it allows so many buckets", () => {
    const width = 200_000;
    const rows = [wideGauge(1, width), wideGauge(2, width + 1), wideGauge(3, 1)];
    const chunks = encodeBlock(exactBlock(true, rows));
    expect(chunks.map((chunk) => chunkCount(chunk))).toEqual([3]);
    expect(chunks[0]!.data.length).toBeGreaterThan(8 * width);
    expect(codeOf(() => chunkBlock(chunks[0]!).histograms())).toBe("limit-exceeded");
    const decoded = exactRows(chunkBlock(chunks[0]!, width + 2));
    // Not compared by vitest, which is slow at objects of this size.
    expect(decoded.map(filledText).join() === rows.map(filledText).join()).toBe(true);
  });

  test("refuses times that are no block's, and histograms of another kind", () => {
    const [{ float, rows }] = recordedSeries as [(typeof recordedSeries)[0]];
    // The first and the last time are looked at where a block is made, those between here.
    const block = exactBlock(
      float,
      [1, 1.5, 3].map((t) => ({ ...rows[0]!, t: String(t) })),
    );
    expect(() => encodeBlock(block)).toThrow(RangeError);
    const foreign = histogramBlock(Float64Array.of(1), [1]);
    expect(() => encodeBlock(foreign)).toThrow(TypeError);
  });
});

const three = vectors.find(({ name }) => name === "HISTOGRAM/02-three")!;

/** The third bytes of the chunks that a block is encoded as. */
function flagsOf(block: Block): string[] {
  return encodeBlock(block).map(({ data }) => toHex(data).slice(4, 6));
}

/** Passes on a chunk whose third byte is given, and returns that byte of what comes out. */
function passOn(flags: string, detached: boolean): string {
  const hex = `${three.hex.slice(0, 4)}${flags}${three.hex.slice(6)}`;
  const chunk = chunkOf(2, hex, three.decoded!);
  const [out, ...others] = chunksOf(slice(chunkBlock(chunk), 0, 3, { detached }));
  expect(others).toEqual([]);
  expect(out).toMatchObject({ type: 2, minMs: chunk.minMs, maxMs: chunk.maxMs });
  // What came in is not written to, and only copied where it must change.
  expect(toHex(chunk.data)).toBe(hex);
  expect(out!.data === chunk.data).toBe(toHex(out!.data) === hex);
  expect(toHex(out!.data).slice(6)).toBe(hex.slice(6));
  return toHex(out!.data).slice(4, 6);
}

describe("the first row's hint", () => {
  const whole = chunkBlock(chunkOf(2, three.hex, three.decoded!));

  test("stays no reset in a slice that follows its true predecessor, and is unknown in one that does not", () => {
    expect(flagsOf(slice(whole, 1, 3))).toEqual(["00"]);
    expect(flagsOf(slice(whole, 1, 3, { detached: false }))).toEqual(["40"]);
    const gauge = vectors.find(({ name }) => name === "HISTOGRAM/11-gauge")!;
    expect(flagsOf(slice(chunkBlock(chunkOf(2, gauge.hex, gauge.decoded!)), 1, 2))).toEqual(["c0"]);
  });

  test("is forgotten on a copy where a chunk is passed on behind another predecessor, unless it is of a gauge", () => {
    expect(["00", "40", "80", "c0"].map((flags) => passOn(flags, false))).toEqual(["00", "40", "80", "c0"]);
    expect(["00", "40", "80", "c0"].map((flags) => passOn(flags, true))).toEqual(["00", "00", "00", "c0"]);
  });

  test("is not touched in chunks of floats, which have no such header", () => {
    const vector = vectors.find(({ name }) => name === "XOR/04-counter")!;
    const block = chunkBlock(chunkOf(1, vector.hex, vector.decoded!));
    expect(chunksOf(slice(block, 0, block.count, { detached: true }))[0]!.data).toBe(block.bytes);
  });

  test("is of no matter where chunks with start timestamps come in: they leave as their plain kind", () => {
    for (const { encoding, hex, decoded } of vectors.filter(
      (vector) => vector.encoding > 3 && vector.decoded !== null,
    )) {
      const inside = decoded!.every(({ t }) => Math.abs(Number(t)) <= 2 ** 53);
      const inOrder = decoded!.every(({ t }, row) => row === 0 || Number(t) > Number(decoded![row - 1]!.t));
      if (inside && inOrder) {
        const types = chunksOf(chunkBlock(chunkOf(encoding, hex, decoded!))).map(({ type }) => type);
        expect(new Set(types)).toEqual(new Set([encoding === 4 ? 1 : encoding - 3]));
      }
    }
  });
});
