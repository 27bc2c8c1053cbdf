/** Native histograms in a SAMPLES answer: read, written, and between floats. */
import { type Block, columnsBlock, histogramBlock, slice } from "@promsplice/core";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { decodeReadResponse, ReadResponseEncoder } from "../src/read-response.ts";
import { concatenate, field, fromHex, toHex, varint } from "./bytes.ts";
import { codeOf } from "./error-code.ts";
import { exactBlock, type ExactHistogram, exactRows } from "./exact-histogram.ts";
import { anyHistogramSeries } from "./histogram-series.ts";
import { encodeByReflection, reflect } from "./prompb.ts";
import { readExchange, readRecording, samplesNames } from "./recording.ts";

const LABELS = ["__name__", "h"];
const STALE = "7ff0000000000002";

/** A histogram of integers, its schema 0: counts 1, 2 in buckets 0 and 1. */
const one: ExactHistogram = {
  t: "1000",
  hint: 0,
  schema: 0,
  threshold: "37f0000000000000",
  ps: [[0, 2]],
  ns: [],
  count: "5",
  zero: "2",
  sum: "4032666666666666",
  pb: ["1", "1"],
  nb: [],
};

function encode(blocks: readonly Block[]): Uint8Array {
  const encoder = new ReadResponseEncoder();
  encoder.startResult();
  encoder.writeSeries(LABELS, blocks);
  return encoder.finish();
}

/** The blocks of the only series of an answer. */
function decode(answer: Uint8Array): Block[] {
  const { results } = decodeReadResponse(answer);
  expect(results.map((series) => series.length)).toEqual([1]);
  return [...results[0]![0]!.blocks];
}

/** An answer with one series of the fields given. */
function answerOf(...fields: readonly Uint8Array[]): Uint8Array {
  return field(1, field(1, concatenate(...fields)));
}

function histogramField(...fields: readonly string[]): Uint8Array {
  return field(4, fromHex(fields.join("")));
}

/** Spans as another implementation has them. */
function spansOf(list: unknown): unknown[] {
  return (list as { offset: number; length: number }[]).map(({ offset, length }) => [offset, length]);
}

