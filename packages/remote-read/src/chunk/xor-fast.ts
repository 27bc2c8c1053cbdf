/**
 * The fast half of the XOR decoder: ordinary chunks. Whatever is not ordinary makes it give up, without a message, and
 * `xor-careful.ts` decodes the chunk again from its start. The format is drawn in `xor-format.ts`.
 *
 * - The chunk is copied to a buffer of this module, and rows are written to columns of this module, from where they are
 *   copied out. Since these are constants, the compiler knows their addresses and leaves most checks out of the loop, which is
 *   worth more than the two copies cost: 5.7 ns a sample instead of 7.0 on constants, 9.9 instead of 11.5 on gauges (Node
 *   20.20). And reading past the chunk is harmless. There is room for every chunk, 2 MB; what is never touched takes no memory.
 * - Aligned xor: with a window of L leading and S significant bits and the stream at bit p, the 64 bits *from p − L on* hold
 *   the xor in its final place, under a mask of the bits L to L + S − 1. Nothing is extracted and shifted.
 *
 *       stream   … . . . . . s s s s s . . .        p − L is never negative: L ≤ 31, and a header,
 *                    ├── L ──┤├─ S ─┤                 a time and a value precede
 *                  p − L     p     p + S
 *
 * - No branch on the sign of a step in time, which is a coin toss: 14 bits are `((raw + 8191) & 16383) - 8191`, since the
 *   pattern 100…0 means +8192.
 * - One peek of 25 bits holds the code of the step (16) and the first two bits of the value's.
 * - Times need no check a sample: |first| < 2^48 and |delta| ≤ 2^30 wherever it moved by more than 14 bits, so that 65,535
 *   samples stay below 2^49 and every delta below 2^31.
 */

import { HIGH_WORD } from "./value-words.ts";
import { XOR_ROWS_MAX, xorBytesMax } from "./xor-format.ts";

/** How far behind the chunk a loop may read before it notices: 24 + 13 + 64 bits and what is left of a byte. */
const SLACK_BYTES = 16;

const BYTES_MAX: number = xorBytesMax(XOR_ROWS_MAX);
const BYTES: Uint8Array = new Uint8Array(BYTES_MAX + SLACK_BYTES);
const VIEW: DataView = new DataView(BYTES.buffer);
const TIMES: Float64Array = new Float64Array(XOR_ROWS_MAX);
const VALUES: Float64Array = new Float64Array(XOR_ROWS_MAX);
const WORDS: Int32Array = new Int32Array(VALUES.buffer);
const HIGH: number = HIGH_WORD;
const LOW: number = 1 - HIGH;

/**
 * The columns that are decoded into: times, and words of values. Under other names, since what a module exports is not a
 * constant to the compiler.
 */
export const ROW_TIMES: Float64Array = TIMES;
export const ROW_WORDS: Int32Array = WORDS;

/** Entry n has the bits n to 63 set, counted from the highest: the mask of a window is the difference of two entries. */
const ONES_HIGH: Int32Array = new Int32Array(65);
const ONES_LOW: Int32Array = new Int32Array(65);
for (let n = 0; n < 64; n++) {
  ONES_HIGH[n] = n < 32 ? 0xffffffff >>> n : 0;
  ONES_LOW[n] = n < 32 ? 0xffffffff : 0xffffffff >>> (n - 32);
}

/** |delta| up to which a step of more than 14 bits may lead: 65,533 steps of 14 bits stay below 2^31 from there. */
const DELTA_MS_MAX = 2 ** 30;
/** What stands for a delta that is not for this decoder. */
const NO_DELTA = 0x7fffffff;

/** Copies a chunk in. Returns how many of its bytes there are to read: none behind the longest possible chunk. */
export function takeChunk(data: Uint8Array): number {
  const bytes = Math.min(data.length, BYTES_MAX);
  BYTES.set(bytes === data.length ? data : data.subarray(0, bytes));
  return bytes;
}

