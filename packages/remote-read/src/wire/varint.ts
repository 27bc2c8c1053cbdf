/**
 * Whole numbers as protobuf writes its int64: seven bits a byte, the lowest first, the top bit set while more follow.
 * Negative ones are two's complement in 64 bits and take ten bytes. No bigint and no object a number.
 */

/** The most bytes that a number takes. */
export const INT64_BYTES_MAX = 10;

const TWO_TO_28 = 2 ** 28;
const TWO_TO_32 = 2 ** 32;

/** A place in bytes that must not be read from `len` on; protobufjs' Reader is one. */
export interface Cursor {
  readonly buf: Uint8Array;
  pos: number;
  readonly len: number;
}

/**
 * Reads a number and moves the cursor behind it. Outside ±2^53 it comes as an infinity of its sign; {@link exactInt64}
 * names such a number. Excess bits of the tenth byte are dropped, as gogo-protobuf does.
 *
 * @throws RangeError if the number is cut off or goes on after ten bytes.
 */
export function readInt64(cursor: Cursor): number {
  readParts(cursor);
  return toInt64(parts[0]!, parts[1]!, parts[2]!);
}

/**
 * Reads a number of any size, without a sign, as its lower and its upper half, two words, and moves the cursor behind it.
 * Throws as {@link readInt64} does.
 */
export function readInt64Halves(cursor: Cursor, halves: Int32Array): void {
  readParts(cursor);
  halves[0] = parts[0]! | (parts[1]! << 28);
  halves[1] = (parts[1]! >>> 4) | (parts[2]! << 24);
}

/** A number's 28 lowest bits, the 28 above, and the 8 on top. */
const parts: Int32Array = new Int32Array(3);

function readParts(cursor: Cursor): void {
  let low = 0;
  let middle = 0;
  let top = 0;
  for (let shift = 0; shift < 7 * INT64_BYTES_MAX; shift += 7) {
    if (cursor.pos >= cursor.len) {
      throw new RangeError("a number is cut off");
    }
    const byte = cursor.buf[cursor.pos++]!;
    if (shift < 28) {
      low |= (byte & 127) << shift;
    } else if (shift < 56) {
      middle |= (byte & 127) << (shift - 28);
    } else {
      top |= (byte & 127) << (shift - 56);
    }
    if (byte < 128) {
      parts[0] = low;
      parts[1] = middle;
      parts[2] = top & 255;
      return;
    }
  }
  throw new RangeError(`a number is longer than ${INT64_BYTES_MAX} bytes`);
}

/** The number of 28 low, 28 middle and 8 top bits. */
function toInt64(low: number, middle: number, top: number): number {
  // Fast path: below 2^53, as all numbers are that somebody means.
  if (top === 0 && middle < 1 << 25) {
    return middle * TWO_TO_28 + low;
  }
  if (top === 255 && middle >= TWO_TO_28 - (1 << 25)) {
    return (middle - TWO_TO_28) * TWO_TO_28 + low;
  }
  if (top === 0 && middle === 1 << 25 && low === 0) {
    return 2 ** 53;
  }
  return top >= 128 ? -Infinity : Infinity;
}

/** The number that is written in bytes `start` to `end`, whatever its size, for messages about it. */
export function exactInt64(bytes: Uint8Array, start: number, end: number): bigint {
  let value = 0n;
  for (let at = end - 1; at >= start; at--) {
    value = (value << 7n) | BigInt(bytes[at]! & 127);
  }
  return BigInt.asIntN(64, value);
}

/** How many bytes {@link writeInt64} writes for a whole number inside ±2^53. */
export function int64Bytes(value: number): number {
  if (value < 0) {
    return INT64_BYTES_MAX;
  }
  return int64HalvesBytes(Math.floor(value / TWO_TO_32), value | 0);
}

/** How many bytes {@link writeInt64Halves} writes. */
export function int64HalvesBytes(high: number, low: number): number {
  const bits = high === 0 ? 32 - Math.clz32(low | 1) : 64 - Math.clz32(high);
  return Math.ceil(bits / 7);
}

/** Writes a whole number inside ±2^53 at `at`, where there must be room; returns where it ends. */
export function writeInt64(bytes: Uint8Array, at: number, value: number): number {
  return writeInt64Halves(bytes, at, Math.floor(value / TWO_TO_32), value);
}

/** Writes a number of 64 bits, given as its halves, at `at`, where there must be room; returns where it ends. */
export function writeInt64Halves(bytes: Uint8Array, at: number, upper: number, lower: number): number {
  let low = lower >>> 0;
  let high = upper >>> 0;
  let end = at;
  for (; high !== 0 || low > 127; high >>>= 7) {
    bytes[end++] = low | 128;
    low = ((low >>> 7) | (high << 25)) >>> 0;
  }
  bytes[end++] = low;
  return end;
}
