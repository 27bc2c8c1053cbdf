import { describe, expect, test } from "vitest";

import {
  createWriter,
  finishWriter,
  hasField,
  type ProtobufReader,
  readBool,
  readBytes,
  readClampedInt64,
  readInt32,
  readInt32s,
  readMessage,
  readString,
  readTag,
  readTime,
  skipField,
  writeString,
} from "../../src/wire/protobuf.ts";
import { concatenate, field, fromHex, fromText, toHex, varint } from "../bytes.ts";
import { codeOf, errorOf } from "../error-code.ts";

function skipAll(reader: ProtobufReader): void {
  while (hasField(reader)) {
    skipField(reader, readTag(reader));
  }
}

/** A field that holds a number. */
function numberField(value: bigint): Uint8Array {
  return concatenate(fromHex("08"), varint(value));
}

/** Reads a message of one field with the given function. */
function readOne<T>(bytes: Uint8Array, read: (reader: ProtobufReader, tag: number) => T): T {
  return readMessage(bytes, (reader) => read(reader, readTag(reader)));
}

describe("readMessage", () => {
  test("skips unknown fields of every wire type", () => {
    const fields = fromHex("08ffffffffffffffffff01 11 0102030405060708 1a 03 616263 25 01020304 fa0700");
    expect(codeOf(() => readMessage(fields, skipAll))).toBe("none");
  });

  test.each([
    ["a field that is cut off: varint", "0880"],
    ["a field that is cut off: eight bytes", "1101020304050607"],
    ["a field that is cut off: bytes", "1a0461"],
    ["a field that is cut off: four bytes", "25010203"],
    ["a tag that is cut off", "80"],
    ["a length that is cut off", "1a80"],
    ["a length of more than 31 bits", "1affffffff0f"],
    ["a number of more than ten bytes", "08ffffffffffffffffffff01"],
    ["a tag of more than 32 bits", "888080808001"],
    ["the field number 0", "0001"],
    ["the field number 0, of bytes", "0200"],
    ["a group", "0b0c"],
    ["the end of a group", "0c"],
    ["the wire type 6", "0e"],
    ["the wire type 7", "0f"],
  ])("refuses %s, and names the place", (_, hex) => {
    const error = errorOf(() => readMessage(fromHex(`0801${hex}`), skipAll));
    expect(error.code).toBe("protobuf-malformed");
    expect(error.offset).toBeGreaterThanOrEqual(2);
    expect(error.message).toContain(`malformed protobuf at byte ${error.offset}: `);
  });

  test("lets errors through that are not about the bytes", () => {
    const bug = new TypeError("undefined is not a function");
    const throwing = (): never => {
      throw bug;
    };
    expect(() => readMessage(new Uint8Array(0), throwing)).toThrow(bug);
  });

  test("hands out plain arrays, parts of the message, for Buffers too", () => {
    const message = Buffer.from(field(3, fromText("abc")));
    const bytes = readOne(message, readBytes);
    expect([bytes.constructor, bytes.buffer, toHex(bytes)]).toEqual([Uint8Array, message.buffer, "616263"]);
  });
});

describe("fields", () => {
  test("must have the wire type that they are read as", () => {
    const asVarint = fromHex("0801");
    const asBytes = fromHex("0a0101");
    const reads = { readBytes, readString, readInt32, readBool, readClampedInt64, readTime };
    for (const [name, read] of Object.entries(reads)) {
      const wrong = ["readBytes", "readString"].includes(name) ? asVarint : asBytes;
      const right = wrong === asBytes ? asVarint : asBytes;
      expect(codeOf(() => readOne<unknown>(wrong, read))).toBe("protobuf-malformed");
      expect(codeOf(() => readOne<unknown>(right, read))).toBe("none");
    }
    expect(
      codeOf(() => readOne(fromHex("0d00000000"), (reader, tag) => readInt32s(reader, tag, () => undefined))),
    ).toBe("protobuf-malformed");
  });

  test("keep the lower 32 bits of a longer number", () => {
    expect(readOne(numberField(2n ** 40n + 7n), readInt32)).toBe(7);
    expect(readOne(numberField(-1n), readInt32)).toBe(-1);
    expect(readOne(numberField(2n ** 40n), readBool)).toBe(true);
  });

  test("read lists packed and not packed", () => {
    const list: number[] = [];
    readMessage(fromHex("0801 0a020203 0804 0a00"), (reader) => {
      while (hasField(reader)) {
        readInt32s(reader, readTag(reader), (number) => list.push(number));
      }
    });
    expect(list).toEqual([1, 2, 3, 4]);
    expect(
      codeOf(() => readOne(fromHex("0a0280800101"), (reader, tag) => readInt32s(reader, tag, () => undefined))),
    ).toBe("protobuf-malformed");
  });

  test("read text as it is, byte order mark included, and refuse what is not UTF-8", () => {
    for (const text of ["", "up", "\ufeffmark", "Ａ😀", "a".repeat(100), `${"a".repeat(100)}é`]) {
      expect(readOne(field(1, fromText(text)), readString)).toBe(text);
    }
    for (const hex of ["ff", "c3", "eda080", "c080", "f4908080", `${"61".repeat(99)}c3`]) {
      expect(codeOf(() => readOne(field(1, fromHex(hex)), readString))).toBe("protobuf-malformed");
      expect(
        codeOf(() => readOne(field(1, fromHex(hex)), (reader, tag) => readString(reader, tag, "labels-malformed"))),
      ).toBe("labels-malformed");
    }
  });

  test("bring bounds to ±2^53, and name times that are outside", () => {
    expect(readOne(numberField(2n ** 63n - 1n), readClampedInt64)).toBe(2 ** 53);
    expect(readOne(numberField(-(2n ** 63n)), readClampedInt64)).toBe(-(2 ** 53));
    expect(readOne(numberField(-(2n ** 53n)), readTime)).toBe(-(2 ** 53));
    for (const value of [2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 63n - 1n, -(2n ** 63n)]) {
      const error = errorOf(() => readOne(numberField(value), readTime));
      expect([error.code, error.offset]).toEqual(["protobuf-malformed", 1]);
      expect(error.message).toContain(String(value));
    }
  });
});

describe("writeString", () => {
  test("refuses half a surrogate pair", () => {
    expect(() => writeString(createWriter(), 1, "a\ud83d")).toThrow(TypeError);
    expect(() => writeString(createWriter(), 1, "\ude00b")).toThrow(TypeError);
    const writer = createWriter();
    writeString(writer, 1, "😀");
    expect(toHex(finishWriter(writer))).toBe("0a04f09f9880");
  });
});
