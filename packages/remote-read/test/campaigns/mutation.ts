/** Bytes changed at random, as campaigns need them. All of it is drawn from the generator given. */

/** Numbers from 0 to below 1, like those of `seededRandom`. */
export type Random = () => number;

/** A whole number from 0 to below `count`. */
export function below(random: Random, count: number): number {
  return Math.floor(random() * count);
}

export function pick<T>(random: Random, list: readonly T[]): T {
  return list[below(random, list.length)]!;
}

/** Bytes with `changes` changes: flipped bits, other bytes, insertions, deletions, pieces of `others`, an end cut off. */
export function mutate(
  random: Random,
  bytes: Uint8Array,
  others: readonly Uint8Array[],
  changes: number,
): Uint8Array<ArrayBuffer> {
  let mutated = Uint8Array.from(bytes);
  for (let left = changes; left > 0; left--) {
    mutated = change(random, mutated, others);
  }
  return mutated;
}

function change(
  random: Random,
  bytes: Uint8Array<ArrayBuffer>,
  others: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  const at = below(random, bytes.length + 1);
  const kind = below(random, 8);
  if (kind < 3) {
    // In place; one behind the end changes nothing.
    bytes[at] = (bytes[at] ?? 0) ^ (1 << below(random, 8));
    return bytes;
  }
  if (kind < 5) {
    bytes[at] = below(random, 256);
    return bytes;
  }
  const count = 1 + below(random, random() < 0.7 ? 4 : 40);
  if (kind === 5) {
    return replace(
      bytes,
      at,
      0,
      Uint8Array.from({ length: count }, () => below(random, 256)),
    );
  }
  if (kind === 6) {
    return replace(bytes, at, random() < 0.1 ? bytes.length : count, new Uint8Array(0));
  }
  const other = pick(random, others);
  const start = below(random, other.length + 1);
  return replace(bytes, at, random() < 0.5 ? 0 : count, other.subarray(start, start + count));
}

/** The bytes with `removed` of them, from `at` on, replaced by a piece. */
function replace(bytes: Uint8Array, at: number, removed: number, piece: Uint8Array): Uint8Array<ArrayBuffer> {
  const rest = bytes.subarray(at + removed);
  const replaced = new Uint8Array(at + piece.length + rest.length);
  replaced.set(bytes.subarray(0, at));
  replaced.set(piece, at);
  replaced.set(rest, at + piece.length);
  return replaced;
}
