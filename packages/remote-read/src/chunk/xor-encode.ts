/**
 * Encodes XOR chunks, with the very bytes of Prometheus' appender of version 3. The format is drawn in `xor-format.ts`.
 *
 * Bits are gathered in a 32-bit word, which is stored when it is full: the codes of time and value together, at most 29 bits,
 * in one go, then the significant bits of the difference, which are the top bits of it shifted left by the window's leading.
 *
 *     pending   │ ███████████ … │     `free` bits at its low end are not taken yet, 1 to 32
 */
import { writeBits } from "./bit-writer.ts";
import { TIME_MS_MAX } from "./chunk-time.ts";
import { HIGH_WORD, LOW_WORD } from "./value-words.ts";
import { XOR_ROWS_MAX, xorBytesMax } from "./xor-format.ts";

/** Constants of this module rather than imports, which the compiler does not fold into the loop: 2 ns a sample. */
const HIGH: number = HIGH_WORD;
const LOW: number = LOW_WORD;

/** Room behind the chunk that encoding one needs as well, since whole words are stored. */
const SLACK_BYTES = 4;

/** How many bytes of room encoding a chunk of `count` rows needs. */
export function xorRoom(count: number): number {
  return xorBytesMax(count) + SLACK_BYTES;
}

/**
 * Encodes rows `start` to `end` (half-open) of two columns as one chunk, into `view` from byte `at` on, and returns the byte
 * behind it. `words` are the values as two words a row (`wordsOf`). The {@link xorRoom} bytes from `at` on may be
 * overwritten, behind the chunk with anything.
 *
 * The rows must be a block's: whole milliseconds inside ±2^53, increasing, and less than 2^53 from the first to the last.
 *
 * @throws RangeError if there are no rows or more than 65,535, they span too much, a time is not a whole number, or there is
 * no room.
 */
export function encodeXor(
  timestamps: Float64Array,
  words: Int32Array,
  start: number,
  end: number,
  view: DataView,
  at: number,
): number {
  checkRows(timestamps, words, start, end, view, at);
  let out = at | 0;
  view.setUint16(out, end - start);
  out = writeTime(view, out + 2, timestamps[start]!);
  view.setInt32(out, words[2 * start + HIGH]!);
  view.setInt32(out + 4, words[2 * start + LOW]!);
  out += 8;
  if (end - start === 1) {
    return out;
  }
  const deltaMs = timestamps[start + 1]! - timestamps[start]!;
  checkWhole(deltaMs, start + 1);
  return encodeRest(timestamps, words, start, end - start, view, writeDelta(view, out, deltaMs));
}

/**
 * Encodes the rows from a chunk's second on, whose delta is written already. Putting bits is written out three times: one
 * place for all took 0.9 ns a sample more, from 6.0 on constants and 15.0 on gauges (Node 20.20).
 */
function encodeRest(
  timestamps: Float64Array,
  words: Int32Array,
  start: number,
  count: number,
  view: DataView,
  at: number,
): number {
  // Computed here: arguments that the loop compares with would be converted to integers in each turn, 0.8 ns a sample.
  const end = start + count;
  let row = start + 1;
  let out = at | 0;
  let timeMs = timestamps[row]!;
  let deltaMs = timeMs - timestamps[row - 1]!;
  let high = words[2 * row - 2 + HIGH]!;
  let low = words[2 * row - 2 + LOW]!;
  let leading = 32;
  let trailing = 0;
  let significant = 0;
  let pending = 0;
  let free = 32;
  // The step's code, which row 1 has not.
  let code = 0;
  let bits = 0;
  for (;;) {
    const highBefore = high;
    const lowBefore = low;
    high = words[2 * row + HIGH]!;
    low = words[2 * row + LOW]!;
    const xorHigh = high ^ highBefore;
    const xorLow = low ^ lowBefore;
    if ((xorHigh | xorLow) === 0) {
      // Fast path: the value as before, because most series that are stored hardly ever change.
      code <<= 1;
      free -= bits + 1;
      if (free > 0) {
        pending |= code << free;
      } else {
        view.setInt32(out, pending | (code >>> -free));
        out = (out + 4) | 0;
        free += 32;
        pending = (code << 1) << (free - 1);
      }
    } else {
      const xorLeading = Math.min(Math.clz32(xorHigh), 31);
      const xorTrailing = xorLow === 0 ? 63 - Math.clz32(xorHigh & -xorHigh) : 31 - Math.clz32(xorLow & -xorLow);
      if (xorLeading >= leading && xorTrailing >= trailing) {
        code = (code << 2) | 0b10;
        bits += 2;
      } else {
        leading = xorLeading;
        trailing = xorTrailing;
        significant = 64 - leading - trailing;
        code = (code << 13) | (0b11 << 11) | (leading << 6) | (significant & 63);
        bits += 13;
      }
      free -= bits;
      if (free > 0) {
        pending |= code << free;
      } else {
        view.setInt32(out, pending | (code >>> -free));
        out = (out + 4) | 0;
        free += 32;
        pending = (code << 1) << (free - 1);
      }
      let top = (xorHigh << leading) | ((xorLow >>> 1) >>> (31 - leading));
      let topBits = significant;
      if (significant > 32) {
        view.setInt32(out, pending | (top >>> (32 - free)));
        out = (out + 4) | 0;
        pending = (top << 1) << (free - 1);
        top = xorLow << leading;
        topBits -= 32;
      }
      const field = top >>> (32 - topBits);
      free -= topBits;
      if (free > 0) {
        pending |= field << free;
      } else {
        view.setInt32(out, pending | (field >>> -free));
        out = (out + 4) | 0;
        free += 32;
        pending = (field << 1) << (free - 1);
      }
    }
    row = (row + 1) | 0;
    if (row === end) {
      break;
    }
    const deltaBeforeMs = deltaMs;
    const timeBeforeMs = timeMs;
    timeMs = timestamps[row]!;
    deltaMs = timeMs - timeBeforeMs;
    const stepMs = deltaMs - deltaBeforeMs;
    if (stepMs === 0) {
      code = 0;
      bits = 1;
    } else if (stepMs >= -8191 && stepMs <= 8192 && (stepMs | 0) === stepMs) {
      code = 0x8000 | (stepMs & 0x3fff);
      bits = 16;
    } else {
      checkWhole(stepMs, row);
      view.setInt32(out, pending);
      const position = writeWideStep(view, out * 8 + 32 - free, stepMs);
      out = position >>> 3;
      free = 32 - (position & 7);
      pending = free === 32 ? 0 : view.getUint8(out) << 24;
      code = 0;
      bits = 0;
    }
  }
  view.setInt32(out, pending);
  return out + ((39 - free) >>> 3);
}

