/**
 * Values that are written as their difference from the one before, each with a window of its own: those of XOR2 and the
 * float fields of histograms. How a difference is written is drawn in `xor-format.ts`.
 *
 *     words   │ value 0 │ value 1 │ …      two words each, as `value-words.ts` has them; the caller's, updated in place
 *
 * With a window of L leading and S significant bits and the cursor at bit p, the 64 bits from p − L on hold the difference in
 * its final place, under a mask: see `xor-fast.ts`. At least 88 bits, a header and the first value, precede.
 */
import type { BitCursor } from "./bit-cursor.ts";
import { HIGH_WORD, LOW_WORD } from "./value-words.ts";

export class XorValues {
  readonly #words: Int32Array;
  readonly #leading: Uint8Array;
  readonly #significant: Uint8Array;
  readonly #maskHigh: Int32Array;
  readonly #maskLow: Int32Array;

  /** The windows are those with which every chunk begins: no leading bits, all significant. */
  constructor(words: Int32Array) {
    const count = words.length / 2;
    this.#words = words;
    this.#leading = new Uint8Array(count);
    this.#significant = new Uint8Array(count).fill(64);
    this.#maskHigh = new Int32Array(count).fill(-1);
    this.#maskLow = new Int32Array(count).fill(-1);
  }

  /** Reads value `index` as the 64 bits that it is. */
  readFirst(cursor: BitCursor, index: number): void {
    cursor.read64();
    this.#words[2 * index + HIGH_WORD] = cursor.high;
    this.#words[2 * index + LOW_WORD] = cursor.low;
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

  /** Reads a difference in the window that there is. */
  readInWindow(cursor: BitCursor, index: number): void {
    cursor.read64From(this.#leading[index]!);
    this.#words[2 * index + HIGH_WORD]! ^= cursor.high & this.#maskHigh[index]!;
    this.#words[2 * index + LOW_WORD]! ^= cursor.low & this.#maskLow[index]!;
    cursor.advance(this.#significant[index]!);
  }

  /** Reads a window, which from here on is that of value `index`, and a difference in it. */
  readInNewWindow(cursor: BitCursor, index: number): void {
    const leading = cursor.readBits(5);
    // 0 stands for 64.
    const significant = ((cursor.readBits(6) + 63) & 63) + 1;
    const end = leading + significant;
    if (end > 64) {
      throw cursor.malformed(`a window of ${leading} leading and ${significant} significant bits is over 64`);
    }
    this.#leading[index] = leading;
    this.#significant[index] = significant;
    this.#maskHigh[index] = onesFrom(leading) ^ onesFrom(end);
    this.#maskLow[index] = onesFrom(leading - 32) ^ onesFrom(end - 32);
    this.readInWindow(cursor, index);
  }
}

/** 32 bits of which those from bit `n` on are set, counted from the highest. */
function onesFrom(n: number): number {
  return n >= 32 ? 0 : 0xffffffff >>> Math.max(n, 0);
}
