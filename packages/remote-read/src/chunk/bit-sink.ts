/**
 * Writes a chunk bit by bit, the highest bit of each byte first: what `bit-cursor.ts` reads.
 *
 * Bits are gathered in a 32-bit word, which is stored when it is full:
 *
 *     pending   │ ███████████ … │     `free` bits at its low end are not taken yet, 1 to 32
 */

/** The varbit widths below 56 bits, with the code before them. */
const WIDTHS = [
  { bits: 3, code: 0b10, codeBits: 2 },
  { bits: 6, code: 0b110, codeBits: 3 },
  { bits: 9, code: 0b1110, codeBits: 4 },
  { bits: 12, code: 0b11110, codeBits: 5 },
  { bits: 18, code: 0b111110, codeBits: 6 },
  { bits: 25, code: 0b1111110, codeBits: 7 },
] as const;

/** Which of these a value of so many bits takes. */
const WIDTH_OF_BITS: Uint8Array = Uint8Array.from({ length: 26 }, (_, bits) =>
  WIDTHS.findIndex((width) => bits <= width.bits),
);

export class BitSink {
  #view = new DataView(new ArrayBuffer(4096));
  #out = 0;
  #pending = 0;
  #free = 32;

  /** Forgets what was written. */
  reset(): void {
    this.#out = 0;
    this.#pending = 0;
    this.#free = 32;
  }

  /** Ends the chunk and says how many bytes it is. Nothing must be written then but after {@link reset}. */
  finish(): number {
    this.#store(this.#pending);
    return this.#out - 4 + ((39 - this.#free) >>> 3);
  }

  /** Copies the first bytes that were written. */
  copyTo(target: Uint8Array): void {
    target.set(new Uint8Array(this.#view.buffer, 0, target.length));
  }

  /** Writes the low `count` bits (1 to 32) of `bits`; the others must be 0, unless `count` is 32. */
  put(bits: number, count: number): void {
    this.#free -= count;
    if (this.#free > 0) {
      this.#pending |= bits << this.#free;
    } else {
      this.#store(this.#pending | (bits >>> -this.#free));
      this.#free += 32;
      // In two steps, since a shift by 32 is none.
      this.#pending = (bits << 1) << (this.#free - 1);
    }
  }

  /** Writes 64 bits. */
  put64(high: number, low: number): void {
    this.put(high, 32);
    this.put(low, 32);
  }

  /** Writes a signed varbit number of two words. */
  putVarbit(high: number, low: number): void {
    if (high === low >> 31 && low >= -0xffffff && low <= 0x1000000) {
      if (low === 0) {
        this.put(0, 1);
        return;
      }
      // A width of n bits holds −(2^(n−1) − 1) to 2^(n−1): as many as −low, or low − 1, with a bit for the sign.
      const magnitude = low > 0 ? low - 1 : -low;
      this.#putCoded(low, 33 - Math.clz32(magnitude));
      return;
    }
    const isShort =
      (high > -0x800000 || (high === -0x800000 && low !== 0)) && (high < 0x800000 || (high === 0x800000 && low === 0));
    this.#putWide(high, low, isShort);
  }

  /** Writes a varbit number of two words that has no sign. */
  putUvarbit(high: number, low: number): void {
    if (high === 0 && low >>> 0 <= 0x1ffffff) {
      if (low === 0) {
        this.put(0, 1);
      } else {
        this.#putCoded(low, 32 - Math.clz32(low));
      }
      return;
    }
    this.#putWide(high, low, high >>> 24 === 0);
  }

  #putCoded(low: number, valueBits: number): void {
    const { bits, code, codeBits } = WIDTHS[WIDTH_OF_BITS[valueBits]!]!;
    this.put((code << bits) | (low & ((1 << bits) - 1)), codeBits + bits);
  }

  #putWide(high: number, low: number, isShort: boolean): void {
    if (isShort) {
      this.put(0xfe, 8);
      this.put(high & 0xffffff, 24);
      this.put(low, 32);
    } else {
      this.put(0xff, 8);
      this.put64(high, low);
    }
  }

  #store(word: number): void {
    if (this.#out + 4 > this.#view.byteLength) {
      const bytes = new Uint8Array(2 * this.#view.byteLength);
      bytes.set(new Uint8Array(this.#view.buffer));
      this.#view = new DataView(bytes.buffer);
    }
    this.#view.setInt32(this.#out, word);
    this.#out += 4;
  }
}
