import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { decodeReadRequest, encodeReadRequest, type ReadRequest } from "../src/read-request.ts";
import type { Hints, MatcherType } from "../src/reader.ts";
import { uncompressSnappy } from "../src/wire/snappy.ts";
import { concatenate, field, fromHex, fromText, toHex, varint } from "./bytes.ts";
import { codeOf, errorOf } from "./error-code.ts";
import { encodeByReflection, reflect } from "./prompb.ts";
import { exchangeNames, readClientRequests, readExchange, readRecording, type RecordedQuery } from "./recording.ts";

const BODY_BYTES_MAX = 32 * 1024 * 1024;

const timeMs = fc.maxSafeInteger();
const text = fc.string({ unit: "grapheme", maxLength: 20 });
const hints: fc.Arbitrary<Hints> = fc.record({
  stepMs: timeMs,
  func: text,
  startMs: timeMs,
  endMs: timeMs,
  grouping: fc.array(text, { maxLength: 3 }),
  by: fc.boolean(),
  rangeMs: timeMs,
});
const matcher = fc.record({ type: fc.constantFrom<MatcherType>("=", "!=", "=~", "!~"), name: text, value: text });
const query = fc.record(
  { startMs: timeMs, endMs: timeMs, matchers: fc.array(matcher, { maxLength: 4 }), hints },
  { requiredKeys: ["startMs", "endMs", "matchers"] },
);
const request: fc.Arbitrary<ReadRequest> = fc.record({
  queries: fc.array(query, { maxLength: 3 }),
  acceptedResponseTypes: fc.array(fc.integer({ min: -1, max: 1000 }), { maxLength: 3 }),
});

/** A request as reflection must show it. */
function asReflected({ queries, acceptedResponseTypes }: ReadRequest): Record<string, unknown> {
  return {
    queries: queries.map((one) => ({
      start_timestamp_ms: String(one.startMs),
      end_timestamp_ms: String(one.endMs),
      matchers: one.matchers.map(({ type, name, value }) => ({
        type: ["=", "!=", "=~", "!~"].indexOf(type),
        name,
        value,
      })),
      hints:
        one.hints === undefined
          ? null
          : {
              step_ms: String(one.hints.stepMs),
              func: one.hints.func,
              start_ms: String(one.hints.startMs),
              end_ms: String(one.hints.endMs),
              grouping: one.hints.grouping,
              by: one.hints.by,
              range_ms: String(one.hints.rangeMs),
            },
    })),
    accepted_response_types: acceptedResponseTypes,
  };
}

/** A recorded query as we must decode it. Its hints are under the names of one recorder or the other. */
function asDecoded({ start, end, matchers, hints: recorded }: RecordedQuery): unknown {
  const bare = { startMs: Number(start), endMs: Number(end) };
  const named = { ...bare, matchers: matchers.map(([type, name, value]) => ({ type, name, value })) };
  if (recorded === undefined) {
    return named;
  }
  const number = (name: string): number => Number(recorded[`${name}Ms`] ?? recorded[name] ?? 0);
  return {
    ...named,
    hints: {
      stepMs: number("step"),
      func: recorded["func"] ?? "",
      startMs: number("start"),
      endMs: number("end"),
      grouping: recorded["grouping"] ?? [],
      by: recorded["by"] ?? false,
      rangeMs: number("range"),
    },
  };
}

/** Encodes a query with something in it that is not as it should be. */
function encodeWith(part: object): Uint8Array {
  return encodeReadRequest({ queries: [{ startMs: 0, endMs: 1, matchers: [], ...part }], acceptedResponseTypes: [] });
}

describe("encodeReadRequest", () => {
  test("encodes what reflection decodes to what was meant", () => {
    fc.assert(
      fc.property(request, (meant) => {
        expect(reflect("ReadRequest", encodeReadRequest(meant))).toEqual(asReflected(meant));
      }),
      { numRuns: 300 },
    );
  });

  test("takes infinities for all time", () => {
    const allTime = { startMs: -Infinity, endMs: Infinity, matchers: [] };
    const bytes = encodeReadRequest({ queries: [allTime], acceptedResponseTypes: [] });
    expect(decodeReadRequest(bytes).queries).toEqual([{ startMs: -(2 ** 53), endMs: 2 ** 53, matchers: [] }]);
  });

  test("refuses times that are not whole, unknown types of matchers, and broken text", () => {
    expect(() => encodeWith({ startMs: 0.5 })).toThrow(
      new RangeError("startMs is 0.5, expected a whole number of milliseconds"),
    );
    expect(() => encodeWith({ endMs: NaN })).toThrow(RangeError);
    expect(() => encodeWith({ matchers: [{ type: "==", name: "a", value: "b" }] })).toThrow(TypeError);
    expect(() => encodeWith({ matchers: [{ type: "=", name: "a", value: "\ud800" }] })).toThrow(TypeError);
  });
});

