import { isDeepStrictEqual } from "node:util";

import { type Block, columnsBlock, type LabelSet, type Series } from "@promsplice/core";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { decodeReadResponse, ReadResponseEncoder } from "../src/read-response.ts";
import { bitsOf, concatenate, field, fromBits, fromHex, fromText, toHex, varint } from "./bytes.ts";
import { codeOf, errorOf } from "./error-code.ts";
import { encodeByReflection, reflect } from "./prompb.ts";

const STALE = "7ff0000000000002";
const BITS = [
  STALE,
  "7ff8000000000001",
  "7ff4000000000abc",
  "fff8000000000000",
  "8000000000000000",
  "0000000000000000",
  "0000000000000001",
];

/** A sample as the reader must show it: time and bits. */
type Row = readonly [number, string];

const LABELS = ["__name__", "up", "job", "x"];

function labelFields(labels: LabelSet): Uint8Array {
  const fields: Uint8Array[] = [];
  for (let index = 0; index < labels.length; index += 2) {
    fields.push(field(1, concatenate(field(1, fromText(labels[index]!)), field(2, fromText(labels[index + 1]!)))));
  }
  return concatenate(...fields);
}

function sampleField([timestampMs, bits]: Row): Uint8Array {
  const value = fromHex(bits).toReversed();
  return field(2, concatenate(fromHex("09"), value, fromHex("10"), varint(timestampMs)));
}

/** An answer to one query with one series of these fields. */
function answerOf(...fields: readonly Uint8Array[]): Uint8Array {
  return field(1, field(1, concatenate(labelFields(LABELS), ...fields)));
}

function rowsOf(series: Series): Row[] {
  const rows: Row[] = [];
  for (const block of series.blocks) {
    const bits = bitsOf(block.values());
    rows.push(...Array.from(block.timestamps(), (timestampMs, row): Row => [timestampMs, bits[row]!]));
  }
  return rows;
}

/** The rows of the only series of an answer. */
function decodeRows(answer: Uint8Array): Row[] {
  const { results } = decodeReadResponse(answer);
  expect(results.map((series) => series.length)).toEqual([1]);
  return rowsOf(results[0]![0]!);
}

function blockOf(rows: readonly Row[]): Block {
  const timestamps = Float64Array.from(rows, ([timestampMs]) => timestampMs);
  return columnsBlock({ timestamps, values: fromBits(rows.map(([, bits]) => bits)) });
}

/** The samples of a series without labels, field by field; undefined where it is malformed. In order, the first of equals. */
function decodeNaively(series: Uint8Array): Row[] | undefined {
  const rows = new Map<number, string>();
  try {
    for (const [number, sample] of fieldsOf(series)) {
      if (number === 2) {
        const [timestampMs, bits] = decodeSample(sample);
        rows.set(timestampMs, rows.get(timestampMs) ?? bits);
      } else if (number === 1 || number === 4) {
        return undefined;
      }
    }
  } catch {
    return undefined;
  }
  return [...rows].toSorted(([one], [other]) => one - other);
}

function decodeSample(sample: Uint8Array | bigint): Row {
  if (typeof sample === "bigint") {
    throw new TypeError("a sample is no number");
  }
  let timestampMs = 0n;
  let bits = "0000000000000000";
  for (const [number, value] of fieldsOf(sample)) {
    if (number === 1 && typeof value !== "bigint" && value.length === 8) {
      bits = toHex(value.toReversed());
    } else if (number === 2 && typeof value === "bigint") {
      timestampMs = BigInt.asIntN(64, value);
    } else if (number === 1 || number === 2) {
      throw new TypeError("a field of the wrong type");
    }
  }
  if (timestampMs > 2n ** 53n || timestampMs < -(2n ** 53n)) {
    throw new RangeError("outside");
  }
  return [Number(timestampMs), bits];
}

/** The fields of a message: numbers and values; those of a fixed size as bytes. */
function* fieldsOf(message: Uint8Array): Generator<readonly [number, Uint8Array | bigint]> {
  let at = 0;
  const readVarint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = BigInt(message[at++]!);
      value |= (byte & 127n) << shift;
      if (byte < 128n) {
        return value;
      }
    }
    throw new RangeError("too long");
  };
  while (at < message.length) {
    const tag = Number(readVarint());
    const type = tag & 7;
    if (tag < 8 || ![0, 1, 2, 5].includes(type)) {
      throw new RangeError("no field");
    }
    if (type === 0) {
      yield [tag >>> 3, readVarint()];
      continue;
    }
    const length = type === 1 ? 8 : type === 5 ? 4 : Number(readVarint());
    if (length > message.length - at) {
      throw new RangeError("cut off");
    }
    yield [tag >>> 3, message.subarray(at, (at += length))];
  }
}

