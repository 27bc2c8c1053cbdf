import * as fc from "fast-check";
import { describe, expect, test, vi } from "vitest";

import { compressSnappy, uncompressSnappy } from "../../src/wire/snappy.ts";
import { concatenate, fromHex, fromText, toHex, varint } from "../bytes.ts";
import { codeOf, errorOf } from "../error-code.ts";

const BYTES_MAX = 1 << 20;

/** Decodes a block byte by byte as its specification says; undefined where it is none. */
function naiveUncompress(block: Uint8Array): number[] | undefined {
  let at = 0;
  let length = 0;
  for (let shift = 0; ; shift++) {
    const byte = block[at++];
    if (byte === undefined || shift === 5) {
      return undefined;
    }
    length += (byte & 127) * 2 ** (7 * shift);
    if (byte < 128) {
      break;
    }
  }
  const output: number[] = [];
  while (at < block.length) {
    const tag = block[at++]!;
    const number = (bytes: number): number => {
      let value = 0;
      for (let index = 0; index < bytes; index++) {
        value += (block[at++] ?? NaN) * 2 ** (8 * index);
      }
      return value;
    };
    if ((tag & 3) === 0) {
      const literal = 1 + (tag >>> 2 < 60 ? tag >>> 2 : number((tag >>> 2) - 59));
      if (!(literal <= block.length - at)) {
        return undefined;
      }
      output.push(...block.subarray(at, (at += literal)));
    } else {
      const count = (tag & 3) === 1 ? 4 + ((tag >>> 2) & 7) : 1 + (tag >>> 2);
      const offset = (tag & 3) === 1 ? (tag >>> 5) * 256 + number(1) : number((tag & 3) === 2 ? 2 : 4);
      if (!(offset > 0 && offset <= output.length)) {
        return undefined;
      }
      for (let index = 0; index < count; index++) {
        output.push(output[output.length - offset]!);
      }
    }
  }
  return output.length === length && length < 2 ** 32 ? output : undefined;
}

/**
 * Both decode to the same or neither decodes. Decoding uses a decoder without faults of its own behind the scan, so that it is
 * the scan that is tested; whatever passes snappyjs too must be the same there.
 */
function expectAgreement(block: Uint8Array): void {
  const expected = naiveUncompress(block);
  const uncompress = (passed: Uint8Array): Uint8Array => Uint8Array.from(naiveUncompress(passed)!);
  if (expected === undefined) {
    // Refused by the scan itself: no decoder gets to see it.
    const decoder = vi.fn<() => Uint8Array>();
    expect(codeOf(() => uncompressSnappy(block, 2 ** 32, { uncompress: decoder }))).toBe("snappy-corrupt");
    expect(decoder).not.toHaveBeenCalled();
    return;
  }
  expect(toHex(uncompressSnappy(block, BYTES_MAX, { uncompress }))).toBe(toHex(Uint8Array.from(expected)));
  const code = codeOf(() => expect(toHex(uncompressSnappy(block, BYTES_MAX))).toBe(toHex(Uint8Array.from(expected))));
  expect(["none", "snappy-corrupt"]).toContain(code);
}

type Element =
  | readonly [kind: "literal", bytes: Uint8Array]
  | readonly [kind: "copy", extra: number, count: number, offset: number];

const literal = fc.tuple(fc.constant("literal" as const), fc.uint8Array({ minLength: 1, maxLength: 300 }));
const copy = fc.tuple(
  fc.constant("copy" as const),
  fc.constantFrom(1, 2, 4),
  fc.integer({ min: 1, max: 64 }),
  fc.nat(400),
);

/** A block of these elements, with the shortest header for each literal, and the length that they make. */
function blockOf(elements: readonly Element[]): Uint8Array {
  let produced = 0;
  const pieces = elements.map((element): Uint8Array => {
    if (element[0] === "literal") {
      const bytes = element[1];
      produced += bytes.length;
      const rest = bytes.length - 1;
      const header = rest < 60 ? [rest << 2] : rest < 256 ? [60 << 2, rest] : [61 << 2, rest & 255, rest >>> 8];
      return Uint8Array.of(...header, ...bytes);
    }
    const [, extra, wanted, offset] = element;
    const count = extra === 1 ? 4 + (wanted & 7) : wanted;
    produced += count;
    return extra === 1
      ? Uint8Array.of(1 | ((count - 4) << 2) | ((offset >>> 8) << 5), offset & 255)
      : Uint8Array.of(
          (extra === 2 ? 2 : 3) | ((count - 1) << 2),
          offset & 255,
          offset >>> 8,
          ...(extra === 4 ? [0, 0] : []),
        );
  });
  return concatenate(varint(produced), ...pieces);
}

