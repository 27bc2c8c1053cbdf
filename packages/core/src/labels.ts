/**
 * Label sets and their order, which is that of their UTF-8 bytes as in Prometheus: name by name and value by value, and a
 * set that begins another comes before it. JavaScript's `<` compares UTF-16 units and would put U+1F600 before U+FF21.
 *
 *     a   <   a{job="x"}   <   a{job="x", zone="1"}   <   a{job="y"}   <   b
 */
import { describe } from "./splice-error.ts";

/**
 * Name, value, name, value …, the names strictly increasing in UTF-8 order. Neither a name nor a value is empty: in
 * Prometheus an empty value means the same as no label, so whoever reads label sets from outside leaves such labels out.
 */
export type LabelSet = readonly string[];

/**
 * Negative, 0 or positive, as the UTF-8 bytes of `one` come before those of `other`, equal them or come after them.
 * Nothing is encoded. Halves of surrogate pairs, which have no UTF-8, come after all else.
 */
export function compareText(one: string, other: string): number {
  // Fast path: equal, because names always are and most values of neighbouring series too.
  if (one === other) {
    return 0;
  }
  const length = Math.min(one.length, other.length);
  for (let index = 0; index < length; index++) {
    const unit = one.charCodeAt(index);
    const otherUnit = other.charCodeAt(index);
    if (unit !== otherUnit) {
      // Surrogates stand for characters beyond U+FFFF and so come after all other units.
      const isSurrogate = (unit & 0xf800) === 0xd800;
      const isOtherSurrogate = (otherUnit & 0xf800) === 0xd800;
      return isSurrogate === isOtherSurrogate ? unit - otherUnit : isSurrogate ? 1 : -1;
    }
  }
  return one.length - other.length;
}

/** Negative, 0 or positive, as `one` comes before `other`, equals it or comes after it in the order of series. */
export function compareLabelSets(one: LabelSet, other: LabelSet): number {
  const length = Math.min(one.length, other.length);
  for (let index = 0; index < length; index++) {
    const order = compareText(one[index]!, other[index]!);
    if (order !== 0) {
      return order;
    }
  }
  return one.length - other.length;
}

/** The label set without the labels of these names; the same array where it has none of them. */
export function withoutLabels(labels: LabelSet, names: readonly string[]): LabelSet {
  let kept: string[] | undefined;
  for (let index = 0; index < labels.length; index += 2) {
    if (names.includes(labels[index]!)) {
      kept ??= labels.slice(0, index);
    } else {
      kept?.push(labels[index]!, labels[index + 1]!);
    }
  }
  return kept ?? labels;
}

/** The value of a label, empty where there is no such label. */
export function labelValue(labels: LabelSet, name: string): string {
  for (let index = 0; index < labels.length; index += 2) {
    if (labels[index] === name) {
      return labels[index + 1]!;
    }
  }
  return "";
}

/**
 * A label set as PromQL writes it, for error messages: `up{job="node"}`. Names beyond the classic alphabet are quoted as
 * in Prometheus 3: `{"http.requests", "le bel"="x"}`.
 */
export function formatLabelSet(labels: LabelSet): string {
  const parts: string[] = [];
  let metric = "";
  for (let index = 0; index < labels.length; index += 2) {
    const name = labels[index]!;
    const value = labels[index + 1]!;
    if (name !== "__name__") {
      parts.push(`${LABEL_NAME.test(name) ? name : quote(name)}=${quote(value)}`);
    } else if (METRIC_NAME.test(value)) {
      metric = value;
    } else {
      parts.unshift(quote(value));
    }
  }
  return parts.length === 0 && metric !== "" ? metric : `${metric}{${parts.join(", ")}}`;
}

/**
 * Checks what {@link LabelSet} promises.
 *
 * @throws TypeError that says what is wrong.
 */
export function checkLabelSet(labels: LabelSet): void {
  if (!Array.isArray(labels)) {
    throw new TypeError(`a label set must be an array of names and values, got ${describe(labels)}`);
  }
  if (labels.length % 2 !== 0) {
    throw new TypeError(`a label set must be pairs of a name and a value, got ${labels.length} strings`);
  }
  let before = "";
  for (let index = 0; index < labels.length; index += 2) {
    const name: unknown = labels[index];
    const value: unknown = labels[index + 1];
    if (typeof name !== "string" || typeof value !== "string") {
      throw new TypeError(`names and values of labels must be strings, got ${describe(name)} and ${describe(value)}`);
    }
    if (name === "") {
      throw new TypeError(`a label name must not be empty, the value is ${quote(value)}`);
    }
    if (value === "") {
      throw new TypeError(`label ${quote(name)} has an empty value, which means no label: leave it out`);
    }
    if (compareText(before, name) >= 0) {
      throw new TypeError(
        `label names must increase by their UTF-8 bytes, ${quote(name)} comes after ${quote(before)}`,
      );
    }
    before = name;
  }
}

/** What Prometheus writes without quotes: the names that it knew before version 3. */
const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** JSON's escapes are all escapes of PromQL too, and leave no control character in a message. */
function quote(text: string): string {
  return JSON.stringify(text);
}