const row: fc.Arbitrary<Row> = fc.tuple(
  fc.oneof(
    fc.maxSafeInteger(),
    fc.integer({ min: -3, max: 3 }),
    fc.integer({ min: 2 ** 35 - 2, max: 2 ** 42 + 2 }),
    fc.constantFrom(2 ** 35 - 1, 2 ** 35, 2 ** 42 - 1, 2 ** 42, 2 ** 53, -(2 ** 53)),
  ),
  fc.oneof(
    fc.constantFrom(...BITS),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((bits) => bits.toString(16).padStart(16, "0")),
  ),
);
const orderedRows = fc
  .uniqueArray(row, { selector: ([timestampMs]) => timestampMs, maxLength: 30 })
  .map((rows) => rows.toSorted(([one], [other]) => one - other));

describe("decodeReadResponse", () => {
  test("puts times and bits of values into columns", () => {
    fc.assert(
      fc.property(orderedRows, (rows) => {
        expect(decodeRows(answerOf(...rows.map(sampleField)))).toEqual(rows);
      }),
    );
  });

  test("keeps stale markers when it is cold and when it is hot", () => {
    const rows = Array.from({ length: 20_000 }, (_, index): Row => [index * 15_000, BITS[index % BITS.length]!]);
    const answer = answerOf(...rows.map(sampleField));
    for (let round = 0; round < 4; round++) {
      expect(decodeRows(answer)).toEqual(rows);
    }
  });

  test("decodes samples with any one byte changed as a field-by-field decoder does, or refuses them both", () => {
    const usual = sampleField([1_700_000_000_123, "3ff0000000000001"]);
    expect(usual).toHaveLength(18);
    const wrong: string[] = [];
    for (let at = 0; at < usual.length; at++) {
      for (let byte = 0; byte < 256; byte++) {
        // Behind it another one, so that there is something to run into.
        const samples = concatenate(usual, usual);
        samples[at] = byte;
        const expected = decodeNaively(samples);
        let got: Row[] | undefined;
        const code = codeOf(() => {
          got = decodeRows(answerOf(samples));
        });
        // A changed first byte can make the sample a histogram, which it then is not.
        if (!isDeepStrictEqual(got, expected) || (code === "protobuf-malformed") !== (expected === undefined)) {
          wrong.push(`${at}: ${byte}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  test("has one block a series, and none for a series without samples", () => {
    const { results } = decodeReadResponse(answerOf());
    expect(results).toEqual([[{ labels: LABELS, blocks: [] }]]);
    expect([...decodeReadResponse(answerOf(sampleField([1, STALE]))).results[0]![0]!.blocks]).toHaveLength(1);
  });

  test("hands over one result a query, empty ones too, with repeated and unsorted series", () => {
    const answer = concatenate(
      field(1, new Uint8Array(0)),
      field(1, concatenate(...["b", "a", "b"].map((name) => field(1, labelFields(["__name__", name]))))),
    );
    const names = decodeReadResponse(answer).results.map((result) => result.map(({ labels }) => labels[1]));
    expect(names).toEqual([[], ["b", "a", "b"]]);
    expect(decodeReadResponse(new Uint8Array(0)).results).toEqual([]);
  });

  test("sorts samples by time, and of equal times keeps the first", () => {
    const unordered = fc.array(fc.tuple(fc.integer({ min: -5, max: 5 }), fc.constantFrom(...BITS)), { maxLength: 12 });
    fc.assert(
      fc.property(unordered, (rows) => {
        const firsts = new Map<number, string>();
        for (const [timestampMs, bits] of rows) {
          firsts.set(timestampMs, firsts.get(timestampMs) ?? bits);
        }
        const expected = [...firsts].toSorted(([one], [other]) => one - other);
        expect(decodeRows(answerOf(...rows.map(sampleField)))).toEqual(expected);
      }),
    );
  });

  test("takes fields in any order, absent ones as 0, unknown ones as nothing", () => {
    const samples = concatenate(
      field(2, new Uint8Array(0)),
      fromHex("1a0101 2d00000000"),
      field(2, fromHex("1001 09 000000000000f03f 1805")),
      field(2, fromHex("09 000000000000f03f 09 020000000000f07f 1001 1002")),
    );
    const answer = field(1, field(1, concatenate(samples, labelFields(LABELS))));
    expect(decodeReadResponse(answer).results[0]![0]!.labels).toEqual(LABELS);
    expect(decodeRows(answer)).toEqual([
      [0, "0000000000000000"],
      [1, "3ff0000000000000"],
      [2, STALE],
    ]);
  });

  test("takes a message that ends with a sample shorter than usual", () => {
    const usual = sampleField([1_700_000_000_000, "3ff0000000000000"]);
    expect(decodeRows(answerOf(fromHex("12 00")))).toEqual([[0, "0000000000000000"]]);
    for (const bytes of ["12 02 1001", "12 09 09 000000000000f03f", "12 0b 09 000000000000f03f 1001"]) {
      expect(decodeRows(answerOf(fromHex(bytes), usual))).toHaveLength(2);
      expect(decodeRows(answerOf(usual, fromHex(bytes)))).toHaveLength(2);
    }
  });

  test("names a time outside ±2^53", () => {
    for (const timestampMs of [2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 63n - 1n]) {
      const sample = field(2, concatenate(fromHex("10"), varint(timestampMs)));
      const error = errorOf(() => decodeReadResponse(answerOf(sampleField([1, STALE]), sample)));
      expect(error.code).toBe("protobuf-malformed");
      expect(error.message).toContain(`the time ${timestampMs} `);
    }
  });

  test.each([
    ["a sample that is no message", "10 01"],
    ["a value of eight bytes as a varint", "12 02 0801"],
    ["a value that is cut off", "12 08 09 00000000000000"],
    ["a value that is longer than its sample", "12 02 0900 12 07 00000000000000"],
    ["a time as eight bytes", "12 09 11 0000000000000000"],
    ["a time that is cut off", "12 02 1080"],
    ["a time of more than ten bytes", "12 0c 10 ffffffffffffffffffff01"],
    ["a group in a sample", "12 02 1b1c"],
    ["a histogram that is no message", "20 01"],
    ["a histogram that is cut off", "22 05 00"],
  ])("refuses %s", (_, hex) => {
    expect(codeOf(() => decodeReadResponse(answerOf(sampleField([1, STALE]), fromHex(hex))))).toBe(
      "protobuf-malformed",
    );
  });

  test("refuses broken labels", () => {
    const answer = field(1, field(1, labelFields(["a", "1", "a", "2"])));
    expect(codeOf(() => decodeReadResponse(answer))).toBe("labels-malformed");
  });
});

describe("ReadResponseEncoder", () => {
  test("encodes what decodeReadResponse gives back, bit by bit", () => {
    const series = fc.tuple(fc.constantFrom(["__name__", "up"], LABELS, []), fc.array(orderedRows, { maxLength: 3 }));
    fc.assert(
      fc.property(fc.array(fc.array(series, { maxLength: 3 }), { maxLength: 3 }), (results) => {
        const encoder = new ReadResponseEncoder();
        for (const result of results) {
          encoder.startResult();
          for (const [labels, pieces] of result) {
            // One series in several blocks, each of its own samples.
            const rows = pieces[0] ?? [];
            const half = rows.length >>> 1;
            encoder.writeSeries(
              labels,
              [rows.slice(0, half), rows.slice(half)].filter((piece) => piece.length > 0).map(blockOf),
            );
          }
        }
        const decoded = decodeReadResponse(encoder.finish()).results;
        expect(decoded.map((result) => result.map(({ labels }) => labels))).toEqual(
          results.map((result) => result.map(([labels]) => labels)),
        );
        expect(decoded.map((result) => result.map(rowsOf))).toEqual(
          results.map((result) => result.map(([, pieces]) => pieces[0] ?? [])),
        );
      }),
    );
  });

  test("encodes what reflection decodes to what was meant, with the fields that are 0 left out", () => {
    const encoder = new ReadResponseEncoder();
    encoder.startResult();
    encoder.startResult();
    encoder.writeSeries(LABELS, [
      blockOf([
        [-1, "3ff0000000000000"],
        [0, "0000000000000000"],
        [1, "8000000000000000"],
      ]),
    ]);
    const bytes = encoder.finish();
    expect(reflect("ReadResponse", bytes)["results"]).toEqual([
      { timeseries: [] },
      {
        timeseries: [
          {
            labels: [
              { name: "__name__", value: "up" },
              { name: "job", value: "x" },
            ],
            samples: [
              { value: 1, timestamp: "-1" },
              { value: 0, timestamp: "0" },
              { value: -0, timestamp: "1" },
            ],
            histograms: [],
          },
        ],
      },
    ]);
    expect(toHex(bytes).includes("1200120b0900000000000000801001")).toBe(true);
  });

  test("encodes long series, and the same as another implementation", () => {
    const timestamps = Float64Array.from({ length: 5000 }, (_, index) => 1_700_000_000_000 + index * 15_000);
    const values = Float64Array.from({ length: 5000 }, (_, index) => index + 0.5);
    const encoder = new ReadResponseEncoder();
    encoder.startResult();
    encoder.writeSeries(LABELS, [columnsBlock({ timestamps, values })]);
    const labels = [
      { name: "__name__", value: "up" },
      { name: "job", value: "x" },
    ];
    const samples = Array.from(timestamps, (timestamp, index) => ({ value: values[index], timestamp }));
    const expected = encodeByReflection("ReadResponse", { results: [{ timeseries: [{ labels, samples }] }] });
    expect(Buffer.compare(encoder.finish(), expected)).toBe(0);
  });

  test("encodes an answer without results as nothing, and an empty result as itself", () => {
    expect(new ReadResponseEncoder().finish()).toEqual(new Uint8Array(0));
    const encoder = new ReadResponseEncoder();
    encoder.startResult();
    expect(encoder.finish()).toEqual(fromHex("0a00"));
  });

  test("stops at the limit", () => {
    const encoder = new ReadResponseEncoder({ bytesMax: 100_000 });
    encoder.startResult();
    const block = blockOf(Array.from({ length: 1000 }, (_, index): Row => [index, STALE]));
    const action = (): void => {
      for (let count = 0; count < 100; count++) {
        encoder.writeSeries(LABELS, [block]);
      }
    };
    expect(codeOf(action)).toBe("limit-exceeded");
  });
});
