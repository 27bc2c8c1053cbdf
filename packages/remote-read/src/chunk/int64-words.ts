/**
 * Whole numbers of 64 bits as two words each, in the order of `value-words.ts`, so that a BigInt64Array over the same buffer
 * shows them. Sums are modulo 2^64, as in the original.
 */
import { HIGH_WORD, LOW_WORD } from "./value-words.ts";

/** Adds a number, given as its two halves, to number `index` of a column. */
export function addInt64(words: Int32Array, index: number, high: number, low: number): void {
  const at = 2 * index;
  const before = words[at + LOW_WORD]!;
  const sum = (before + low) | 0;
  words[at + LOW_WORD] = sum;
  words[at + HIGH_WORD] = (words[at + HIGH_WORD]! + high + carryOf(before, low, sum)) | 0;
}

/** What two lower words carry into the upper ones, their sum being `sum` in 32 bits. */
export function carryOf(one: number, other: number, sum: number): number {
  return ((one & other) | ((one | other) & ~sum)) >>> 31;
}

/** Less than 0, 0, or more: how number `one` of a column compares with number `other` of another, as signed numbers. */
export function compareInt64(ones: Int32Array, one: number, others: Int32Array, other: number): number {
  const high = ones[2 * one + HIGH_WORD]! - others[2 * other + HIGH_WORD]!;
  return high === 0 ? (ones[2 * one + LOW_WORD]! >>> 0) - (others[2 * other + LOW_WORD]! >>> 0) : high;
}

/** Takes a number, given as its two halves, away from number `index` of a column. */
export function subtractInt64(words: Int32Array, index: number, high: number, low: number): void {
  const at = 2 * index;
  const before = words[at + LOW_WORD]!;
  const borrow = before >>> 0 < low >>> 0 ? 1 : 0;
  words[at + LOW_WORD] = (before - low) | 0;
  words[at + HIGH_WORD] = (words[at + HIGH_WORD]! - high - borrow) | 0;
}
