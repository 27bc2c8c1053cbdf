/** Slices of blocks: views that are again blocks. */
import type { Block, HistogramColumn } from "./block.ts";
import { cutRows } from "./stale-marker.ts";

/** How a slice differs from the rows that it shows. */
export interface SliceOptions {
  /** A number to add to every value that is not a NaN; 0 by default, which leaves all bits as they are. */
  readonly add?: number;
  /** See {@link Block.detached}; by default true iff the slice starts after the block's first row. */
  readonly detached?: boolean;
}

/**
 * Rows `start` to `end` (half-open) of a block as a block of their own, without copying. The whole block with nothing
 * changed is the block itself. With `add` ≠ 0 every call of `values()` makes a fresh column.
 *
 * @throws RangeError if the range is empty or not inside the block.
 */
export function slice(block: Block, start: number, end: number, options: SliceOptions = {}): Block {
  if (!(Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start < end && end <= block.count)) {
    throw new RangeError(`rows ${start} to ${end} are not a range inside a block of ${block.count} rows`);
  }
  const add = options.add ?? 0;
  const detached = options.detached ?? (start > 0 || block.detached);
  const whole = start === 0 && end === block.count && add === 0;
  if (whole && detached === block.detached) {
    return block;
  }
  return new BlockSlice(block, start, end, add, detached, whole);
}

/** Adds a number to the values in place, in `[start, end)`, leaving every NaN with the bits that it has. */
export function addToValues(values: Float64Array, start: number, end: number, add: number): void {
  for (let row = start; row < end; row++) {
    const value = values[row]!;
    if (value === value) {
      values[row] = value + add;
    }
  }
}

class BlockSlice implements Block {
  readonly kind: "float" | "histogram";
  readonly firstMs: number;
  readonly lastMs: number;
  readonly count: number;
  readonly detached: boolean;
  readonly bytes: Uint8Array | undefined;
  readonly chunkType: number | undefined;
  readonly #block: Block;
  readonly #start: number;
  readonly #end: number;
  readonly #add: number;

  constructor(block: Block, start: number, end: number, add: number, detached: boolean, whole: boolean) {
    this.kind = block.kind;
    this.firstMs = start === 0 ? block.firstMs : block.timestamps()[start]!;
    this.lastMs = end === block.count ? block.lastMs : block.timestamps()[end - 1]!;
    this.count = end - start;
    this.detached = detached;
    this.bytes = whole ? block.bytes : undefined;
    this.chunkType = whole ? block.chunkType : undefined;
    this.#block = block;
    this.#start = start;
    this.#end = end;
    this.#add = add;
  }

  timestamps(): Float64Array {
    return this.#block.timestamps().subarray(this.#start, this.#end);
  }

  values(): Float64Array {
    const values = this.#block.values();
    if (this.#add === 0) {
      return values.subarray(this.#start, this.#end);
    }
    const fresh = values.slice(this.#start, this.#end);
    addToValues(fresh, 0, fresh.length, this.#add);
    return fresh;
  }

  histograms(): HistogramColumn {
    return this.#block.histograms().slice(this.#start, this.#end);
  }

  startTimestamps(): Float64Array | undefined {
    return this.#block.startTimestamps?.()?.subarray(this.#start, this.#end);
  }

  valueAt(row: number): number {
    return this.#block.valueAt(this.#start + row) + this.#add;
  }

  staleRows(): Uint32Array {
    return cutRows(this.#block.staleRows(), this.#start, this.#end);
  }
}
