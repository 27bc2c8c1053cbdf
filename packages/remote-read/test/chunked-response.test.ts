import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { decodeChunkedResponse, encodeChunkedSeries, type OutgoingChunk } from "../src/chunked-response.ts";
import { crc32c } from "../src/wire/crc32c.ts";
import { FrameParser } from "../src/wire/frame.ts";
import { concatenate, field, fromHex, fromText, naiveCrc32c, toHex, varint } from "./bytes.ts";
import { codeOf, errorOf } from "./error-code.ts";
import { encodeByReflection, reflect } from "./prompb.ts";

const LABELS = ["__name__", "up", "job", "x"];

const chunk = fc.record({
  minMs: fc.oneof(fc.maxSafeInteger(), fc.constantFrom(0, 2 ** 53, -(2 ** 53))),
  maxMs: fc.maxSafeInteger(),
  type: fc.nat(7),
  data: fc.uint8Array({ maxLength: 300 }),
});

/** A message with one series that has labels of these names. */
function seriesNamed(...names: readonly string[]): Uint8Array {
  return field(
    1,
    concatenate(...names.map((name) => field(1, concatenate(field(1, fromText(name)), field(2, fromText("1")))))),
  );
}

/** The only payload of a body. */
function payloadOf(frame: Uint8Array): Uint8Array {
  const parser = new FrameParser();
  parser.push(frame);
  const payload = parser.next()!;
  expect(parser.next()).toBeUndefined();
  parser.finish();
  return payload;
}

describe("decodeChunkedResponse", () => {
  test("decodes what another implementation encodes: all series and all their chunks", () => {
    const series = fc.array(fc.array(chunk, { maxLength: 4 }), { maxLength: 3 });
    fc.assert(
      fc.property(series, fc.nat(5), (lists, queryIndex) => {
        const payload = encodeByReflection("ChunkedReadResponse", {
          chunked_series: lists.map((chunks, index) => ({
            labels: [{ name: "index", value: String(index) }],
            chunks: chunks.map(({ minMs, maxMs, type, data }) => ({
              min_time_ms: minMs,
              max_time_ms: maxMs,
              type,
              data,
            })),
          })),
          query_index: queryIndex,
        });
        expect(decodeChunkedResponse(payload)).toEqual({
          queryIndex,
          series: lists.map((chunks, index) => ({ labels: ["index", String(index)], chunks })),
        });
      }),
    );
  });

  test("hands out data as parts of the payload, with what is behind it", () => {
    const payload = payloadOf(
      encodeChunkedSeries(LABELS, [{ minMs: 1, maxMs: 2, type: 1, data: fromText("data") }], 0),
    );
    const { data } = decodeChunkedResponse(payload).series[0]!.chunks[0]!;
    expect(data.buffer).toBe(payload.buffer);
    expect(data.buffer.byteLength - data.byteOffset - data.length).toBe(16);
  });

  test("takes a message without fields, a series without chunks, and a chunk without fields", () => {
    expect(decodeChunkedResponse(new Uint8Array(0))).toEqual({ queryIndex: 0, series: [] });
    expect(decodeChunkedResponse(fromHex("0a00"))).toEqual({ queryIndex: 0, series: [{ labels: [], chunks: [] }] });
    const empty = { minMs: 0, maxMs: 0, type: 0, data: new Uint8Array(0) };
    expect(decodeChunkedResponse(fromHex("0a021200")).series[0]!.chunks).toEqual([empty]);
  });

  test("sorts labels, and refuses broken ones", () => {
    expect(decodeChunkedResponse(seriesNamed("b", "a")).series[0]!.labels).toEqual(["a", "1", "b", "1"]);
    expect(codeOf(() => decodeChunkedResponse(seriesNamed("a", "b", "a")))).toBe("labels-malformed");
  });

  test("skips unknown fields at every level", () => {
    const inner = field(
      2,
      concatenate(fromHex("0801 1002 1801 2d00000000"), field(4, fromText("data")), field(9, fromText("?"))),
    );
    const payload = concatenate(field(1, concatenate(fromHex("3001"), inner)), fromHex("1003 3a0101"));
    expect(decodeChunkedResponse(payload)).toEqual({
      queryIndex: 3,
      series: [{ labels: [], chunks: [{ minMs: 1, maxMs: 2, type: 1, data: fromText("data") }] }],
    });
  });

  test("names a chunk's time that is outside ±2^53", () => {
    for (const tag of ["08", "10"]) {
      const bad = field(1, field(2, concatenate(fromHex(tag), varint(-(2n ** 53n) - 1n))));
      const error = errorOf(() => decodeChunkedResponse(bad));
      expect(error.code).toBe("chunk-malformed");
      expect(error.message).toContain("the time -9007199254740993 ");
    }
  });

  test("refuses every prefix of a series, and data that are longer than their chunk", () => {
    const payload = payloadOf(
      encodeChunkedSeries(LABELS, [{ minMs: 1, maxMs: 2, type: 1, data: fromText("data") }], 1),
    );
    const seriesEnd = payload.length - 2;
    for (let length = 1; length <= payload.length; length++) {
      const code = codeOf(() => decodeChunkedResponse(payload.subarray(0, length)));
      expect(code).toBe(length === seriesEnd || length === payload.length ? "none" : "protobuf-malformed");
    }
    expect(codeOf(() => decodeChunkedResponse(fromHex("0a07 1203 220300 0000")))).toBe("protobuf-malformed");
  });
});

