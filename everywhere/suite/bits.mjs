/** Floats as 16 hexadecimal digits of their bits, bytes as hexadecimal, and the one comparison that all checks end in. */

/** The bits of a stale marker. */
export const STALE = "7ff0000000000002";

/** A column of floats, written word by word: a NaN that passes through a number may come out as another. */
export function fromBits(bits) {
  const words = bits.flatMap((text) => [text.slice(8), text.slice(0, 8)].map((half) => Number.parseInt(half, 16)));
  return new Float64Array(Uint32Array.from(words).buffer);
}

/** The bits of a column of floats. */
export function bitsOf(values) {
  return bitsOfWords(new Uint32Array(values.buffer, values.byteOffset, 2 * values.length));
}

/** As {@link bitsOf}, of a column that is words: the lower one first. */
export function bitsOfWords(words) {
  return Array.from({ length: words.length / 2 }, (_, row) =>
    [words[2 * row + 1], words[2 * row]].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join(""),
  );
}

export function fromHex(hex) {
  return Uint8Array.from({ length: hex.length / 2 }, (_, byte) =>
    Number.parseInt(hex.slice(2 * byte, 2 * byte + 2), 16),
  );
}

export function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Throws where two lists, or two texts, are not the same; `what` is of which vector they are. */
export function equal(actual, expected, what) {
  const [got, wanted] = [actual, expected].map((side) => (Array.isArray(side) ? side : [side]));
  const row = Array.from({ length: Math.max(got.length, wanted.length) }).findIndex((_, at) => got[at] !== wanted[at]);
  if (row >= 0) {
    throw new Error(`${what}, row ${row} of ${wanted.length}: ${got[row]} instead of ${wanted[row]}`);
  }
}
