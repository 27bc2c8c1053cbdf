import { Buffer } from "node:buffer";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  checkLabelSet,
  compareLabelSets,
  compareText,
  formatLabelSet,
  labelValue,
  type LabelSet,
  withoutLabels,
} from "../src/labels.ts";
import { compareBytes, dropLabels, makeLabels } from "./twins/group.ts";

/** One to four bytes of UTF-8, and around the places where UTF-16 and UTF-8 disagree. */
const CHARACTERS = [
  "Z",
  "a",
  "é",
  "\u{d7ff}",
  "\u{e000}",
  "\u{ff21}",
  "\u{ffff}",
  "\u{10000}",
  "\u{1f600}",
  "\u{10ffff}",
];

const TEXTS = ["", ...CHARACTERS, ...CHARACTERS.flatMap((one) => CHARACTERS.map((other) => one + other))];

const labelSets = fc
  .dictionary(fc.constantFrom("a", "Z", "é", "\u{ff21}", "\u{1f600}", "aa"), fc.constantFrom(...TEXTS.slice(1)), {
    maxKeys: 4,
    noNullPrototype: true,
  })
  .map(makeLabels);

describe("compareText", () => {
  it("agrees with the bytes for all texts of up to two characters", () => {
    const wrong: string[] = [];
    for (const one of TEXTS) {
      for (const other of TEXTS) {
        const expected = Buffer.compare(Buffer.from(one, "utf8"), Buffer.from(other, "utf8"));
        if (Math.sign(compareText(one, other)) !== expected) {
          wrong.push(`${JSON.stringify(one)} and ${JSON.stringify(other)}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it("agrees with the bytes for any text", () => {
    const texts = fc.string({
      unit: fc.oneof(fc.constantFrom(...CHARACTERS), fc.string({ unit: "binary", maxLength: 1 })),
    });
    fc.assert(
      fc.property(texts, texts, texts, (before, one, other) => {
        const expected = Buffer.compare(Buffer.from(before + one, "utf8"), Buffer.from(before + other, "utf8"));
        expect(Math.sign(compareText(before + one, before + other))).toBe(expected);
      }),
      { numRuns: 2_000 },
    );
  });

  it("puts halves of surrogate pairs after all else, in one order", () => {
    const texts = ["", "a", "\u{ffff}", "\u{10000}", "\u{10ffff}", "\ud800", "\udc00", "\ud800a", "\udfff"];
    const sorted = texts.toSorted(compareText);
    for (const order of [texts.toReversed(), sorted.toReversed(), [...texts.slice(4), ...texts.slice(0, 4)]]) {
      expect(order.toSorted(compareText)).toEqual(sorted);
    }
    expect(sorted.slice(0, 3)).toEqual(["", "a", "\u{ffff}"]);
  });
});

describe("compareLabelSets", () => {
  it.each<[string, LabelSet, LabelSet]>([
    ["an empty set before all others", [], ["a", "1"]],
    ["a set before those that it begins", ["a", "1"], ["a", "1", "b", "1"]],
    ["by the first name that differs", ["a", "2", "b", "1"], ["a", "2", "c", "1"]],
    ["by a value before the next name", ["a", "1", "z", "1"], ["a", "2", "b", "1"]],
    ["a value before those that it begins", ["a", "1", "z", "1"], ["a", "10", "b", "1"]],
    ["by bytes where JavaScript's order is another", ["a", "\u{ff21}"], ["a", "\u{1f600}"]],
    ["names by bytes as well", ["\u{ff21}", "1"], ["\u{1f600}", "1"]],
  ])("puts %s", (_, smaller, greater) => {
    expect(compareLabelSets(smaller, greater)).toBeLessThan(0);
    expect(compareLabelSets(greater, smaller)).toBeGreaterThan(0);
    expect(compareLabelSets(smaller, [...smaller])).toBe(0);
  });

  it("agrees with the bytes", () => {
    fc.assert(
      fc.property(labelSets, labelSets, (one, other) => {
        expect(Math.sign(compareLabelSets(one, other))).toBe(compareBytes(one, other));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("withoutLabels", () => {
  it.each<[string, LabelSet, readonly string[], LabelSet]>([
    ["the first label", ["a", "1", "b", "2"], ["a"], ["b", "2"]],
    ["the last label", ["a", "1", "b", "2"], ["b"], ["a", "1"]],
    ["several, named in any order and more than once", ["a", "1", "b", "2", "c", "3"], ["c", "a", "c"], ["b", "2"]],
    ["all labels", ["a", "1"], ["a"], []],
    ["names alone, not values that look like one", ["a", "b", "c", "a"], ["b"], ["a", "b", "c", "a"]],
  ])("drops %s", (_, labels, names, left) => {
    expect(withoutLabels(labels, names)).toEqual(left);
  });

  it("gives the same array where there is nothing to drop, and leaves it as it was where there is", () => {
    const labels = Object.freeze(["a", "1", "b", "2"]);
    expect(withoutLabels(labels, ["c", "1"])).toBe(labels);
    expect(withoutLabels(labels, [])).toBe(labels);
    expect(withoutLabels(labels, ["a"])).not.toBe(labels);
  });

  it("agrees with its twin", () => {
    const names = fc.subarray(["a", "Z", "é", "\u{ff21}", "\u{1f600}", "b"]);
    fc.assert(
      fc.property(labelSets, names, (labels, dropped) => {
        expect(withoutLabels(labels, dropped)).toEqual(dropLabels(labels, dropped));
      }),
    );
  });
});

describe("labelValue", () => {
  it("finds a value by its name, and nothing where there is no such name", () => {
    const labels = ["a", "b", "b", "c"];
    expect(labelValue(labels, "a")).toBe("b");
    expect(labelValue(labels, "b")).toBe("c");
    expect(labelValue(labels, "c")).toBe("");
    expect(labelValue([], "a")).toBe("");
  });
});

describe("formatLabelSet", () => {
  it.each<[string, LabelSet]>([
    ["{}", []],
    ["up", ["__name__", "up"]],
    ["job:up:sum", ["__name__", "job:up:sum"]],
    ['up{instance="a:9090", job="node"}', ["__name__", "up", "instance", "a:9090", "job", "node"]],
    ['up{Zone="1", job="node"}', ["Zone", "1", "__name__", "up", "job", "node"]],
    ['{job="node"}', ["job", "node"]],
    ['{"http.requests"}', ["__name__", "http.requests"]],
    ['{"http.requests", Zone="1"}', ["Zone", "1", "__name__", "http.requests"]],
    ['up{"a b"="c"}', ["__name__", "up", "a b", "c"]],
    ['{"quoted.name", "a b"="c"}', ["__name__", "quoted.name", "a b", "c"]],
    ['{"1a"="x", "a:b"="y", "é"="z"}', ["1a", "x", "a:b", "y", "é", "z"]],
    [String.raw`{a="\"\\\n\t"}`, ["a", '"\\\n\t']],
    ['{a="é😀"}', ["a", "é😀"]],
  ])("writes %s", (text, labels) => {
    expect(formatLabelSet(labels)).toBe(text);
  });
});

describe("checkLabelSet", () => {
  it.each<[LabelSet]>([[[]], [["a", "1"]], [["Z", "1", "a", "1", "\u{ff21}", "1", "\u{1f600}", "1"]]])(
    "accepts %j",
    (labels) => {
      expect(() => checkLabelSet(labels)).not.toThrow();
    },
  );

  it.each<[unknown, string]>([
    [undefined, "must be an array of names and values, got undefined"],
    ['{a="1"}', 'must be an array of names and values, got {a="1"}'],
    [new Map([["a", "1"]]), "must be an array of names and values, got Map"],
    [["a"], "must be pairs of a name and a value, got 1 strings"],
    [["a", "1", "b"], "must be pairs of a name and a value, got 3 strings"],
    [["a", 1], "must be strings, got a and 1"],
    [[null, "1"], "must be strings, got null and 1"],
    [Array.from({ length: 2 }), "must be strings, got undefined and undefined"],
    [["", "1"], 'a label name must not be empty, the value is "1"'],
    [["a", "1", "", "1"], 'a label name must not be empty, the value is "1"'],
    [["a", "1", "b", ""], 'label "b" has an empty value'],
    [["a", "1", "a", "2"], '"a" comes after "a"'],
    [["b", "1", "a", "1"], '"a" comes after "b"'],
    [["\u{1f600}", "1", "\u{ff21}", "1"], '"\u{ff21}" comes after "\u{1f600}"'],
  ])("refuses %j", (labels, message) => {
    const check = (): void => checkLabelSet(labels as LabelSet);
    expect(check).toThrow(TypeError);
    expect(check).toThrow(message);
  });
});