/** Decodes the chunk that was taken, or returns false. */
export function decodeFast(bytes: number): boolean {
  const count = VIEW.getUint16(0);
  const start = decodeFirstRows(count, bytes);
  return count < 2 || start === 0 ? start > 0 : decodeRest(start, bytes);
}

/** Decodes the rows from 1 on; the value code of row 1 begins at byte `start`. */
function decodeRest(start: number, bytes: number): boolean {
  // Computed here: arguments that the loop compares with would be converted to integers in each turn, 0.5 ns a sample.
  const count = VIEW.getUint16(0);
  const limit = bytes * 8;
  let timeMs = TIMES[0]!;
  let deltaMs = (TIMES[1]! - timeMs) | 0;
  let high = WORDS[HIGH]!;
  let low = WORDS[LOW]!;
  let leading = 0;
  let significant = 64;
  let maskHigh = -1;
  let maskLow = -1;
  let p = start * 8;
  // Row 1 enters behind its step: its delta is a varint.
  let peek = VIEW.getInt32(start);
  for (let row = 1; ;) {
    timeMs += deltaMs;
    TIMES[row] = timeMs;
    if (peek >= 0) {
      // Fast path: the value as before, because most series that are stored hardly ever change.
      p = (p + 1) | 0;
    } else {
      if ((peek & 0x40000000) === 0) {
        p = (p + 2) | 0;
      } else {
        peek = VIEW.getInt32(p >>> 3) << (p & 7);
        leading = (peek >>> 25) & 31;
        significant = (((peek >>> 19) + 63) & 63) + 1;
        const end = leading + significant;
        if (end > 64) {
          return false;
        }
        maskHigh = ONES_HIGH[leading]! ^ ONES_HIGH[end]!;
        maskLow = ONES_LOW[leading]! ^ ONES_LOW[end]!;
        p = (p + 13) | 0;
      }
      const from = p - leading;
      const at = from >>> 3;
      const shift = from & 7;
      const first = VIEW.getInt32(at);
      const second = VIEW.getInt32(at + 4);
      const last = VIEW.getUint8(at + 8);
      high ^= ((first << shift) | (((second >>> 24) << shift) >>> 8)) & maskHigh;
      low ^= ((second << shift) | ((last << shift) >>> 8)) & maskLow;
      p = (p + significant) | 0;
    }
    WORDS[2 * row + LOW] = low;
    WORDS[2 * row + HIGH] = high;
    if (p > limit) {
      return false;
    }
    row = (row + 1) | 0;
    if (row === count) {
      return true;
    }
    peek = VIEW.getInt32(p >>> 3) << (p & 7);
    if (peek >= 0) {
      p = (p + 1) | 0;
      peek <<= 1;
    } else if ((peek & 0x40000000) === 0) {
      deltaMs = (deltaMs + (((peek >>> 16) + 8191) & 16383) - 8191) | 0;
      p = (p + 16) | 0;
      peek <<= 16;
    } else {
      deltaMs = takeWideStep(deltaMs, peek);
      if (deltaMs === NO_DELTA) {
        return false;
      }
      p = (p + 20 + ((peek >>> 27) & 4)) | 0;
      peek = VIEW.getInt32(p >>> 3) << (p & 7);
    }
  }
}

/** Decodes the times alone of the chunk that was taken, or returns false; the windows' sizes are all it needs of values. */
export function decodeTimesFast(bytes: number): boolean {
  const count = VIEW.getUint16(0);
  const start = decodeFirstRows(count, bytes);
  return count < 2 || start === 0 ? start > 0 : decodeRestOfTimes(start, bytes);
}

