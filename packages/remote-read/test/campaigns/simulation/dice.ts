/** What a simulation draws at random. Everybody in it has dice of their own, so that it does not matter who throws first. */
import { seededRandom } from "../../../../core/test/random.ts";

export class Dice {
  readonly #random: () => number;

  /** @param who Whose dice they are; the same seed and name give the same throws. */
  constructor(seed: number, who: string) {
    // FNV-1a over the name.
    let mixed = seed ^ 0x811c9dc5;
    for (let index = 0; index < who.length; index++) {
      mixed = Math.imul(mixed ^ who.charCodeAt(index), 0x01000193);
    }
    this.#random = seededRandom(mixed);
  }

  /** True in so many of all cases; 0 to 1. */
  chance(share: number): boolean {
    return this.#random() < share;
  }

  /** A whole number, both ends inclusive. */
  whole(first: number, last: number): number {
    return first + Math.floor(this.#random() * (last - first + 1));
  }

  /** A time in ms, to the microsecond: hardly ever are two of them equal. */
  timeMs(first: number, last: number): number {
    return this.whole(first * 1000, last * 1000) / 1000;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.whole(0, list.length - 1)]!;
  }

  shuffle<T>(list: readonly T[]): T[] {
    return list
      .map((item) => ({ item, key: this.#random() }))
      .toSorted((one, other) => one.key - other.key)
      .map(({ item }) => item);
  }

  /** 32 bits, as eight hexadecimal digits. */
  word(): string {
    return this.whole(0, 2 ** 32 - 1)
      .toString(16)
      .padStart(8, "0");
  }
}
