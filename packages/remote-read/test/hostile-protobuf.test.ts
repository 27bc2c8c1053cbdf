/** Messages that somebody has broken on purpose, at every place of every message that is read. */
import { penalty } from "@promsplice/core";
import { describe, expect, test } from "vitest";

import { decodeChunkedResponse } from "../src/chunked-response.ts";
import { readHandler } from "../src/handler.ts";
import { memoryReader } from "../src/memory-reader.ts";
import { decodeReadRequest, encodeReadRequest } from "../src/read-request.ts";
import { decodeReadResponse } from "../src/read-response.ts";
import type { Reader } from "../src/reader.ts";
import { splicedReader } from "../src/spliced-reader.ts";
import { concatenate, field, fromHex, fromText, varint } from "./bytes.ts";
import { codeOf, errorOf } from "./error-code.ts";
import { type Place, places } from "./hostile-places.ts";
import { BOTH, EVERYTHING, namesOf, queryOf, readThrough, SAMPLES } from "./read-exchange.ts";

/** What fields of each wire type can look like. */
const FIELD_BYTES: Readonly<Record<number, string>> = {
  0: "01",
  1: "0000000000000000",
  2: "00",
  3: "",
  4: "",
  5: "00000000",
};

/** What goes on behind the message, whatever is there. */
const CUT_OFF: Readonly<Record<number, string>> = { 0: "80", 1: "00000000000000", 2: "01" };

const HOSTILE: readonly (readonly [what: string, hex: string, named: RegExp])[] = [
  ["the field number 0", "0001", /the number 0/],
  ["the field number 0, of bytes", "0200", /the number 0/],
  ["a group", "a306a406", /field 100 has the wire type 3/],
  ["a group that is a field that is known", "0b0c", /field 1 has the wire type 3/],
  ["the end of a group", "a406", /field 100 has the wire type 4/],
  ["the wire type 6", "a606", /field 100 has the wire type 6/],
  ["the wire type 7", "a706", /field 100 has the wire type 7/],
  ["a tag that is cut off", "a0", /out of range/],
  ["a tag of six bytes", "a08680808000", /tag/],
  ["a number that goes on behind the message", "a00680", /cut off/],
  ["a number of eleven bytes", "a006ffffffffffffffffffff01", /longer than 10 bytes/],
  ["a length that goes on behind the message", "a20680", /out of range/],
  ["bytes that go on behind the message", "a20601", /out of range/],
  ["two thousand million bytes", "a206ffffffff07", /out of range/],
  ["four thousand million bytes", "a206ffffffff0f", /length/],
  ["bytes of a length of ten bytes", "a206ffffffffffffffffff01", /length/],
  ["eight bytes that go on behind the message", "a10600000000000000", /out of range/],
  ["four bytes that go on behind the message", "a506000000", /out of range/],
];

/** What nobody knows, and all are to skip. */
const UNKNOWN: readonly (readonly [what: string, hex: string])[] = [
  ["a number", "a00601"],
  ["a number in ten bytes", "a00681808080808080808000"],
  ["eight bytes", "a1060102030405060708"],
  ["bytes that would be no message", "a206030b0cff"],
  ["no bytes, their length in five", "a2068080808000"],
  ["four bytes", "a50601020304"],
  ["a tag of five bytes", "a08680800001"],
  ["the highest number there is", "f8ffffff0f01"],
];

/** Where a fragment comes to stand. */
function startOf(nest: Place["nest"], fragment: Uint8Array): number {
  return nest(new Uint8Array(fragment.length).fill(0xee)).indexOf(0xee);
}

const hundredThousandLevels = nestUnknown(100_000);

/** An unknown field inside an unknown field, and so on. */
function nestUnknown(depthMax: number): Uint8Array {
  const levels: Uint8Array[] = [];
  let length = 0;
  for (let depth = 0; depth < depthMax; depth++) {
    levels.push(concatenate(fromHex("a206"), varint(length)));
    length += levels.at(-1)!.length;
  }
  return Uint8Array.from(Buffer.concat(levels.toReversed()));
}

