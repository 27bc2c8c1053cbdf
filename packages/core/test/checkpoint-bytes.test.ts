/** The bytes of a checkpoint: what is damaged, foreign, newer or made for another splice is refused by its code. */
import { crc32 } from "node:zlib";
import { decode, encode } from "@msgpack/msgpack";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Block } from "../src/block.ts";
import { open, save } from "../src/checkpoint.ts";
import { type Checkpoint, columnsBlock, penalty, splice, spliceAsync, SpliceError } from "../src/index.ts";
import { cut, floatRow } from "./samples.ts";

/** A checkpoint of three counters with an open run, an adjust and replicas that miss scrapes. */
function example(): Uint8Array {
  const replicas = [0, 2000, 4000].map((offsetMs) => {
    const scrapes = Array.from({ length: 30 }, (_, scrape) => scrape).filter((scrape) => scrape % 11 !== 7);
    const timestamps = Float64Array.from(scrapes, (scrape) => scrape * 15_000 + offsetMs);
    return [columnsBlock({ timestamps, values: timestamps.map((t) => t / 1000 - offsetMs) })];
  });
  const splicing = splice(replicas, penalty({ counter: true }));
  splicing.next();
  splicing.next();
  return save(splicing);
}

/** Puts the magic, a true checksum and a version before a body. */
function envelope(body: Uint8Array, version = 1): Uint8Array {
  const rest = Uint8Array.of(version, ...body);
  const bytes = new Uint8Array(8 + rest.length);
  bytes.set([0x50, 0x53, 0x43, 0x50]);
  new DataView(bytes.buffer).setUint32(4, crc32(rest));
  bytes.set(rest, 8);
  return bytes;
}

/** The code of the SpliceError with which `call` is refused; any other error passes through. */
function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof SpliceError) {
      return error.code;
    }
    throw error;
  }
  return "not refused";
}

test("every truncation, every changed byte and a byte too many are checkpoint-malformed", () => {
  const bytes = example();
  expect(codeOf(() => open(bytes))).toBe("not refused");
  const codes = new Set<string>();
  for (let length = 0; length < bytes.length; length++) {
    codes.add(codeOf(() => open(bytes.slice(0, length))));
  }
  for (let at = 0; at < bytes.length; at++) {
    for (let flip = 1; flip < 256; flip++) {
      const damaged = bytes.slice();
      damaged[at]! ^= flip;
      codes.add(codeOf(() => open(damaged)));
    }
  }
  codes.add(codeOf(() => open(Uint8Array.of(...bytes, 0))));
  expect([...codes]).toEqual(["checkpoint-malformed"]);
});

test("foreign bytes are checkpoint-malformed", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(codeOf(() => open(bytes))).toBe("checkpoint-malformed");
    }),
  );
});

test.each<[string, unknown]>([
  ["null", null],
  ["a number", 5],
  ["a map", {}],
  ["an empty list", []],
  ["a list that is too short", ["penalty", [], []]],
  ["a strategy that does not exist", ["join", [], [], [], null]],
  ["a strategy without its option", ["penalty", [], [], [], null]],
  ["an option of another type", ["penalty", [["counter", 1]], [], [], null]],
  ["replicas that are no list", ["penalty", [["counter", true]], 5, [], null]],
  ["a pair too many", ["penalty", [["counter", true]], [], [[0, 0, 0, 0, false, 0, null, null]], null]],
  ["an open run of a replica that is not there", ["penalty", [["counter", true]], [], [], [0, 1, 2, 0]]],
  ["a name that is too long", ["penalty".repeat(100), [["counter", true]], [], [], null]],
])("a true checksum over %s is checkpoint-malformed", (_, body) => {
  expect(codeOf(() => open(envelope(encode(body))))).toBe("checkpoint-malformed");
});

/** How many rows a splice gives from a forged place: none where it finds that the samples cannot follow it. */
function countRows(replicas: readonly Block[][], resume: Checkpoint): number {
  let rows = 0;
  try {
    for (const { start, end } of splice(replicas, resume.strategy, { resume })) {
      rows += end - start;
    }
  } catch (error) {
    expect(error).toBeInstanceOf(RangeError);
    expect(String(error)).toMatch(/replica \d, row \d+: timestamp/);
  }
  return rows;
}

test("a body of any bytes under a true checksum is malformed, or a place from which a splice ends or refuses a row", () => {
  const outcomes = { "checkpoint-malformed": 0, "not refused": 0 };
  const replicas = [0, 2000, 4000].map((offsetMs) =>
    cut(
      Array.from({ length: 30 }, (_, scrape) => floatRow(scrape * 15_000 + offsetMs, scrape)),
      () => 7,
    ),
  );
  const body = example().subarray(9);
  fc.assert(
    fc.property(
      fc.nat(),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      fc.integer({ min: 0, max: 255 }),
      (one, other, flip, flipToo) => {
        const changed = body.slice();
        changed[one % body.length]! ^= flip;
        changed[other % body.length]! ^= flipToo;
        const bytes = envelope(changed);
        const code = codeOf(() => open(bytes));
        expect(Object.keys(outcomes)).toContain(code);
        outcomes[code as keyof typeof outcomes]++;
        if (code === "not refused") {
          expect(countRows(replicas, open(bytes))).toBeLessThanOrEqual(90);
        }
      },
    ),
    { numRuns: 5000 },
  );
  expect(Math.min(...Object.values(outcomes))).toBeGreaterThan(100);
});

test("another version under a true checksum is checkpoint-version, whatever its body is", () => {
  const body = example().subarray(9);
  expect(envelope(body)).toEqual(example());
  expect(Array.isArray(decode(body))).toBe(true);
  for (const version of [0, 2, 255]) {
    expect(codeOf(() => open(envelope(body, version)))).toBe("checkpoint-version");
  }
  expect(codeOf(() => open(envelope(encode({ anything: "else" }), 2)))).toBe("checkpoint-version");
});

function emptyReplicas(count: number): Block[][] {
  return Array.from({ length: count }, () => []);
}

test("another number of replicas or another option is checkpoint-mismatch, through every call", () => {
  const resume = open(example());
  const counter = penalty({ counter: true });
  expect(codeOf(() => splice(emptyReplicas(3), counter, { resume }))).toBe("not refused");
  for (const count of [0, 1, 2, 4]) {
    expect(codeOf(() => splice(emptyReplicas(count), counter, { resume }))).toBe("checkpoint-mismatch");
  }
  expect(codeOf(() => splice(emptyReplicas(3), penalty(), { resume }))).toBe("checkpoint-mismatch");
  expect(codeOf(() => spliceAsync([], counter, { resume }))).toBe("checkpoint-mismatch");
});

test("bytes that stand inside a larger buffer are read where they stand", () => {
  const bytes = example();
  const larger = new Uint8Array(bytes.length + 20).fill(7);
  larger.set(bytes, 9);
  expect(open(larger.subarray(9, 9 + bytes.length)).resumeFromMs).toEqual(open(bytes).resumeFromMs);
});

test("what is no Uint8Array is a TypeError", () => {
  for (const given of [undefined, null, "PSCP", [], new ArrayBuffer(200)]) {
    // @ts-expect-error: wrong on purpose
    expect(() => open(given)).toThrow(TypeError);
  }
});