describe("histograms of a SAMPLES answer", () => {
  const recorded = samplesNames.filter((name) =>
    readExchange(name).response.decoded!.results!.some(({ timeseries }) =>
      timeseries.some(({ histograms }) => histograms.length > 0),
    ),
  );

  test("are recorded, 21 answers", () => {
    expect(recorded).toHaveLength(21);
  });

  test.each(recorded)("are written as the bytes they were read from: %s", (name) => {
    const body = readRecording(`${name}.resp.pb`);
    const encoder = new ReadResponseEncoder();
    for (const series of decodeReadResponse(body).results) {
      encoder.startResult();
      for (const { labels, blocks } of series) {
        encoder.writeSeries(labels, blocks);
      }
    }
    expect(toHex(encoder.finish())).toBe(toHex(body));
  });

  test("are written and read to the last bit, whatever they hold", () => {
    fc.assert(
      fc.property(anyHistogramSeries([0, 1, 2, 3], 3), ({ float, rows }) => {
        const blocks = decode(encode([exactBlock(float, rows)]));
        expect(blocks.flatMap(exactRows)).toEqual(rows);
      }),
      { numRuns: 1000 },
    );
  });

  test("are written as another implementation reads and writes them", () => {
    fc.assert(
      fc.property(anyHistogramSeries([0, 1, 2, 3], 2), ({ float, rows }) => {
        const bytes = encode([exactBlock(float, rows)]);
        const message = reflect("ReadResponse", bytes) as {
          results: { timeseries: { histograms: Record<string, unknown>[] }[] }[];
        };
        const { histograms: messages } = message.results[0]!.timeseries[0]!;
        expect(
          messages.map((histogram) => [histogram["timestamp"], histogram["schema"], histogram["reset_hint"]]),
        ).toEqual(rows.map(({ t, schema, hint }) => [t, schema, hint]));
        expect(
          messages.map(({ positive_spans, negative_spans }) => [spansOf(positive_spans), spansOf(negative_spans)]),
        ).toEqual(rows.map(({ ps, ns }) => [ps, ns]));
        if (!float) {
          expect(messages.map(({ count_int, zero_count_int }) => [count_int, zero_count_int])).toEqual(
            rows.map(({ count, zero }) => [count, zero]),
          );
          expect(messages.map(({ positive_deltas, negative_deltas }) => [positive_deltas, negative_deltas])).toEqual(
            rows.map(({ pb, nb }) => [pb, nb]),
          );
        }
      }),
      { numRuns: 300 },
    );
  });

  test("are read in any form that another implementation may write", () => {
    const deltas = encodeByReflection("Histogram", {
      count_int: "3",
      zero_count_int: "0",
      sum: 1,
      positive_spans: [{ offset: -1, length: 2 }],
      positive_deltas: ["1", "-1"],
      reset_hint: 7,
      timestamp: "5",
    });
    expect(decode(answerOf(field(4, deltas))).flatMap(exactRows)).toEqual([
      // An unknown hint says nothing.
      {
        ...one,
        t: "5",
        threshold: "0000000000000000",
        ps: [[-1, 2]],
        count: "3",
        zero: "0",
        sum: "3ff0000000000000",
        pb: ["1", "-1"],
      },
    ]);
    // Lists that are not packed or come in parts, a span whose fields are turned around, unknown fields, the last scalar wins.
    const parts = histogramField("0863", "0803", "6002", "6201 01", "5a04 1002 0801", "78 05", "3000", "a2 06 00");
    expect(decode(answerOf(parts)).flatMap(exactRows)).toMatchObject([{ count: "3", ps: [[-1, 2]], pb: ["1", "-1"] }]);
  });

  test("hold a zero count of the kind of the count, or none", () => {
    const zeroOfOtherKind = histogramField("11 000000000000f03f", "3005", "7805");
    expect(decode(answerOf(zeroOfOtherKind)).flatMap(exactRows)).toMatchObject([
      { count: "3ff0000000000000", zero: "0000000000000000" },
    ]);
    // Without any count they are of integers.
    expect(decode(answerOf(histogramField("7805"))).flatMap(exactRows)).toMatchObject([{ count: "0", zero: "0" }]);
  });

  test("of custom buckets may lack their bounds, as those of 3.5.3 do", () => {
    const blocks = decode(encode([exactBlock(false, [{ ...one, schema: -53 }])]));
    expect(blocks.flatMap(exactRows)).toEqual([{ ...one, schema: -53 }]);
  });

  test("that are stale markers are nothing but that", () => {
    const row = { ...one, sum: STALE };
    const bytes = encodeByReflection("Histogram", {
      count_int: "7",
      zero_count_int: "1",
      schema: 3,
      positive_spans: [{ offset: 1, length: 1 }],
      timestamp: "9",
    });
    const [block] = decode(answerOf(field(4, concatenate(bytes, fromHex("19 02000000 0000f07f")))));
    expect(exactRows(block!)).toEqual([
      { ...row, t: "9", schema: 0, threshold: "0000000000000000", ps: [], count: "0", zero: "0", pb: [] },
    ]);
  });

  test("forget what they say of a reset where they do not follow their predecessor", () => {
    const block = exactBlock(false, [
      { ...one, hint: 2 },
      { ...one, t: "2000", hint: 2 },
    ]);
    const hints = (detached: boolean): number[] =>
      decode(encode([slice(block, 0, 2, { detached })]))
        .flatMap(exactRows)
        .map(({ hint }) => hint);
    expect(hints(false)).toEqual([2, 2]);
    expect(hints(true)).toEqual([0, 2]);
    const gauge = exactBlock(false, [{ ...one, hint: 3 }]);
    expect(decode(encode([slice(gauge, 0, 1, { detached: true })])).flatMap(exactRows)[0]!.hint).toBe(3);
  });

  test.each([
    ["spans of more buckets than there are", histogramField("0803", "5a02 1002", "6201 02")],
    ["spans of fewer buckets than there are", histogramField("0803", "5a02 1001", "6202 0202")],
    ["spans of four thousand million buckets", histogramField("0803", "5a06 10 ffffffff0f", "6201 02")],
    ["spans that overlap", histogramField("0803", "5a02 1001", "5a04 0801 1001", "6202 0202")],
    ["the schema 53", histogramField("0803", "20 6a")],
    ["the schema −54", histogramField("0803", "20 6b")],
    ["a count of eight bytes as a varint", histogramField("09 0000000000000000")],
    ["deltas that are cut off", histogramField("0803", "6201 80")],
    ["counts that are cut off", histogramField("11 0000000000000000", "6a07 00000000000000")],
    ["a time outside ±2^53", field(4, concatenate(fromHex("78"), varint(2n ** 53n + 1n)))],
    ["a histogram that is no message", fromHex("20 01")],
  ])("are refused with %s", (_, bytes) => {
    expect(codeOf(() => decodeReadResponse(answerOf(bytes)))).toBe("protobuf-malformed");
  });

  test("are an error wherever they are cut off", () => {
    const bytes = encode([exactBlock(false, [one])]);
    const codes = new Set<string>();
    for (let length = 1; length < bytes.length; length++) {
      codes.add(codeOf(() => decodeReadResponse(bytes.subarray(0, length))));
    }
    expect([...codes]).toEqual(["protobuf-malformed"]);
  });

  test("of another kind than this package's cannot be written", () => {
    expect(() => encode([histogramBlock(Float64Array.of(1), [1])])).toThrow(TypeError);
  });
});

