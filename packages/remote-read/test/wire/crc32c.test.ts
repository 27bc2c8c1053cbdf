import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { combineCrc32c, crc32c } from "../../src/wire/crc32c.ts";
import { fromText, naiveCrc32c } from "../bytes.ts";

describe("crc32c", () => {
  test("sums the known vectors", () => {
    expect(crc32c(fromText("123456789"))).toBe(0xe3069283);
    expect(crc32c(fromText("test1"))).toBe(0x53fe1f55);
    expect(crc32c(new Uint8Array(0))).toBe(0);
    // RFC 3720, B.4.
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, index) => index))).toBe(0x46dd794e);
  });

  test("equals the definition at every length and every alignment", () => {
    const bytes = Uint8Array.from({ length: 300 }, (_, index) => (index * 0x9e37) >>> 5);
    for (let length = 0; length <= 260; length++) {
      const piece = bytes.subarray(length % 17, (length % 17) + length);
      expect(crc32c(piece)).toBe(naiveCrc32c(piece));
    }
  });

  test("goes on behind what was summed before", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 300 }), (first, second) => {
        expect(crc32c(second, crc32c(first))).toBe(naiveCrc32c(Uint8Array.of(...first, ...second)));
      }),
    );
  });
});

describe("combineCrc32c", () => {
  test("gives the sum of two pieces out of their sums, at every cut", () => {
    const bytes = Uint8Array.from({ length: 200 }, (_, index) => index * 31);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const sum = combineCrc32c(crc32c(bytes.subarray(0, cut)), crc32c(bytes.subarray(cut)), bytes.length - cut);
      expect(sum).toBe(crc32c(bytes));
    }
  });

  test("takes a piece out of two running sums", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 300 }), (first, second) => {
        const whole = Uint8Array.of(...first, ...second);
        expect(combineCrc32c(crc32c(first), crc32c(whole), second.length)).toBe(crc32c(second));
      }),
    );
  });

  test("knows lengths whose bits are all of those that a length can have", () => {
    const zeros = new Uint8Array(1 << 20);
    for (const length of [1, 2, 3, 1023, 65536, 65537, (1 << 20) - 1, 1 << 20]) {
      const piece = zeros.subarray(0, length);
      expect(combineCrc32c(crc32c(fromText("head")), crc32c(piece), length)).toBe(
        crc32c(piece, crc32c(fromText("head"))),
      );
    }
    // 4 GiB − 1 as twice 2 GiB and what is left.
    const half = combineCrc32c(1, 0, 2 ** 31);
    expect(combineCrc32c(1, 0, 2 ** 32 - 1)).toBe(combineCrc32c(half, 0, 2 ** 31 - 1));
  });
});
