import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { FrameParser, type FrameParserOptions, frameHeaderBytes, writeFrameHeader } from "../../src/wire/frame.ts";
import { concatenate, frameOf, fromHex, fromText, naiveCrc32c, toHex, varint } from "../bytes.ts";
import { codeOf, errorOf } from "../error-code.ts";

/** What comes out of a body that arrives in these pieces, and how it ends. */
function parse(pieces: readonly Uint8Array[], options?: FrameParserOptions): { payloads: string[]; end: string } {
  const parser = new FrameParser(options);
  const payloads: string[] = [];
  const end = codeOf(() => {
    for (const piece of pieces) {
      // A reader of the network may use its buffer again.
      const borrowed = Uint8Array.from(piece);
      parser.push(borrowed);
      for (let payload = parser.next(); payload !== undefined; payload = parser.next()) {
        payloads.push(toHex(payload));
      }
      borrowed.fill(0xee);
    }
    parser.finish();
  });
  return { payloads, end };
}

/** A checksum that differs from the right one in its lowest bit. */
function otherCrc(bytes: Uint8Array): number {
  return (naiveCrc32c(bytes) ^ 1) >>> 0;
}

describe("FrameParser", () => {
  test("parses the frame of the specification", () => {
    expect(parse([fromHex("05 53fe1f55 7465737431")])).toEqual({ payloads: ["7465737431"], end: "none" });
  });

  test("takes an empty body as no frames", () => {
    expect(parse([])).toEqual({ payloads: [], end: "none" });
    expect(parse([new Uint8Array(0)])).toEqual({ payloads: [], end: "none" });
  });

  test("gives the same payloads however the body is cut", () => {
    const payload = fc.uint8Array({ minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(fc.array(payload, { maxLength: 6 }), fc.array(fc.nat(40), { maxLength: 40 }), (payloads, cuts) => {
        const body = concatenate(...payloads.map(frameOf));
        const pieces: Uint8Array[] = [];
        let at = 0;
        for (const cut of cuts) {
          pieces.push(body.subarray(at, (at += cut)));
        }
        pieces.push(body.subarray(at));
        expect(parse(pieces)).toEqual({ payloads: payloads.map(toHex), end: "none" });
      }),
    );
  });

  test("puts each payload into a buffer of its own with 16 bytes behind it", () => {
    const parser = new FrameParser();
    parser.push(concatenate(frameOf(fromText("one")), frameOf(fromText("two"))));
    const one = parser.next()!;
    const two = parser.next()!;
    expect(one.buffer).not.toBe(two.buffer);
    expect(one.byteOffset).toBe(0);
    expect(one.buffer.byteLength).toBe(3 + 16);
  });

  test("refuses a frame over the limit by its length alone", () => {
    const limited = { payloadBytesMax: 5 };
    expect(parse([frameOf(fromText("12345"))], limited).end).toBe("none");
    expect(parse([frameOf(fromText("123456"))], limited)).toEqual({ payloads: [], end: "frame-too-large" });
    for (const length of [64 * 1024 * 1024 + 1, 2 ** 32, 2n ** 64n - 1n]) {
      expect(parse([varint(length), new Uint8Array(4)]).end).toBe("frame-too-large");
    }
    expect(parse([fromHex("8080808080808080808001 00000000")]).end).toBe("frame-too-large");
    // A length that is longer than it must be is one, up to ten bytes.
    expect(parse([fromHex("85808080808080808000 53fe1f55 7465737431")]).end).toBe("none");
    expect(parse([fromHex("8580808080808080808000 53fe1f55 7465737431")]).end).toBe("frame-too-large");
    const error = errorOf(() => {
      const parser = new FrameParser(limited);
      parser.push(concatenate(frameOf(fromText("one")), frameOf(fromText("123456"))));
      parser.next();
      parser.next();
    });
    expect(error.message).toBe("the frame at byte 8 of the body is bad: it is 6 bytes, limit is 5");
    expect(error.offset).toBe(8);
  });

  test("refuses a wrong checksum, and an empty frame", () => {
    const bad = frameOf(Uint8Array.of(0, 1, 2));
    bad[7]! ^= 1;
    expect(parse([frameOf(fromText("one")), bad])).toEqual({
      payloads: [toHex(fromText("one"))],
      end: "frame-checksum",
    });
    expect(parse([fromHex("00 00000000")]).end).toBe("protobuf-malformed");
  });

  test("finds every single flipped bit", () => {
    const body = frameOf(Uint8Array.from({ length: 60 }, (_, index) => index * 7));
    for (let bit = 0; bit < body.length * 8; bit++) {
      const flipped = Uint8Array.from(body);
      flipped[bit >>> 3]! ^= 1 << (bit & 7);
      const { payloads, end } = parse([flipped]);
      expect(payloads).toEqual([]);
      expect(end).not.toBe("none");
    }
  });

  test("uses the checksum that it is given", () => {
    const body = frameOf(fromText("one"));
    expect(parse([body], { crc32c: otherCrc }).end).not.toBe("none");
    body[4]! ^= 1;
    expect(parse([body], { crc32c: otherCrc }).end).toBe("none");
    // One that gives signed numbers will do.
    expect(parse([frameOf(fromText("two"))], { crc32c: (bytes) => naiveCrc32c(bytes) | 0 }).end).toBe("none");
  });

  test("holds on to one piece at a time", () => {
    const parser = new FrameParser();
    parser.push(frameOf(fromText("one")));
    expect(() => parser.push(frameOf(fromText("two")))).toThrow("have not been taken");
  });
});

describe("FrameParser on a server's text behind the frames", () => {
  const frame = frameOf(fromText("one"));
  const texts = {
    "as short as can be": "too many\n",
    "shorter than its first letter as a length": "error parsing regexp: missing closing ): `^(?:rr_()$`\n",
    "longer than its first letter as a length": `error: ${"a long story, ".repeat(40)}the end\n`,
    "with letters of several bytes": `error: ${"à la carte é ".repeat(30)}\n`,
  };

  test.each(Object.entries(texts))("shows a text that is %s, however the body is cut", (_, text) => {
    const body = concatenate(frame, fromText(text));
    for (let cut = 0; cut <= body.length; cut++) {
      const parser = new FrameParser();
      const error = errorOf(() => {
        for (const piece of [body.subarray(0, cut), body.subarray(cut)]) {
          parser.push(piece);
          while (parser.next() !== undefined) {
            // Only how it ends matters here.
          }
        }
        parser.finish();
      });
      expect([error.code, error.message, error.offset]).toEqual(["remote-error-text", text.trim(), frame.length]);
    }
  });

  test("takes text that does not end as a line for a bad frame", () => {
    expect(parse([frame, fromText("error")]).end).toBe("frame-truncated");
    expect(parse([frame, fromText(texts["longer than its first letter as a length"].trim())]).end).toBe(
      "frame-checksum",
    );
  });

  test("takes a frame that is cut off behind five letters and a line break for what it is", () => {
    expect(parse([frame, fromText("e+?{x\n")]).end).toBe("frame-truncated");
    expect(parse([frame, fromText("e+?{x\nX\n")]).end).toBe("frame-truncated");
  });

  test("takes neither blank lines nor control characters nor broken text for a message", () => {
    expect(parse([frame, fromText("\n\n\n\n\n\n\n\n\n\n")]).end).toBe("frame-truncated");
    expect(parse([frame, fromText("a long err\u0007r\n")]).end).toBe("frame-truncated");
    expect(parse([frame, concatenate(fromText("a long err"), Uint8Array.of(0xff), fromText("\n"))]).end).toBe(
      "frame-truncated",
    );
    expect(parse([frame, fromText(texts["longer than its first letter as a length"]), Uint8Array.of(0)]).end).toBe(
      "frame-checksum",
    );
  });

  test("stops gathering a text that has no end", () => {
    const parser = new FrameParser();
    const action = (): void => {
      for (let piece = 0; piece < 1000; piece++) {
        parser.push(fromText("blah ".repeat(1000)));
        parser.next();
      }
    };
    expect(codeOf(action)).toBe("frame-checksum");
  });
});

describe("writeFrameHeader", () => {
  test("writes what stands before a payload", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 20_000 }), (payload) => {
        const start = frameHeaderBytes(payload.length);
        const frame = new Uint8Array(start + payload.length);
        frame.set(payload, start);
        writeFrameHeader(frame, payload.length, naiveCrc32c(payload));
        expect(toHex(frame)).toBe(toHex(frameOf(payload)));
      }),
      { numRuns: 30 },
    );
  });
});
