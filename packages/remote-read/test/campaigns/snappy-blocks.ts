/** Blocks of snappy made at random, element by element: right ones, and such as are wrong in one place. */
import { below, pick, type Random } from "./mutation.ts";

/** How often each of the faults is made that there are. */
const FAULT = 0.02;

/** A block of elements of all kinds, in every form that the format has for them. */
export function randomBlock(random: Random): Uint8Array {
  const elements: number[] = [];
  let produced = 0;
  for (let left = 1 + below(random, 12); left > 0; left--) {
    produced += produced === 0 || random() < 0.5 ? pushLiteral(random, elements) : pushCopy(random, elements, produced);
  }
  if (random() < FAULT) {
    elements.push(...Array.from({ length: 1 + below(random, 4) }, () => below(random, 256)));
  }
  const block = Uint8Array.from([...lengthBytes(random, produced), ...elements]);
  return random() < FAULT ? block.subarray(0, below(random, block.length)) : block;
}

/** The declared length, in as few bytes as it takes or in more, rarely in too many, and rarely another one. */
function lengthBytes(random: Random, produced: number): number[] {
  let length = produced;
  const chance = random();
  if (chance < FAULT) {
    length = pick(random, [0, produced - 1, produced + 1, 2 * produced, 2 ** 20, 2 ** 31, 2 ** 32 - 1, 2 ** 32]);
    length = length < 0 ? 1 : length;
  } else if (chance < 2 * FAULT) {
    // 32 bits of it are right.
    length += 2 ** 32 * (1 + below(random, 7));
  }
  const bytes: number[] = [];
  for (; length > 127; length = Math.floor(length / 128)) {
    bytes.push((length % 128) + 128);
  }
  bytes.push(length);
  if (random() < 0.1) {
    const wanted = random() < 0.2 ? 6 + below(random, 5) : 5;
    while (bytes.length < wanted) {
      bytes.push(bytes.pop()! + 128, 0);
    }
  }
  return bytes;
}

/** Appends a literal; gives how many bytes it makes. */
function pushLiteral(random: Random, elements: number[]): number {
  const length = 1 + below(random, pick(random, [4, 60, 70, 300, random() < 0.005 ? 70_000 : 1]));
  const needed = length <= 60 ? 0 : Math.ceil((32 - Math.clz32(length - 1)) / 8);
  // Now and then in more bytes than it needs.
  const extra = random() < 0.8 ? needed : needed + below(random, 5 - needed);
  const said = random() < FAULT ? pick(random, [length + 1, 2 * length, 2 ** 31, 2 ** 32]) - 1 : length - 1;
  elements.push((extra === 0 ? said & 63 : 59 + extra) << 2);
  for (let index = 0; index < extra; index++) {
    elements.push(Math.floor(said / 256 ** index) & 255);
  }
  // Words rather than noise, so that splicing meets equal bytes.
  const start = below(random, 200);
  for (let index = 0; index < length; index++) {
    elements.push((start + index * 7) & 127);
  }
  return length;
}

/** Appends a copy, half of them one that overlaps itself; gives how many bytes it makes. */
function pushCopy(random: Random, elements: number[], produced: number): number {
  const kind = 1 + below(random, 3);
  const length = kind === 1 ? 4 + below(random, 8) : 1 + below(random, 64);
  const furthest = Math.min(produced, kind === 1 ? 2047 : kind === 2 ? 65_535 : produced);
  let offset = 1 + below(random, random() < 0.5 ? Math.min(furthest, 8) : furthest);
  if (random() < FAULT) {
    offset = pick(random, [0, produced + 1, produced + 1 + below(random, 1000), 2 ** 31, 2 ** 32 - 1]);
  }
  if (kind === 1) {
    elements.push(1 | ((length - 4) << 2) | (((offset >>> 8) & 7) << 5), offset & 255);
    return length;
  }
  elements.push(kind | ((length - 1) << 2), offset & 255, (offset >>> 8) & 255);
  if (kind === 3) {
    elements.push((offset >>> 16) & 255, offset >>> 24);
  }
  return length;
}