function floatsOf(...times: readonly number[]): Block {
  return columnsBlock({ timestamps: Float64Array.from(times), values: Float64Array.from(times) });
}

/** Histograms of one kind, all alike but for their times. */
function histogramsOf(isFloat: boolean, hint: number, ...times: readonly number[]): Block {
  const count = "3ff0000000000000";
  const counts = isFloat ? { count, zero: "0000000000000000", pb: [count, count] } : {};
  return exactBlock(
    isFloat,
    times.map((t) => ({ ...one, t: String(t), hint, ...counts })),
  );
}

/** What can be seen of blocks without their samples. */
function shape(blocks: readonly Block[]): unknown[] {
  return blocks.map((block) => [block.kind, [...block.timestamps()], block.detached]);
}

describe("a series of floats and histograms", () => {
  test("comes back as blocks in order of time, each of one kind", () => {
    const blocks = [
      floatsOf(1, 2),
      histogramsOf(false, 0, 3),
      histogramsOf(true, 0, 4, 5),
      floatsOf(6),
      histogramsOf(false, 2, 7),
    ];
    expect(shape(decode(encode(blocks)))).toEqual(shape(blocks));
    expect(
      decode(encode(blocks))
        .filter(({ kind }) => kind === "histogram")
        .flatMap(exactRows),
    ).toEqual(blocks.filter(({ kind }) => kind === "histogram").flatMap(exactRows));
  });

  test("has the float where both are at one time, and knows that the next histogram has lost its predecessor", () => {
    const blocks = decode(encode([floatsOf(2), histogramsOf(false, 2, 1, 2, 3, 4), histogramsOf(true, 2, 4, 5)]));
    expect(shape(blocks)).toEqual([
      ["histogram", [1], false],
      ["float", [2], false],
      ["histogram", [3, 4], true],
      ["histogram", [5], true],
    ]);
  });

  test("is sorted, of equal times the first, list by list", () => {
    const blocks = decode(
      encode([histogramsOf(false, 0, 5, 9), histogramsOf(false, 2, 1, 9), floatsOf(7), floatsOf(3)]),
    );
    expect(shape(blocks)).toEqual([
      ["histogram", [1], false],
      ["float", [3], false],
      ["histogram", [5], false],
      ["float", [7], false],
      ["histogram", [9], false],
    ]);
    expect(
      blocks
        .filter(({ kind }) => kind === "histogram")
        .flatMap(exactRows)
        .map(({ t, hint }) => [t, hint]),
    ).toEqual([
      ["1", 2],
      ["5", 0],
      ["9", 0],
    ]);
  });
});
