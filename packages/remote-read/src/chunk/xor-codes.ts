/** Writes values as their difference from the one before, each with a window of its own: what `xor-values.ts` reads. */
import type { BitSink } from "./bit-sink.ts";

/** The window before the first one: no difference has so many leading bits. */
const NO_WINDOW = 255;

export class XorCodes {
  readonly #leading: Uint8Array;
  readonly #trailing: Uint8Array;

  /** For so many values. */
  constructor(count: number) {
    this.#leading = new Uint8Array(count).fill(NO_WINDOW);
    this.#trailing = new Uint8Array(count);
  }

  /** Writes by which bits, as two words, value `index` differs from the one before. */
  write(sink: BitSink, index: number, high: number, low: number): void {
    if ((high | low) === 0) {
      sink.put(0, 1);
      return;
    }
    let leading = Math.min(Math.clz32(high), 31);
    let trailing = low === 0 ? 63 - Math.clz32(high & -high) : 31 - Math.clz32(low & -low);
    if (leading >= this.#leading[index]! && trailing >= this.#trailing[index]!) {
      leading = this.#leading[index]!;
      trailing = this.#trailing[index]!;
      sink.put(0b10, 2);
    } else {
      this.#leading[index] = leading;
      this.#trailing[index] = trailing;
      sink.put((0b11 << 11) | (leading << 6) | ((64 - leading - trailing) & 63), 13);
    }
    const significant = 64 - leading - trailing;
    // The significant bits are the top ones of the difference shifted left by the leading ones, of which there are at most 31.
    const top = (high << leading) | ((low >>> 1) >>> (31 - leading));
    if (significant <= 32) {
      sink.put(top >>> (32 - significant), significant);
    } else {
      sink.put(top, 32);
      sink.put((low << leading) >>> (64 - significant), significant - 32);
    }
  }
}