describe("uncompressSnappy", () => {
  test("decodes elements of every kind as a byte-wise decoder does", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(literal, copy), { maxLength: 8 }), (elements) => {
        const block = blockOf(elements);
        expectAgreement(block);
        // What an encoder could have written is never refused.
        if (naiveUncompress(block) !== undefined) {
          expect(codeOf(() => uncompressSnappy(block, BYTES_MAX))).toBe("none");
        }
      }),
      { numRuns: 500 },
    );
  });

  test("agrees with a byte-wise decoder on blocks with changed bytes", () => {
    const change = fc.tuple(fc.nat(1000), fc.nat(255));
    fc.assert(
      fc.property(
        fc.array(fc.oneof(literal, copy), { maxLength: 5 }),
        fc.array(change, { maxLength: 3 }),
        (elements, changes) => {
          const block = blockOf(elements);
          for (const [at, byte] of changes) {
            block[at % block.length] = byte;
          }
          expectAgreement(block);
        },
      ),
      { numRuns: 1000 },
    );
  });

  test("agrees with a byte-wise decoder on all short blocks of chosen bytes", () => {
    const alphabet = [0, 1, 2, 3, 4, 5, 8, 60 << 2, 61 << 2, 62 << 2, 63 << 2, 128, 255];
    const visit = (block: readonly number[], left: number): void => {
      expectAgreement(Uint8Array.from(block));
      if (left > 0) {
        for (const byte of alphabet) {
          visit([...block, byte], left - 1);
        }
      }
    };
    visit([], 4);
  });

  test("refuses a block that ends inside an element, though its length is right", () => {
    for (const hex of [
      "05 0061 01",
      "02 0061 02",
      "02 0061 0201",
      "02 0061 03",
      "02 0061 03010000",
      "03 0061 f0",
      "03 0061 f401",
    ]) {
      expectAgreement(fromHex(hex));
      expect(codeOf(() => uncompressSnappy(fromHex(hex), BYTES_MAX))).toBe("snappy-corrupt");
    }
  });

  test("refuses every prefix of a block", () => {
    const block = compressSnappy(
      fromText("to be or not to be, or to be or not to be, that is the question ".repeat(10)),
    );
    for (let length = 0; length < block.length; length++) {
      expect(codeOf(() => uncompressSnappy(block.subarray(0, length), BYTES_MAX))).toBe("snappy-corrupt");
    }
  });

  test("refuses the declared length before anything is allocated", () => {
    expect(errorOf(() => uncompressSnappy(fromHex("81808010 00"), 33_554_432)).message).toBe(
      "snappy: decoded length 33554433 exceeds limit 33554432",
    );
    expect(codeOf(() => uncompressSnappy(fromHex("ffffffff0f"), 33_554_432))).toBe("limit-exceeded");
    expect(codeOf(() => uncompressSnappy(fromHex("8080808010"), 33_554_432))).toBe("snappy-corrupt");
    expect(codeOf(() => uncompressSnappy(fromHex("808080808000"), 33_554_432))).toBe("snappy-corrupt");
  });

  test("refuses the framed format", () => {
    expect(codeOf(() => uncompressSnappy(fromHex("ff060000734e61507059"), BYTES_MAX))).toBe("snappy-corrupt");
  });

  test("takes the single byte 0 as the empty message", () => {
    expect(uncompressSnappy(fromHex("00"), 0)).toEqual(new Uint8Array(0));
    expect(toHex(compressSnappy(new Uint8Array(0)))).toBe("00");
  });

  test("gives plain arrays for Buffers too", () => {
    const bytes = uncompressSnappy(Buffer.from("0308616263", "hex"), BYTES_MAX);
    expect([bytes.constructor, bytes]).toEqual([Uint8Array, fromText("abc")]);
    expect(compressSnappy(Buffer.from("abc")).constructor).toBe(Uint8Array);
  });

  test("uses the functions that it is given, and does not trust them with the length", () => {
    const block = compressSnappy(fromText("abcabcabc"));
    const given: Uint8Array[] = [];
    const uncompress = (passed: Uint8Array): Uint8Array => {
      given.push(passed);
      return fromText("123456789");
    };
    expect(uncompressSnappy(block, BYTES_MAX, { uncompress })).toEqual(fromText("123456789"));
    expect(given).toEqual([block]);
    expect(codeOf(() => uncompressSnappy(block, BYTES_MAX, { uncompress: () => fromText("12345678") }))).toBe(
      "snappy-corrupt",
    );
    expect(compressSnappy(fromText("abc"), { compress: () => fromText("xyz") })).toEqual(fromText("xyz"));
    const failing = errorOf(() =>
      uncompressSnappy(block, BYTES_MAX, {
        uncompress: () => {
          throw new Error("out of memory");
        },
      }),
    );
    expect([failing.code, (failing.cause as Error).message]).toEqual(["snappy-corrupt", "out of memory"]);
  });
});

describe("compressSnappy", () => {
  test("encodes what a byte-wise decoder gives back", () => {
    const words = fc.array(fc.constantFrom("up", "job", "instance", "node", "\n", "é"), { maxLength: 400 });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 3000 }),
          words.map((list) => fromText(list.join(""))),
        ),
        (bytes) => {
          const block = compressSnappy(bytes);
          expect(Uint8Array.from(naiveUncompress(block)!)).toEqual(bytes);
          expect(uncompressSnappy(block, bytes.length)).toEqual(bytes);
        },
      ),
    );
  });
});
