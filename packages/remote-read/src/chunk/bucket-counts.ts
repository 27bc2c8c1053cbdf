/**
 * Which buckets a side (the positive or the negative one) of a histogram has, and what is in them: what decides whether a row
 * can go on in a chunk.
 */
import { countBuckets, type HistogramLayout } from "./histogram-layout.ts";
import type { HistogramRows } from "./histogram-rows.ts";
import { addInt64, compareInt64 } from "./int64-words.ts";
import { HIGH_WORD, LOW_WORD } from "./value-words.ts";

/** The absolute counts in the buckets of a row, positive ones first, in the order of the row's layout. */
export class BucketCounts {
  /** Two words each: whole numbers, or floats. */
  words: Int32Array = new Int32Array(new ArrayBuffer(8 * 256));
  #floats = new Float64Array(this.words.buffer);
  #isFloat = false;

  /** Takes the buckets of a row. */
  load(rows: HistogramRows, row: number, { positiveBuckets }: HistogramLayout): void {
    const start = rows.bucketStarts[row]!;
    const end = rows.bucketStarts[row + 1]!;
    if (2 * (end - start) > this.words.length) {
      this.words = new Int32Array(new ArrayBuffer(16 * (end - start)));
      this.#floats = new Float64Array(this.words.buffer);
    }
    this.#isFloat = rows.isFloat;
    this.words.set(rows.buckets.subarray(2 * start, 2 * end));
    if (!rows.isFloat) {
      // Each side begins anew; its buckets are differences from one to the next.
      for (let index = 1; index < end - start; index++) {
        if (index !== positiveBuckets) {
          addInt64(this.words, index, this.words[2 * index - 2 + HIGH_WORD]!, this.words[2 * index - 2 + LOW_WORD]!);
        }
      }
    }
  }

  /** Whether the count in a bucket is more than another row's in one of its own. */
  isAbove(index: number, other: BucketCounts, otherIndex: number): boolean {
    return this.#isFloat
      ? this.#floats[index]! > other.#floats[otherIndex]!
      : compareInt64(this.words, index, other.words, otherIndex) > 0;
  }

  /** Whether there is nothing in a bucket. */
  isZero(index: number): boolean {
    return this.#isFloat ? this.#floats[index] === 0 : (this.words[2 * index]! | this.words[2 * index + 1]!) === 0;
  }
}

/** The indices of the buckets that spans cover, in increasing order. */
export function bucketIndices(spans: Int32Array): Int32Array {
  const indices = new Int32Array(countBuckets(spans));
  let bucket = 0;
  let at = 0;
  for (let span = 0; span < spans.length; span += 2) {
    bucket += spans[span]!;
    for (let left = spans[span + 1]!; left > 0; left--) {
      indices[at++] = bucket++;
    }
  }
  return indices;
}

/** The fewest spans that cover buckets with these indices, which must increase. */
export function spansOf(indices: readonly number[]): Int32Array {
  const spans: number[] = [];
  let end = 0;
  for (const bucket of indices) {
    if (spans.length > 0 && bucket === end) {
      spans[spans.length - 1]!++;
    } else {
      spans.push(bucket - end, 1);
    }
    end = bucket + 1;
  }
  return Int32Array.from(spans);
}
