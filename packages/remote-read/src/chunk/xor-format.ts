/**
 * XOR chunks (type 1): Prometheus' tsdb/chunkenc/xor.go, after Facebook's Gorilla. Bits are counted from the highest of each
 * byte; varints are whole groups of 8 bits, `varint` is zigzag; bits left over in the last byte, and all bytes after it, mean
 * nothing.
 *
 *     count            16 bits
 *     row 0            time: varint · value: 64 bits
 *     row 1            delta of the times: uvarint, 64 bits two's complement · value code
 *     row 2 and later  step, the difference of two deltas · value code
 *
 *     step         0                 0           value code   0                            as before
 *                  10 + 14 bits      ±2^13                    10 + S bits                  in the window there is
 *                  110 + 17 bits     ±2^16                    11 + 5 bits L + 6 bits S     in a new window of L leading and
 *                  1110 + 20 bits    ±2^19                       + S bits                  S significant bits (0 means 64)
 *                  1111 + 64 bits    any
 *
 * A value code says which bits differ from the value before. The first window is L = 0, S = 64. In 14, 17 and 20 bits the
 * pattern 100…0 is positive: the ranges are −8191…8192 and so on.
 *
 * For example `00 03 · 80 80 f4 f6 90 5d · 3f f0 00 00 00 00 00 00 · 98 75 · c2 5f fc`: 3 rows, time 1600000000000, value 1,
 * delta 15000, then 11 00001 001011 11111111111 (the 11 bits behind the first differ: value 2) and 0 0 (15000 later, 2 again).
 */

/** The most rows of a chunk: the header has 16 bits for them. */
export const XOR_ROWS_MAX = 65_535;

/** The most bytes that a chunk of `count` rows can need. */
export function xorBytesMax(count: number): number {
  const bytesOfFirst = 2 + 10 + 8 + 10;
  const bitsOfOthers = 4 + 64 + 2 + 5 + 6 + 64;
  return bytesOfFirst + Math.ceil((count * bitsOfOthers) / 8);
}