function checkRows(
  timestamps: Float64Array,
  words: Int32Array,
  start: number,
  end: number,
  view: DataView,
  at: number,
): void {
  const count = end - start;
  if (!(start >= 0 && count >= 1 && count <= XOR_ROWS_MAX && end <= timestamps.length && 2 * end <= words.length)) {
    throw new RangeError(
      `rows ${start} to ${end} are not 1 to ${XOR_ROWS_MAX} rows of the columns' ${timestamps.length}`,
    );
  }
  const firstMs = timestamps[start]!;
  const lastMs = timestamps[end - 1]!;
  if (!(Number.isInteger(firstMs) && Math.abs(firstMs) <= TIME_MS_MAX && Math.abs(lastMs - firstMs) < TIME_MS_MAX)) {
    throw new RangeError(
      `times ${firstMs} to ${lastMs} are not whole numbers inside ±2^53 with less than 2^53 between them`,
    );
  }
  if (!(at >= 0 && xorRoom(count) <= view.byteLength - at)) {
    throw new RangeError(`${count} rows need room for ${xorRoom(count)} bytes, there are ${view.byteLength - at}`);
  }
}

/** Row 0's time, as a zigzag varint. */
function writeTime(view: DataView, at: number, timeMs: number): number {
  if (Math.abs(timeMs) < 2 ** 52) {
    return writeUvarint(view, at, timeMs < 0 ? -2 * timeMs - 1 : 2 * timeMs);
  }
  const zigzag = BigInt(timeMs) * 2n;
  return writeBigUvarint(view, at, timeMs < 0 ? -zigzag - 1n : zigzag);
}

/** Row 1's delta: a step back is what it is in 64 bits, a large number. */
function writeDelta(view: DataView, at: number, deltaMs: number): number {
  return deltaMs >= 0
    ? writeUvarint(view, at, deltaMs)
    : writeBigUvarint(view, at, BigInt.asUintN(64, BigInt(deltaMs)));
}

function writeUvarint(view: DataView, at: number, value: number): number {
  let rest = value;
  let out = at | 0;
  while (rest >= 128) {
    const low = rest & 127;
    view.setUint8(out++, low | 128);
    rest = (rest - low) / 128;
  }
  view.setUint8(out++, rest);
  return out;
}

function writeBigUvarint(view: DataView, at: number, value: bigint): number {
  let rest = value;
  let out = at | 0;
  for (; rest >= 128n; rest >>= 7n) {
    view.setUint8(out++, Number(rest & 127n) | 128);
  }
  view.setUint8(out++, Number(rest));
  return out;
}

/** A step of 17, 20 or 64 bits at a bit position; returns the position behind it. */
function writeWideStep(view: DataView, position: number, stepMs: number): number {
  if (stepMs >= -65_535 && stepMs <= 65_536) {
    return writeBits(view, position, (0b110 << 17) | (stepMs & 0x1ffff), 20);
  }
  if (stepMs >= -524_287 && stepMs <= 524_288) {
    return writeBits(view, position, (0b1110 << 20) | (stepMs & 0xfffff), 24);
  }
  const bits = BigInt.asUintN(64, BigInt(stepMs));
  const middle = writeBits(view, writeBits(view, position, 0b1111, 4), Number(bits >> 32n), 32);
  return writeBits(view, middle, Number(bits & 0xffffffffn), 32);
}

function checkWhole(differenceMs: number, row: number): void {
  if (!Number.isSafeInteger(differenceMs)) {
    throw new RangeError(`row ${row}: its time is not a whole number, or too far from the one before`);
  }
}