describe("encodeChunkedSeries", () => {
  test("encodes a frame that decodes to the same, for us and for another implementation", () => {
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 5 }), fc.nat(300), (chunks, queryIndex) => {
        const payload = payloadOf(encodeChunkedSeries(LABELS, chunks, queryIndex));
        expect(decodeChunkedResponse(payload)).toEqual({ queryIndex, series: [{ labels: LABELS, chunks }] });
        expect(reflect("ChunkedReadResponse", payload)).toEqual({
          chunked_series: [
            {
              labels: [
                { name: "__name__", value: "up" },
                { name: "job", value: "x" },
              ],
              chunks: chunks.map(({ minMs, maxMs, type, data }) => ({
                min_time_ms: String(minMs),
                max_time_ms: String(maxMs),
                type,
                data: Buffer.from(data).toString("base64"),
              })),
            },
          ],
          query_index: String(queryIndex),
        });
      }),
    );
  });

  test("makes the same frame whichever sums of chunks are known, and does not sum those again", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(chunk, fc.boolean()), { maxLength: 5 }), (list) => {
        let summed = 0;
        const counting = (bytes: Uint8Array, before?: number): number => {
          summed += bytes.length;
          return crc32c(bytes, before);
        };
        const chunks = list.map(([one, isKnown]): OutgoingChunk => (isKnown ? { ...one, crc: crc32c(one.data) } : one));
        const frame = encodeChunkedSeries(LABELS, chunks, 1, { crc32c: counting });
        expect(toHex(frame)).toBe(
          toHex(
            encodeChunkedSeries(
              LABELS,
              list.map(([one]) => one),
              1,
            ),
          ),
        );
        const known = list.reduce((bytes, [one, isKnown]) => bytes + (isKnown ? one.data.length : 0), 0);
        expect(summed).toBe(payloadOf(frame).length - known);
      }),
    );
  });

  test("writes the frame of the specification's example", () => {
    const data = fromHex("000580a0abfef9623ff0000000000000987500");
    const labels = ["__name__", "rr_const", "instance", "a:1", "job", "j"];
    const frame = encodeChunkedSeries(
      labels,
      [{ minMs: 1_700_000_000_000, maxMs: 1_700_000_060_000, type: 1, data }],
      0,
    );
    expect(toHex(frame).slice(0, 10)).toBe("5a3e92a839");
    expect(frame).toHaveLength(95);
    expect(naiveCrc32c(frame.subarray(5))).toBe(0x3e92a839);
  });

  test("refuses a frame over the limit, and names the series", () => {
    const big = [{ minMs: 1, maxMs: 2, type: 1, data: new Uint8Array(1000) }];
    const { length } = encodeChunkedSeries(LABELS, big, 0);
    expect(codeOf(() => encodeChunkedSeries(LABELS, big, 0, { frameBytesMax: length }))).toBe("none");
    const error = errorOf(() => encodeChunkedSeries(LABELS, big, 0, { frameBytesMax: length - 1 }));
    expect([error.code, error.series]).toEqual(["limit-exceeded", 'up{job="x"}']);
    expect(error.message).toContain(`takes a frame of ${length} bytes, limit is ${length - 1}`);
    const huge = [{ minMs: 1, maxMs: 2, type: 1, data: new Uint8Array(48_000_000) }];
    expect(codeOf(() => encodeChunkedSeries(LABELS, huge, 0))).toBe("limit-exceeded");
  });
});
