/** Writes bits one field at a time, the highest bit of each byte first. Simple and slow: for what is rare. */

/**
 * Writes the low `count` bits (at most 32) of `bits` at a bit position of `view` and returns the position behind them. The
 * bits before stay; the rest of the last byte becomes 0, and what lies behind it is not touched.
 */
export function writeBits(view: DataView, position: number, bits: number, count: number): number {
  let end = position;
  for (let left = count; left > 0;) {
    const used = end & 7;
    const taken = Math.min(8 - used, left);
    const kept = used === 0 ? 0 : view.getUint8(end >>> 3) & (0xff00 >>> used);
    const field = (bits >>> (left - taken)) & (2 ** taken - 1);
    view.setUint8(end >>> 3, kept | (field << (8 - used - taken)));
    end += taken;
    left -= taken;
  }
  return end;
}
