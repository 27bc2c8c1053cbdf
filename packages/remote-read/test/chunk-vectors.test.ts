/** Every recorded chunk of every kind decodes to what is known to be in it. */
import type { Block } from "@promsplice/core";
import { describe, expect, test } from "vitest";

import { chunkBlock, chunkCount, type EncodedChunk } from "../src/chunk/chunk-block.ts";
import { decodeXor } from "../src/chunk/xor-decode.ts";
import { decodeXor2 } from "../src/chunk/xor2-decode.ts";
import { bitsOf, fromHex } from "./bytes.ts";
import { errorOf } from "./error-code.ts";
import { plainRecorded, plainRows, plainVectorRow } from "./plain-histogram.ts";
import { fixtureChunks, type RecordedHistogram, realChunks, vectors, type VectorRow } from "./vectors.ts";

/** The vectors whose times are outside ±2^53, and what is said of them. */
const OUTSIDE: Readonly<Record<string, string>> = {
  "XOR/18-int64-extremes": "row 0: time -9223372036854775808 is outside ±2^53",
  "XOR/19-beyond-2^53": "row 0: time 9007199254740993 is outside ±2^53",
  "XOR2/18-int64-extremes": "row 0: time -9223372036854775808 is outside ±2^53",
  "XOR2/19-beyond-2^53": "row 0: time 9007199254740993 is outside ±2^53",
};

/** Those whose rows are not in order of time: the decoders do not mind, but they are no block. */
const OUT_OF_ORDER: readonly string[] = ["XOR/20-out-of-order", "XOR2/20-out-of-order"];

/** The chunks of real servers whose times are outside. */
const REAL_OUTSIDE: Readonly<Record<string, string>> = {
  "p242big/big-chunks.resp.bin": "row 0: time 9007199254740993 is outside ±2^53",
  "p242big/big-point-chunks.resp.bin": "row 0: time 9007199254740994 is outside ±2^53",
};

const ordinary = vectors.filter(({ name }) => OUTSIDE[name] === undefined && !OUT_OF_ORDER.includes(name));

/** A block over a chunk of which nothing but the bytes is known, so that its times are those of its rows. */
function blockOf(type: number, hex: string, rows: readonly { readonly t: string }[]): Block {
  return chunkBlock({ minMs: Number(rows[0]!.t), maxMs: Number(rows.at(-1)!.t), type, data: fromHex(hex) });
}

function floatRows(block: Block): { t: string; bits: string }[] {
  const bits = bitsOf(block.values());
  return Array.from(block.timestamps(), (timeMs, row) => ({ t: String(timeMs), bits: bits[row]! }));
}

function startsOf(block: Block): string[] {
  return Array.from(block.startTimestamps?.() ?? new Float64Array(block.count), String);
}

describe("the chunks of the appenders", () => {
  test("are all there", () => {
    expect([vectors.length, realChunks.length, fixtureChunks.length]).toEqual([97, 92, 8]);
    expect(Object.keys(OUTSIDE).filter((name) => !vectors.some((vector) => vector.name === name))).toEqual([]);
  });

  test.each(ordinary)("$name decodes to what was decoded", ({ encoding, hex, decoded }) => {
    const chunk: EncodedChunk = { minMs: 0, maxMs: 0, type: encoding, data: fromHex(hex) };
    expect(chunkCount(chunk)).toBe((decoded ?? []).length);
    if (decoded === null) {
      return;
    }
    const block = blockOf(encoding, hex, decoded);
    if (block.kind === "float") {
      expect(floatRows(block)).toEqual(decoded.map(({ t, bits }) => ({ t, bits })));
    } else {
      expect(plainRows(block)).toEqual(decoded.map(plainVectorRow));
    }
    expect(startsOf(block)).toEqual(decoded.map(({ st }) => st ?? "0"));
  });

  test.each(Object.entries(OUTSIDE))("%s is the error that names the time", (name, message) => {
    const { encoding, hex } = vectors.find((vector) => vector.name === name)!;
    const block = chunkBlock({ minMs: 0, maxMs: 0, type: encoding, data: fromHex(hex) });
    for (const column of ["timestamps", "values"] as const) {
      const error = errorOf(() => block[column]());
      expect([error.code, error.message]).toEqual(["chunk-malformed", message]);
    }
  });

  test.each(OUT_OF_ORDER)("%s decodes to what was decoded", (name) => {
    const { encoding, hex, decoded } = vectors.find((vector) => vector.name === name)!;
    const timestamps = new Float64Array(decoded!.length);
    const values = new Float64Array(decoded!.length);
    if (encoding === 1) {
      decodeXor(fromHex(hex), timestamps, values);
    } else {
      decodeXor2(fromHex(hex), decoded!.length, timestamps, { values });
    }
    expect([...timestamps].map(String)).toEqual(decoded!.map(({ t }) => t));
    expect(bitsOf(values)).toEqual(decoded!.map(({ bits }) => bits));
  });

  test.each(ordinary.filter(({ decoded }) => decoded !== null))(
    "$name gives the same times without the rest",
    ({ encoding, hex, decoded }) => {
      const block = blockOf(encoding, hex, decoded!);
      expect(Array.from(block.timestamps(), String)).toEqual(decoded!.map(({ t }) => t));
    },
  );
});

describe("the chunks of real servers", () => {
  test.each(Object.entries(REAL_OUTSIDE))("%s is the error that names the time", (source, message) => {
    const { encoding, hex } = realChunks.find(({ sources }) => sources[0] === source)!;
    const block = chunkBlock({ minMs: 0, maxMs: 0, type: encoding, data: fromHex(hex) });
    const error = errorOf(() => block.timestamps());
    expect([error.code, error.message]).toEqual(["chunk-malformed", message]);
  });

  test.each(
    realChunks
      .filter(({ sources }) => REAL_OUTSIDE[sources[0]!] === undefined)
      .map((chunk) => [`${chunk.sources[0]} (${chunk.hex.length / 2} bytes)`, chunk] as const),
  )("%s decodes", (_, { encoding, min_time_ms, max_time_ms, hex, samples }) => {
    const block = chunkBlock({
      minMs: Number(min_time_ms),
      maxMs: Number(max_time_ms),
      type: encoding,
      data: fromHex(hex),
    });
    if (block.kind === "float") {
      expect(floatRows(block)).toEqual(samples.map(({ t, bits }) => ({ t, bits })));
    } else {
      expect(plainRows(block)).toEqual(samples.map(plainRecorded));
    }
    expect(startsOf(block)).toEqual(samples.map(({ st }) => st ?? "0"));
  });
});

describe("the chunks in the test of Prometheus' read handler", () => {
  test.each(fixtureChunks)(
    "$source decodes",
    ({ encoding, min_time_ms, max_time_ms, hex, numSamples, first, last }) => {
      const block = chunkBlock({
        minMs: Number(min_time_ms),
        maxMs: Number(max_time_ms),
        type: encoding,
        data: fromHex(hex),
      });
      expect(block.count).toBe(numSamples);
      const rows = block.kind === "float" ? floatRows(block) : plainRows(block);
      const known = (row: RecordedHistogram & VectorRow): unknown =>
        block.kind === "float" ? { t: row.t, bits: row.bits } : plainRecorded(row);
      expect([rows[0], rows.at(-1)]).toEqual([known(first), known(last)]);
    },
  );
});