describe.each(places)("a hostile $name", ({ fields, nest, decode }) => {
  test("is as it was meant without anything hostile", () => {
    expect(codeOf(() => decode(nest(new Uint8Array(0))))).toBe("none");
  });

  test.each(HOSTILE)("with %s is refused, and what and where is named", (_, hex, named) => {
    const fragment = fromHex(hex);
    const start = startOf(nest, fragment);
    const error = errorOf(() => decode(nest(fragment)));
    expect(error.code).toBe("protobuf-malformed");
    expect(error.message).toMatch(named);
    expect(error.message).toContain(`at byte ${error.offset}`);
    expect(error.offset).toBeGreaterThan(start);
    expect(error.offset).toBeLessThanOrEqual(start + fragment.length + 4);
  });

  test("with any field of the wrong wire type is refused, and the field is named", () => {
    for (const [number, allowed] of Object.entries(fields)) {
      for (const [type, bytes] of Object.entries(FIELD_BYTES)) {
        if (!allowed.includes(Number(type))) {
          const fragment = concatenate(varint((Number(number) << 3) | Number(type)), fromHex(bytes));
          const error = errorOf(() => decode(nest(fragment)));
          expect(error.code).toBe("protobuf-malformed");
          expect(error.message).toContain(`field ${number} has the wire type ${type}`);
        }
      }
    }
  });

  test("with any field that goes on behind the message is refused, and the place is named", () => {
    for (const [number, types] of Object.entries(fields)) {
      for (const type of types) {
        const fragment = concatenate(varint((Number(number) << 3) | type), fromHex(CUT_OFF[type]!));
        const error = errorOf(() => decode(nest(fragment)));
        expect(error.code).toBe("protobuf-malformed");
        expect(error.message).toMatch(/cut off|out of range|and 0 are left/);
        expect(error.offset).toBeGreaterThan(startOf(nest, fragment));
      }
    }
  });

  test.each(UNKNOWN)("with an unknown field, %s, means what it means without", (_, hex) => {
    expect(decode(nest(fromHex(hex)))).toEqual(decode(nest(new Uint8Array(0))));
  });

  test("with an unknown field of a hundred thousand levels is not gone down into", () => {
    expect(decode(nest(hundredThousandLevels))).toEqual(decode(nest(new Uint8Array(0))));
    expect(codeOf(() => decode(nest(fromHex("a306".repeat(100_000)))))).toBe("protobuf-malformed");
  });
});

/** A fragment many times over. */
function repeated(hex: string, times: number): Uint8Array {
  const bytes = fromHex(hex);
  return Uint8Array.from(Buffer.alloc(bytes.length * times, bytes));
}

/** The least of some attempts, as others use this machine too: ms, and bytes of the heap. */
function leastOf(action: () => unknown): { readonly ms: number; readonly heapBytes: number } {
  let least = { ms: Infinity, heapBytes: Infinity };
  for (let attempt = 0; attempt < 5; attempt++) {
    const startedMs = performance.now();
    const before = process.memoryUsage().heapUsed;
    action();
    const heapBytes = process.memoryUsage().heapUsed - before;
    least = {
      ms: Math.min(least.ms, performance.now() - startedMs),
      // Less than before: garbage has been collected meanwhile.
      heapBytes: Math.min(least.heapBytes, heapBytes < 0 ? Infinity : heapBytes),
    };
  }
  return least;
}

describe("a request of a million", () => {
  const limits = { queriesMax: 64, matchersMax: 1000, matcherBytesMax: 2 ** 20, responseTypesMax: 16 };

  test.each([
    ["queries", repeated("0a00", 1_000_000), "request has more than 64 queries"],
    ["matchers", field(1, repeated("1a00", 1_000_000)), "query 0 has more than 1000 matchers"],
    [
      "matchers of the second query",
      concatenate(fromHex("0a00"), field(1, repeated("1a00", 1_000_000))),
      "query 1 has",
    ],
    ["response types", field(2, repeated("07", 1_000_000)), "request accepts more than 16 response types"],
    ["response types, not packed", repeated("1007", 1_000_000), "request accepts more than 16 response types"],
    ["names to group by", field(1, field(4, repeated("2a00", 1_000_000))), "query 0 groups by more than 1000 names"],
    [
      "hints with a name to group by",
      field(1, repeated("22022a00", 1_000_000)),
      "query 0 groups by more than 1000 names",
    ],
  ])("%s is refused at the limit, before more of them have been read", (_, request, message) => {
    const error = errorOf(() => decodeReadRequest(request, limits));
    expect([error.code, error.message]).toEqual(["limit-exceeded", expect.stringContaining(message)]);
    const { ms, heapBytes } = leastOf(() => codeOf(() => decodeReadRequest(request, limits)));
    expect(ms).toBeLessThan(20);
    expect(heapBytes).toBeLessThan(2 ** 20);
  });

  test("hints has one, of which all of them are parts", () => {
    const request = field(1, repeated("22020801", 1_000_000));
    expect(decodeReadRequest(request, limits).queries[0]!.hints?.stepMs).toBe(1);
  });
});