describe("decodeReadRequest", () => {
  test("decodes what another implementation encodes", () => {
    fc.assert(
      fc.property(request, (meant) => {
        const { queries, ...types } = asReflected(meant);
        const data = { queries: (queries as object[]).map((one) => ({ ...one })), ...types };
        expect(decodeReadRequest(encodeByReflection("ReadRequest", data))).toEqual(meant);
      }),
    );
  });

  test("brings bounds to ±2^53", () => {
    const whole = concatenate(fromHex("08"), varint(-(2n ** 63n)), fromHex("10"), varint(2n ** 63n - 1n));
    expect(decodeReadRequest(field(1, whole)).queries).toEqual([{ startMs: -(2 ** 53), endMs: 2 ** 53, matchers: [] }]);
  });

  test("takes hints that are empty or come in parts", () => {
    const none = { stepMs: 0, func: "", startMs: 0, endMs: 0, grouping: [], by: false, rangeMs: 0 };
    expect(decodeReadRequest(fromHex("0a02 2200")).queries[0]!.hints).toEqual(none);
    const parts = concatenate(field(4, fromHex("0801 2a0161")), field(4, fromHex("0802 2a0162 3001")));
    expect(decodeReadRequest(field(1, parts)).queries[0]!.hints).toEqual({
      ...none,
      stepMs: 2,
      grouping: ["a", "b"],
      by: true,
    });
  });

  test("refuses every prefix that ends inside a field", () => {
    const one = { startMs: 1, endMs: 2, matchers: [{ type: "=~" as const, name: "job", value: "a|b" }] };
    const bytes = encodeReadRequest({ queries: [one], acceptedResponseTypes: [1, 0] });
    const ends = new Set([0, bytes.length - 4, bytes.length]);
    for (let length = 0; length <= bytes.length; length++) {
      const code = codeOf(() => decodeReadRequest(bytes.subarray(0, length)));
      expect(code).toBe(ends.has(length) ? "none" : "protobuf-malformed");
    }
  });

  test("names an unknown type of matcher", () => {
    const bytes = field(1, field(3, concatenate(fromHex("0809"), field(2, fromText("a")))));
    expect(errorOf(() => decodeReadRequest(bytes)).message).toContain("matcher type is 9, expected 0 to 3");
  });
});

describe("recorded requests", () => {
  const clientRequests = readClientRequests();

  test("are all there", () => {
    expect(clientRequests.size).toBe(85);
  });

  test.each([...clientRequests])(
    "of the real client in %s are decoded, and encoded to the same bytes",
    (name, recorded) => {
      const body = uncompressSnappy(readRecording(`${name}.req.bin`), BODY_BYTES_MAX);
      const decoded = decodeReadRequest(body);
      expect(decoded).toEqual({ queries: recorded.queries.map(asDecoded), acceptedResponseTypes: recorded.types });
      const encoded = encodeReadRequest(decoded);
      expect(reflect("ReadRequest", encoded)).toEqual(reflect("ReadRequest", body));
      expect(toHex(encoded)).toBe(toHex(body));
    },
  );

  /** Those that a server refuses, and why we do. */
  const refused: Record<string, string> = {
    "p242/http/err-bad-proto": "protobuf-malformed",
    "p242/http/err-empty-body": "snappy-corrupt",
    "p242/http/err-matcher-type-9": "protobuf-malformed",
    "p242/http/err-not-snappy": "snappy-corrupt",
    "p242/http/err-snappy-declared-32MiB+1": "limit-exceeded",
    "p242/http/err-snappy-declared-4GiB": "snappy-corrupt",
    "p242/http/err-snappy-declared-64MiB": "limit-exceeded",
    "p242/http/err-snappy-framed": "snappy-corrupt",
    "p242/http/err-uncompressed-proto": "snappy-corrupt",
    "p242/http/invalid-utf8-matcher-value": "protobuf-malformed",
    "p242/http/wrong-wiretype-field1": "protobuf-malformed",
  };
  const oneSample = { queries: [{ startMs: 1_700_000_000_000, endMs: 1_700_003_600_000 }] };
  /** Those that were written byte by byte, so that nothing is beside them: what they mean. */
  const handmade: Record<string, object> = {
    "p242/http/err-get": { queries: [], acceptedResponseTypes: [] },
    "p242/http/ok-empty-proto": { queries: [], acceptedResponseTypes: [] },
    "p242/http/ok-empty-proto-1zero": { queries: [], acceptedResponseTypes: [] },
    "p242/http/unknown-fields-ignored": oneSample,
    "p242/http/unpacked-accepted-types": { ...oneSample, acceptedResponseTypes: [1] },
  };

  test.each(exchangeNames)("to a server, %s, are decoded", (name) => {
    const { decoded } = readExchange(name).request;
    const decode = (): ReadRequest =>
      decodeReadRequest(uncompressSnappy(readRecording(`${name}.req.bin`), BODY_BYTES_MAX));
    if (refused[name] !== undefined) {
      expect(codeOf(decode)).toBe(refused[name]);
    } else if (decoded === undefined) {
      expect(decode()).toMatchObject(handmade[name]!);
    } else {
      const { queries, accepted_response_types: acceptedResponseTypes } = decoded;
      expect(decode()).toEqual({ queries: queries.map(asDecoded), acceptedResponseTypes });
    }
  });
});
