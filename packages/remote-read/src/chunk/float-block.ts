/** A block over a chunk of floats: nothing is decoded sooner than somebody asks. */
import { type Block, findStaleRows, type HistogramColumn } from "@promsplice/core";

import type { EncodedChunk } from "./chunk-block.ts";
import { checkClaimedTimes } from "./claimed-times.ts";
import { newColumn } from "./slab.ts";
import { decodeXor } from "./xor-decode.ts";
import { decodeXor2 } from "./xor2-decode.ts";

/** The type of chunks that are not XOR's. */
const XOR2 = 4;

/** A block over a chunk of type 1 or 4 with `count` rows, as `chunkBlock` makes it. */
export class FloatChunkBlock implements Block {
  readonly kind = "float";
  readonly firstMs: number;
  readonly lastMs: number;
  readonly count: number;
  readonly detached = false;
  readonly bytes: Uint8Array;
  readonly chunkType: number;
  #timestamps: Float64Array | undefined = undefined;
  #values: Float64Array | undefined = undefined;
  #staleRows: Uint32Array | undefined = undefined;

  constructor({ minMs, maxMs, type, data }: EncodedChunk, count: number) {
    this.firstMs = minMs;
    this.lastMs = maxMs;
    this.count = count;
    this.bytes = data;
    this.chunkType = type;
  }

  timestamps(): Float64Array {
    if (this.#timestamps === undefined) {
      const timestamps = newColumn(this.count);
      this.#decode(timestamps);
      this.#timestamps = checkClaimedTimes(this, timestamps);
    }
    return this.#timestamps;
  }

  values(): Float64Array {
    if (this.#values === undefined) {
      const timestamps = this.#timestamps ?? newColumn(this.count);
      const values = newColumn(this.count);
      this.#decode(timestamps, values);
      this.#timestamps = checkClaimedTimes(this, timestamps);
      this.#values = values;
    }
    return this.#values;
  }

  histograms(): HistogramColumn {
    throw new TypeError("a block of floats has no histograms");
  }

  startTimestamps(): Float64Array | undefined {
    if (this.chunkType !== XOR2) {
      return undefined;
    }
    const startTimestamps = newColumn(this.count);
    decodeXor2(this.bytes, this.count, newColumn(this.count), { startTimestamps });
    return startTimestamps;
  }

  valueAt(row: number): number {
    return this.values()[row]!;
  }

  staleRows(): Uint32Array {
    this.#staleRows ??= findStaleRows(this.values());
    return this.#staleRows;
  }

  #decode(timestamps: Float64Array, values?: Float64Array): void {
    if (this.chunkType === XOR2) {
      decodeXor2(this.bytes, this.count, timestamps, { values });
    } else {
      decodeXor(this.bytes, timestamps, values);
    }
  }
}
