/**
 * The loops over `Sample` messages (1 value, a double; 2 timestamp in ms), field 2 of a `TimeSeries`, into columns and out
 * of them:
 *
 *     12 10  09 000000000000f03f  10 80d095ffbc31        value 1 at 1700000000000: 18 bytes, as nearly all samples take
 *
 * No object a sample, and values only as two 32-bit words.
 */
import type { Columns } from "@promsplice/core";

import { HIGH_WORD, LOW_WORD, wordsOf } from "./chunk/value-words.ts";
import {
  checkWireType,
  enterMessage,
  FIXED_64,
  hasField,
  type ProtobufReader,
  readTag,
  readTime,
  skipField,
} from "./wire/protobuf.ts";
import { INT64_BYTES_MAX, writeInt64 } from "./wire/varint.ts";

/** Number of the field that holds the samples, in a `TimeSeries`. */
export const SAMPLES = 2;

/** The most bytes that {@link writeSamples} takes for a sample: tag and length, tag and value, tag and time. */
export const SAMPLE_BYTES_MAX: number = 2 + 1 + 8 + 1 + INT64_BYTES_MAX;

const VALUE = 1;
const TIME = 2;

/** The tags that we write; the wire type is in the lower three bits. */
const SAMPLES_TAG = (SAMPLES << 3) | 2;
const VALUE_TAG = (VALUE << 3) | FIXED_64;
const TIME_TAG = TIME << 3;

/** What the usual sample begins with, as a little-endian number: its tag, its length of 16, the tag of its value. */
const USUAL_HEAD = SAMPLES_TAG | (16 << 8) | (VALUE_TAG << 16);
const USUAL_BYTES = 18;

/** The bits of a varint's bytes that say whether it goes on. */
const CONTINUED_4 = 0x80808080 | 0;
const CONTINUED_2 = 0x8080;

/**
 * Reads the next `count` samples among the fields that are left of a series into fresh columns: in the order in which they
 * come, whatever it is.
 *
 * @throws RemoteReadError `protobuf-malformed`, also for a time outside ±2^53.
 */
export function readSamples(reader: ProtobufReader, count: number): Columns {
  const timestamps = new Float64Array(count);
  const values = new Float64Array(count);
  const words = wordsOf(values);
  const bytes = reader.buf;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let row = 0; row < count;) {
    const at = reader.pos;
    // Fast path: 18 bytes of the form above, because nearly all samples are (five times as fast, Node 20.20).
    if (at + USUAL_BYTES <= reader.len && isUsual(view, at)) {
      words[2 * row + LOW_WORD] = view.getInt32(at + 3, true);
      words[2 * row + HIGH_WORD] = view.getInt32(at + 7, true);
      timestamps[row++] = readUsualTime(view, at + 12);
      reader.pos = at + USUAL_BYTES;
      continue;
    }
    const tag = readTag(reader);
    if (tag >>> 3 === SAMPLES) {
      readSample(reader, tag, timestamps, words, row++);
    } else {
      skipField(reader, tag);
    }
  }
  return { timestamps, values };
}

/** Whether at `at` there is a sample of a value other than 0 and a time of six bytes, as all between 1971 and 2109 are. */
function isUsual(view: DataView, at: number): boolean {
  return (
    (view.getInt32(at, true) & 0xffffff) === USUAL_HEAD &&
    view.getUint8(at + 11) === TIME_TAG &&
    (~view.getInt32(at + 12, true) & CONTINUED_4) === 0 &&
    (view.getInt16(at + 16, true) & CONTINUED_2) === 0x80
  );
}

/** The number in six bytes: 28 bits in the first four, 14 in the others. */
function readUsualTime(view: DataView, at: number): number {
  const low = view.getInt32(at, true);
  const high = view.getInt16(at + 4, true);
  return (
    ((high & 127) | ((high >>> 1) & 0x3f80)) * 2 ** 28 +
    ((low & 127) | ((low >>> 1) & 0x3f80) | ((low >>> 2) & 0x1fc000) | ((low >>> 3) & 0xfe00000))
  );
}

function readSample(
  reader: ProtobufReader,
  tag: number,
  timestamps: Float64Array,
  words: Int32Array,
  row: number,
): void {
  const outerEnd = enterMessage(reader, tag);
  while (hasField(reader)) {
    const field = readTag(reader);
    switch (field >>> 3) {
      case VALUE:
        checkWireType(reader, field, FIXED_64);
        words[2 * row + LOW_WORD] = reader.fixed32();
        words[2 * row + HIGH_WORD] = reader.fixed32();
        break;
      case TIME:
        timestamps[row] = readTime(reader, field);
        break;
      default:
        skipField(reader, field);
    }
  }
  reader.len = outerEnd;
}

/**
 * Writes rows `start` to `end` of a pair of columns as fields of a series into `target`, from its beginning on, where there
 * must be {@link SAMPLE_BYTES_MAX} bytes for each; returns how many bytes they take. A field that is 0 is left out, as proto3
 * has it; −0 is not 0.
 */
export function writeSamples({ timestamps, values }: Columns, start: number, end: number, target: DataView): number {
  const bytes = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
  const words = wordsOf(values);
  let at = 0;
  for (let row = start; row < end; row++) {
    const lengthAt = at + 1;
    bytes[at] = SAMPLES_TAG;
    at += 2;
    const low = words[2 * row + LOW_WORD]!;
    const high = words[2 * row + HIGH_WORD]!;
    if ((low | high) !== 0) {
      bytes[at] = VALUE_TAG;
      target.setInt32(at + 1, low, true);
      target.setInt32(at + 5, high, true);
      at += 9;
    }
    const timestampMs = timestamps[row]!;
    if (timestampMs !== 0) {
      bytes[at] = TIME_TAG;
      at = writeInt64(bytes, at + 1, timestampMs);
    }
    bytes[lengthAt] = at - lengthAt - 1;
  }
  return at;
}
