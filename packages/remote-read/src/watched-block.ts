/** A block that tells somebody when it is decoded for the first time, and when it cannot be. */
import type { Block, HistogramColumn } from "@promsplice/core";

export interface BlockWatcher {
  /** Told once a block: at least its timestamps were decoded. */
  decoded(): void;
  /** Told of what decoding a block throws; returns what is to be thrown in its place. */
  failed(error: unknown): unknown;
}

/** The same block, watched. */
export class WatchedBlock implements Block {
  readonly kind: "float" | "histogram";
  readonly firstMs: number;
  readonly lastMs: number;
  readonly count: number;
  readonly detached: boolean;
  readonly bytes: Uint8Array | undefined;
  readonly chunkType: number | undefined;
  readonly #block: Block;
  readonly #watcher: BlockWatcher;
  #isDecoded = false;

  constructor(block: Block, watcher: BlockWatcher) {
    this.kind = block.kind;
    this.firstMs = block.firstMs;
    this.lastMs = block.lastMs;
    this.count = block.count;
    this.detached = block.detached;
    this.bytes = block.bytes;
    this.chunkType = block.chunkType;
    this.#block = block;
    this.#watcher = watcher;
  }

  timestamps(): Float64Array {
    return this.#decode(() => this.#block.timestamps());
  }

  values(): Float64Array {
    return this.#decode(() => this.#block.values());
  }

  histograms(): HistogramColumn {
    return this.#decode(() => this.#block.histograms());
  }

  startTimestamps(): Float64Array | undefined {
    return this.#decode(() => this.#block.startTimestamps?.());
  }

  valueAt(row: number): number {
    return this.#decode(() => this.#block.valueAt(row));
  }

  staleRows(): Uint32Array {
    return this.#decode(() => this.#block.staleRows());
  }

  #decode<T>(column: () => T): T {
    try {
      const decoded = column();
      if (!this.#isDecoded) {
        this.#isDecoded = true;
        this.#watcher.decoded();
      }
      return decoded;
    } catch (error) {
      throw this.#watcher.failed(error);
    }
  }
}
