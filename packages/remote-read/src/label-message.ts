/**
 * Label sets as messages carry them: field 1 of `TimeSeries` and of `ChunkedSeries`, one `Label` message a label.
 *
 *     Label   1 name   2 value
 */
import { formatLabelSet, compareLabelSets, type LabelSet } from "@promsplice/core";

import { RemoteReadError } from "./remote-read-error.ts";
import {
  createWriter,
  enterMessage,
  finishWriter,
  hasField,
  type ProtobufReader,
  readString,
  readTag,
  skipField,
  startNested,
  writeString,
} from "./wire/protobuf.ts";

/** Number of the field that holds the labels, in both kinds of series. */
export const LABELS = 1;
const NAME = 1;
const VALUE = 2;

export interface LabelLimits {
  /** Most labels of one series. */
  readonly labelsMax: number;
  /** Longest label as it comes, in bytes: its name, its value, and what says how long they are. */
  readonly labelBytesMax: number;
}

export const NO_LABEL_LIMITS: LabelLimits = { labelsMax: Infinity, labelBytesMax: Infinity };

/**
 * Reads the next `Label` and appends its name and value to `labels`, whatever they are: see {@link toLabelSet}.
 *
 * @throws RemoteReadError `limit-exceeded`, before the text is decoded; `labels-malformed`.
 */
export function readLabel(
  reader: ProtobufReader,
  tag: number,
  labels: string[],
  { labelsMax, labelBytesMax }: LabelLimits = NO_LABEL_LIMITS,
): void {
  const offset = reader.pos;
  if (labels.length >= 2 * labelsMax) {
    const message = `a series has more than ${labelsMax} labels, at byte ${offset}`;
    throw new RemoteReadError("limit-exceeded", message, { offset });
  }
  const outerEnd = enterMessage(reader, tag);
  const bytes = reader.len - reader.pos;
  if (bytes > labelBytesMax) {
    const message = `the label at byte ${offset} is ${bytes} bytes, limit is ${labelBytesMax}`;
    throw new RemoteReadError("limit-exceeded", message, { offset });
  }
  let name = "";
  let value = "";
  while (hasField(reader)) {
    const field = readTag(reader);
    switch (field >>> 3) {
      case NAME:
        name = readString(reader, field, "labels-malformed");
        break;
      case VALUE:
        value = readString(reader, field, "labels-malformed");
        break;
      default:
        skipField(reader, field);
    }
  }
  reader.len = outerEnd;
  labels.push(name, value);
}

/**
 * The label set that names and values in the order of the wire mean: sorted by name, without labels whose value is empty,
 * which mean the same as no label.
 *
 * @throws RemoteReadError `labels-malformed` if a name is empty or comes twice.
 */
export function toLabelSet(labels: readonly string[]): LabelSet {
  // Fast path: in order and without empty values, as servers of today send them.
  if (isLabelSet(labels)) {
    return labels;
  }
  const pairs: (readonly [string, string])[] = [];
  for (let index = 0; index < labels.length; index += 2) {
    pairs.push([labels[index]!, labels[index + 1]!]);
  }
  pairs.sort(compareLabelSets);
  for (const [index, [name]] of pairs.entries()) {
    if (name === "" || name === pairs[index - 1]?.[0]) {
      const problem = name === "" ? "an empty name" : `the name ${JSON.stringify(name)} twice`;
      throw new RemoteReadError("labels-malformed", `the label set ${formatLabelSet(labels)} has ${problem}`);
    }
  }
  return pairs.filter(([, value]) => value !== "").flat();
}

/** The `Label` messages of a label set, as the beginning of either kind of series. Throws a TypeError on broken text. */
export function encodeLabels(labels: LabelSet): Uint8Array {
  const writer = createWriter();
  for (let index = 0; index < labels.length; index += 2) {
    startNested(writer, LABELS);
    writeString(writer, NAME, labels[index]!);
    writeString(writer, VALUE, labels[index + 1]!);
    writer.ldelim();
  }
  return finishWriter(writer);
}

function isLabelSet(labels: readonly string[]): boolean {
  for (let index = 0; index < labels.length; index += 2) {
    if (labels[index] === "" || labels[index + 1] === "") {
      return false;
    }
    if (index > 0 && compareLabelSets([labels[index - 2]!], [labels[index]!]) >= 0) {
      return false;
    }
  }
  return true;
}