/** As {@link decodeRest} without values. One loop for both, with a flag, took 0.7 ns a sample more for either. */
function decodeRestOfTimes(start: number, bytes: number): boolean {
  const count = VIEW.getUint16(0);
  const limit = bytes * 8;
  let timeMs = TIMES[0]!;
  let deltaMs = (TIMES[1]! - timeMs) | 0;
  let significant = 64;
  let p = start * 8;
  let peek = VIEW.getInt32(start);
  for (let row = 1; ;) {
    timeMs += deltaMs;
    TIMES[row] = timeMs;
    if (peek >= 0) {
      p = (p + 1) | 0;
    } else if ((peek & 0x40000000) === 0) {
      p = (p + 2 + significant) | 0;
    } else {
      peek = VIEW.getInt32(p >>> 3) << (p & 7);
      significant = (((peek >>> 19) + 63) & 63) + 1;
      if (((peek >>> 25) & 31) + significant > 64) {
        return false;
      }
      p = (p + 13 + significant) | 0;
    }
    if (p > limit) {
      return false;
    }
    row = (row + 1) | 0;
    if (row === count) {
      return true;
    }
    peek = VIEW.getInt32(p >>> 3) << (p & 7);
    if (peek >= 0) {
      p = (p + 1) | 0;
      peek <<= 1;
    } else if ((peek & 0x40000000) === 0) {
      deltaMs = (deltaMs + (((peek >>> 16) + 8191) & 16383) - 8191) | 0;
      p = (p + 16) | 0;
      peek <<= 16;
    } else {
      deltaMs = takeWideStep(deltaMs, peek);
      if (deltaMs === NO_DELTA) {
        return false;
      }
      p = (p + 20 + ((peek >>> 27) & 4)) | 0;
      peek = VIEW.getInt32(p >>> 3) << (p & 7);
    }
  }
}

/** The delta after a step of 17 or 20 bits, or NO_DELTA where the step has 64 or leads too far. */
function takeWideStep(deltaMs: number, peek: number): number {
  let nextMs: number;
  if ((peek & 0x20000000) === 0) {
    nextMs = deltaMs + (((peek >>> 12) + 65535) & 131071) - 65535;
  } else if ((peek & 0x10000000) === 0) {
    nextMs = deltaMs + (((peek >>> 8) + 524287) & 1048575) - 524287;
  } else {
    return NO_DELTA;
  }
  return Math.abs(nextMs) <= DELTA_MS_MAX ? nextMs : NO_DELTA;
}

/**
 * Decodes row 0 and the time of row 1, which are whole bytes: a time of at most 7, 8 of the value, a delta of at most 4.
 * Returns how many bytes that took, or 0 to give up.
 */
function decodeFirstRows(count: number, bytes: number): number {
  let at = 2;
  let byte = VIEW.getUint8(at++);
  const isNegative = (byte & 1) === 1;
  let zigzag = byte & 127;
  for (let scale = 128; byte >= 128; scale *= 128) {
    if (at === 9) {
      return 0;
    }
    byte = VIEW.getUint8(at++);
    zigzag += (byte & 127) * scale;
  }
  const timeMs = isNegative ? -(zigzag + 1) / 2 : zigzag / 2;
  TIMES[0] = timeMs;
  WORDS[HIGH] = VIEW.getInt32(at);
  WORDS[LOW] = VIEW.getInt32(at + 4);
  at += 8;
  if (count > 1) {
    let deltaMs = 0;
    let shift = 0;
    do {
      if (shift === 28) {
        return 0;
      }
      byte = VIEW.getUint8(at++);
      deltaMs |= (byte & 127) << shift;
      shift += 7;
    } while (byte >= 128);
    TIMES[1] = timeMs + deltaMs;
  }
  return at <= bytes ? at : 0;
}

/** Views of the first n rows, made when first needed: most chunks have one of a few counts. */
const PREFIXES: { readonly times: Float64Array; readonly values: Float64Array }[] = [];
/** Longer ones are made anew, so that they cannot pile up. */
const PREFIX_ROWS_MAX = 1024;

/** Copies the first rows that were decoded to columns of the caller's, from `row` on. */
export function copyRows(count: number, timestamps: Float64Array, values: Float64Array | undefined, row: number): void {
  const prefix = count <= PREFIX_ROWS_MAX ? (PREFIXES[count] ??= prefixOf(count)) : prefixOf(count);
  timestamps.set(prefix.times, row);
  values?.set(prefix.values, row);
}

function prefixOf(count: number): { readonly times: Float64Array; readonly values: Float64Array } {
  return { times: TIMES.subarray(0, count), values: VALUES.subarray(0, count) };
}
