/**
 * Values that are written as their difference from the one before, each with a window of its own: those of XOR2 and the
 * float fields of histograms. How a difference is written is drawn in `xor-format.ts`.
 *
 *     words   │ value 0 │ value 1 │ …      two words each, as `value-words.ts` has them; the caller's, updated in place
 *
 * With a window of L leading and S significant bits and the cursor at bit p, the 64 bits from p − L on hold the difference in
 * its final place, under a mask: see `xor-fast.ts`. At least 88 bits, a header and the first value, precede.
 */
import type { RemoteReadError } from "../remote-read-error.ts";
import type { BitCursor } from "./bit-cursor.ts";
import { HIGH_WORD, LOW_WORD } from "./value-words.ts";

/** Constants of this module rather than imports, which the compiler does not fold into the loop. */
const HIGH: number = HIGH_WORD;
const LOW: number = LOW_WORD;

/** Entry n has the bits n to 63 set, counted from the highest: the mask of a window is the difference of two entries. */
const ONES_HIGH: Int32Array = new Int32Array(65);
const ONES_LOW: Int32Array = new Int32Array(65);
for (let n = 0; n < 64; n++) {
  ONES_HIGH[n] = n < 32 ? 0xffffffff >>> n : 0;
  ONES_LOW[n] = n < 32 ? 0xffffffff : 0xffffffff >>> (n - 32);
}

export class XorValues {
  readonly #words: Int32Array;
  readonly #leading: Uint8Array;
  readonly #significant: Uint8Array;

  /** The windows are those with which every chunk begins: no leading bits, all significant. */
  constructor(words: Int32Array) {
    const count = words.length / 2;
    this.#words = words;
    this.#leading = new Uint8Array(count);
    this.#significant = new Uint8Array(count).fill(64);
  }

  /** Reads value `index` as the 64 bits that it is. */
  readFirst(cursor: BitCursor, index: number): void {
    cursor.read64();
    this.#words[2 * index + HIGH] = cursor.high;
    this.#words[2 * index + LOW] = cursor.low;
  }

  /** Reads the code of value `index`: as before, in the window there is, or in a new one. */
  readNext(cursor: BitCursor, index: number): void {
    const bits = cursor.peek();
    if (bits >= 0) {
      cursor.advance(1);
    } else if ((bits & 0x40000000) === 0) {
      cursor.advance(2);
      this.readInWindow(cursor, index);
    } else {
      cursor.advance(2);
      this.readInNewWindow(cursor, index);
    }
  }

  /** Reads the codes of values `start` to `end`, as {@link readNext} does. */
  readAll(cursor: BitCursor, start: number, end: number): void {
    const { view } = cursor;
    const words = this.#words;
    const leadings = this.#leading;
    const significants = this.#significant;
    const limit = cursor.position + cursor.bitsLeft;
    let position = cursor.position;
    for (let index = start; index < end && position <= limit; index++) {
      const bits = view.getInt32(position >>> 3) << (position & 7);
      if (bits >= 0) {
        // Fast path: as before.
        position += 1;
        continue;
      }
      let leading = leadings[index]!;
      let significant = significants[index]!;
      if ((bits & 0x40000000) === 0) {
        position += 2;
      } else {
        leading = (bits >>> 25) & 31;
        significant = (((bits >>> 19) + 63) & 63) + 1;
        position += 13;
        if (leading + significant > 64) {
          cursor.moveTo(position);
          throw windowTooWide(cursor, leading, significant);
        }
        leadings[index] = leading;
        significants[index] = significant;
      }
      const end64 = leading + significant;
      const from = position - leading;
      const at = from >>> 3;
      const shift = from & 7;
      const second = view.getInt32(at + 4);
      const high = (view.getInt32(at) << shift) | (((second >>> 24) << shift) >>> 8);
      const low = (second << shift) | ((view.getUint8(at + 8) << shift) >>> 8);
      words[2 * index + HIGH]! ^= high & (ONES_HIGH[leading]! ^ ONES_HIGH[end64]!);
      words[2 * index + LOW]! ^= low & (ONES_LOW[leading]! ^ ONES_LOW[end64]!);
      position += significant;
    }
    cursor.moveTo(position);
  }

  /** Reads a difference in the window that there is. */
  readInWindow(cursor: BitCursor, index: number): void {
    const leading = this.#leading[index]!;
    const end = leading + this.#significant[index]!;
    cursor.read64From(leading);
    this.#words[2 * index + HIGH]! ^= cursor.high & (ONES_HIGH[leading]! ^ ONES_HIGH[end]!);
    this.#words[2 * index + LOW]! ^= cursor.low & (ONES_LOW[leading]! ^ ONES_LOW[end]!);
    cursor.advance(end - leading);
  }

  /** Reads a window, which from here on is that of value `index`, and a difference in it. */
  readInNewWindow(cursor: BitCursor, index: number): void {
    const leading = cursor.readBits(5);
    // 0 stands for 64.
    const significant = ((cursor.readBits(6) + 63) & 63) + 1;
    if (leading + significant > 64) {
      throw windowTooWide(cursor, leading, significant);
    }
    this.#leading[index] = leading;
    this.#significant[index] = significant;
    this.readInWindow(cursor, index);
  }
}

function windowTooWide(cursor: BitCursor, leading: number, significant: number): RemoteReadError {
  return cursor.malformed(`a window of ${leading} leading and ${significant} significant bits is over 64`);
}
