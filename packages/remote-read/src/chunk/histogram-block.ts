/** A block over a histogram chunk: nothing is decoded sooner than somebody asks. */
import { type Block, findStaleHistograms } from "@promsplice/core";

import type { EncodedChunk } from "./chunk-block.ts";
import { checkClaimedTimes } from "./claimed-times.ts";
import { decodeHistograms, hasHistogramStarts } from "./histogram-decode.ts";
import type { HistogramRows } from "./histogram-rows.ts";
import { newColumn } from "./slab.ts";

/** A block over a chunk of type 2, 3, 5 or 6 with `count` rows of at most `bucketsMax` buckets, as `chunkBlock` makes it. */
export class HistogramChunkBlock implements Block {
  readonly kind = "histogram";
  readonly firstMs: number;
  readonly lastMs: number;
  readonly count: number;
  readonly detached = false;
  readonly bytes: Uint8Array;
  readonly chunkType: number;
  #timestamps: Float64Array | undefined = undefined;
  #histograms: HistogramRows | undefined = undefined;
  #staleRows: Uint32Array | undefined = undefined;
  readonly #bucketsMax: number;

  constructor({ minMs, maxMs, type, data }: EncodedChunk, count: number, bucketsMax: number) {
    this.firstMs = minMs;
    this.lastMs = maxMs;
    this.count = count;
    this.bytes = data;
    this.chunkType = type;
    this.#bucketsMax = bucketsMax;
  }

  timestamps(): Float64Array {
    if (this.#timestamps === undefined) {
      const timestamps = newColumn(this.count);
      this.#decode(timestamps, false);
      this.#timestamps = checkClaimedTimes(this, timestamps);
    }
    return this.#timestamps;
  }

  values(): Float64Array {
    throw new TypeError("a block of histograms has no values");
  }

  histograms(): HistogramRows {
    if (this.#histograms === undefined) {
      const timestamps = this.#timestamps ?? newColumn(this.count);
      const histograms = this.#decode(timestamps, true);
      this.#timestamps = checkClaimedTimes(this, timestamps);
      this.#histograms = histograms;
    }
    return this.#histograms!;
  }

  startTimestamps(): Float64Array | undefined {
    if (!hasHistogramStarts(this.chunkType)) {
      return undefined;
    }
    const startTimestamps = newColumn(this.count);
    this.#decode(newColumn(this.count), false, startTimestamps);
    return startTimestamps;
  }

  valueAt(): number {
    throw new TypeError("a block of histograms has no values");
  }

  staleRows(): Uint32Array {
    this.#staleRows ??= findStaleHistograms(this.histograms());
    return this.#staleRows;
  }

  #decode(timestamps: Float64Array, histograms: boolean, startTimestamps?: Float64Array): HistogramRows | undefined {
    const wanted = { histograms, startTimestamps, bucketsMax: this.#bucketsMax };
    return decodeHistograms(this.bytes, this.chunkType, this.count, timestamps, wanted);
  }
}
