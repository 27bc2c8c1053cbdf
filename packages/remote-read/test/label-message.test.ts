import { compareLabelSets } from "@promsplice/core";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { encodeLabels, readLabel, toLabelSet } from "../src/label-message.ts";
import { hasField, readMessage, readTag } from "../src/wire/protobuf.ts";
import { concatenate, field, fromHex, fromText } from "./bytes.ts";
import { codeOf, errorOf } from "./error-code.ts";

function readLabels(bytes: Uint8Array): readonly string[] {
  return readMessage(bytes, (reader) => {
    const labels: string[] = [];
    while (hasField(reader)) {
      readLabel(reader, readTag(reader), labels);
    }
    return toLabelSet(labels);
  });
}

function labelOf(name: string, value: string): Uint8Array {
  return field(1, concatenate(field(1, fromText(name)), field(2, fromText(value))));
}

describe("toLabelSet", () => {
  test("sorts names by their UTF-8 bytes", () => {
    expect(toLabelSet(["😀", "4", "Ａ", "3", "é", "2", "B", "0", "a", "1"])).toEqual([
      "B",
      "0",
      "a",
      "1",
      "é",
      "2",
      "Ａ",
      "3",
      "😀",
      "4",
    ]);
  });

  test("hands on an ordered set as it is", () => {
    const labels = ["__name__", "up", "job", "x"];
    expect(toLabelSet(labels)).toBe(labels);
    expect(toLabelSet([])).toEqual([]);
  });

  test("leaves out labels without a value", () => {
    expect(toLabelSet(["a", "", "b", "1", "c", ""])).toEqual(["b", "1"]);
    expect(toLabelSet(["a", ""])).toEqual([]);
  });

  test("refuses a doubled name, wherever and whatever it is worth, and an empty one", () => {
    for (const labels of [
      ["a", "1", "a", "1"],
      ["a", "1", "b", "2", "a", "3"],
      ["a", "1", "b", "2", "a", ""],
      ["", "x"],
      ["", ""],
      ["a", "1", "", "x"],
    ]) {
      expect(errorOf(() => toLabelSet(labels)).code).toBe("labels-malformed");
    }
    expect(errorOf(() => toLabelSet(["a", "1", "a", "2"])).message).toBe(
      'the label set {a="1", a="2"} has the name "a" twice',
    );
  });

  test("makes the same set of every order of its labels", () => {
    const name = fc.string({ unit: "binary", minLength: 1, maxLength: 3 });
    const pairs = fc.uniqueArray(fc.tuple(name, fc.string({ maxLength: 2 })), { selector: ([one]) => one });
    fc.assert(
      fc.property(pairs, (list) => {
        const byBytes = list.toSorted(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
        expect(toLabelSet(list.flat())).toEqual(byBytes.filter(([, value]) => value !== "").flat());
      }),
    );
  });
});

describe("readLabel", () => {
  test("reads what encodeLabels writes", () => {
    const text = fc.string({ unit: "binary", minLength: 1, maxLength: 40 });
    const pairs = fc.uniqueArray(fc.tuple(text, text), { selector: ([name]) => name });
    fc.assert(
      fc.property(pairs, (list) => {
        const labels = list.toSorted(compareLabelSets).flat();
        expect(readLabels(encodeLabels(labels))).toEqual(labels);
      }),
    );
  });

  test("takes absent fields as empty, skips unknown ones, and of repeated ones takes the last", () => {
    expect(readLabels(fromHex("0a06 0a0161 120162"))).toEqual(["a", "b"]);
    expect(readLabels(fromHex("0a0b 0a0161 1801 0a0163 120162"))).toEqual(["c", "b"]);
    expect(readLabels(fromHex("0a03 0a0161"))).toEqual([]);
    expect(codeOf(() => readLabels(fromHex("0a03 120161")))).toBe("labels-malformed");
    expect(codeOf(() => readLabels(fromHex("0a00")))).toBe("labels-malformed");
  });

  test("refuses names and values that are not UTF-8", () => {
    expect(codeOf(() => readLabels(fromHex("0a06 0a01ff 120162")))).toBe("labels-malformed");
    expect(codeOf(() => readLabels(fromHex("0a06 0a0161 1201ff")))).toBe("labels-malformed");
    expect(codeOf(() => readLabels(concatenate(labelOf("a", "1"), labelOf("é", "\ufeff"))))).toBe("none");
  });
});