describe("text that is not UTF-8", () => {
  const bad = field(2, fromHex("61ff"));

  test.each([
    ["name of a matcher", "LabelMatcher", bad, "protobuf-malformed"],
    ["value of a matcher", "LabelMatcher", field(3, fromHex("eda080")), "protobuf-malformed"],
    ["function of hints", "ReadHints", bad, "protobuf-malformed"],
    ["name to group by", "ReadHints", field(5, fromHex("c0af")), "protobuf-malformed"],
    ["name of a label", "Label of a TimeSeries", field(1, fromHex("ff")), "labels-malformed"],
    ["value of a label", "Label of a TimeSeries", bad, "labels-malformed"],
    ["name of a label in a frame", "Label of a ChunkedSeries", field(1, fromHex("ff")), "labels-malformed"],
    ["value of a label in a frame", "Label of a ChunkedSeries", bad, "labels-malformed"],
  ])("is refused as the %s, and the place is named", (_, name, fragment, code) => {
    const { nest, decode } = places.find((place) => place.name === name)!;
    const error = errorOf(() => decode(nest(fragment)));
    expect(error.code).toBe(code);
    const start = startOf(nest, fragment);
    // Behind its tag.
    expect([error.offset, error.message]).toEqual([start + 1, `the text at byte ${start + 1} is not UTF-8`]);
  });
});

/** Names that mean something to JavaScript. */
const NAMES = ["__proto__", "constructor", "hasOwnProperty", "prototype", "toString", "valueOf"];

const SAMPLE = fromHex("120b09000000000000f03f1001");

function labelField(name: string, value: string): Uint8Array {
  return field(1, concatenate(field(1, fromText(name)), field(2, fromText(value))));
}

/** A replica of `up` whose name is the value of `__proto__`. */
function replicaNamed(name: string): Reader {
  const labels = concatenate(labelField("__name__", "up"), labelField("__proto__", name));
  return memoryReader(decodeReadResponse(field(1, field(1, concatenate(labels, SAMPLE)))).results[0]!);
}

describe("names that mean something to JavaScript", () => {
  const labels = NAMES.flatMap((name) => [name, name]);
  const labelFields = concatenate(...NAMES.map((name) => labelField(name, name)));
  const replica = (name: string): Reader => {
    const own = labelField(name, `replica of ${name}`);
    const answer = field(1, field(1, concatenate(own, labelFields, SAMPLE)));
    return memoryReader(decodeReadResponse(answer).results[0]!);
  };

  test("are the text of matchers, hints and labels like any other", () => {
    const matchers = NAMES.map((name) => ({ type: "=" as const, name, value: name }));
    const hints = { stepMs: 0, func: "__proto__", startMs: 0, endMs: 0, grouping: NAMES, by: true, rangeMs: 0 };
    const request = { queries: [{ startMs: 0, endMs: 1, matchers, hints }], acceptedResponseTypes: [] };
    expect(decodeReadRequest(encodeReadRequest(request))).toEqual(request);
    const [series] = decodeChunkedResponse(field(1, labelFields)).series;
    expect(series!.labels).toEqual(labels);
  });

  test.each(BOTH)(
    "come through decoding, splicing and encoding, and nothing is polluted (response type %i)",
    async (type) => {
      const shape = Object.getOwnPropertyNames(Object.prototype);
      const reader = splicedReader([replica("a"), replica("__replica__")], {
        replicaLabels: ["__replica__", "a"],
        strategy: penalty(),
      });
      const matchers = NAMES.map((name) => ["=", name, name] as const);
      const found = await readThrough(readHandler(reader), [queryOf(matchers)], [type]);
      expect(found).toMatchObject([[{ labels, rows: [[1, "3ff0000000000000"]] }]]);
      expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(shape);
      expect(Object.getPrototypeOf({})).toBe(Object.prototype);
    },
  );

  test("tell replicas apart", async () => {
    const reader = splicedReader([replicaNamed("a"), replicaNamed("constructor")], {
      replicaLabels: ["__proto__"],
      strategy: penalty(),
    });
    const found = await readThrough(readHandler(reader), [EVERYTHING], [SAMPLES]);
    expect(namesOf(found)).toEqual([["__name__ up"]]);
  });
});
