/**
 * `interval`: one sample per aligned interval, as VictoriaMetrics keeps with `-dedup.minScrapeInterval`.
 * Source of the rule: VictoriaMetrics lib/storage/dedup.go, 1.140.
 *
 *     buckets   (0 ········· 15] (15 ········ 30] (30 ········ 45]       ((k − 1)·I, k·I], aligned to the epoch
 *     a           ●               ●                                       2, 17
 *     b                ○                ○                 ○               7, 24, 38
 *     shown            ○                ○                 ○               the last sample of each bucket
 */
import type { Block } from "../block.ts";
import { LAST_IN_BUCKET, TIE } from "../reason.ts";
import { NEED, PIECE, Piece, seekRow, END, type Source, type SourcesState, type Step } from "../source.ts";
import { describe } from "../splice-error.ts";
import { isStaleMarker } from "../stale-marker.ts";
import { Strategy } from "../strategy.ts";
import { TIMESTAMP_MS_MAX } from "../timestamp.ts";
import type { ReplicaWindow } from "../window.ts";
import { checkedTime, Heads } from "./heads.ts";

export interface IntervalOptions {
  /** The length of a bucket in ms, a positive whole number: the scrape interval, or what the storage behind it uses. */
  readonly intervalMs: number;
}

/**
 * The last sample of each bucket `((k − 1)·intervalMs, k·intervalMs]`, over all replicas; one replica alone is thinned out
 * as well. On equal times the largest value is shown, of equal values the highest-numbered replica's; any value beats a
 * stale marker, and a NaN that is none wins only if no higher-numbered replica has a value. Where a histogram is among
 * those of equal time, which the original does not know, the lowest-numbered replica wins that has no stale marker.
 *
 * What it costs: a block that lies in one bucket is not decoded; else all replicas' timestamps are, and values on a tie
 * only. A sample is known when all replicas have gone past its bucket. Of an HA pair it shows the one that scrapes later
 * in the bucket, both in turn where their jitter lets them pass each other, and holes and near-duplicates of up to a whole
 * interval either way where scrapes are missed.
 *
 * As the original for times from 0 on; before, the buckets go on in the same way (the original rounds towards 0 there).
 *
 * @throws TypeError or RangeError if `intervalMs` is not a positive whole number inside 2^53.
 */
export function interval(options: IntervalOptions): Strategy {
  const intervalMs = options?.intervalMs;
  if (typeof intervalMs !== "number") {
    throw new TypeError(`interval: intervalMs must be a number of milliseconds, got ${describe(intervalMs)}`);
  }
  if (!(Number.isInteger(intervalMs) && intervalMs > 0 && intervalMs <= TIMESTAMP_MS_MAX)) {
    throw new RangeError(`interval: intervalMs must be a positive whole number inside 2^53, got ${intervalMs}`);
  }
  return new Strategy("interval", { intervalMs }, (windows) => new Interval(windows, intervalMs));
}

class Interval implements Source {
  readonly piece: Piece = new Piece();
  needs: number = 0;
  readonly #heads: Heads;
  readonly #windows: readonly ReplicaWindow[];
  readonly #intervalMs: number;
  /** The last time of the bucket in hand, or of the one before it. */
  #bucketEndMs: number = -Infinity;
  /** The latest time in the bucket in hand, −∞ where it is empty, the replica that has it, and whether others have it too. */
  #latestMs: number = -Infinity;
  #latest: number = 0;
  #isTie: boolean = false;
  /** By replica: its last sample in the bucket in hand; from earlier buckets where it has none there. */
  readonly #lastMs: Float64Array;
  readonly #rows: Int32Array;
  readonly #blocks: Block[] = [];

  constructor(windows: readonly ReplicaWindow[], intervalMs: number) {
    this.#heads = new Heads(windows);
    this.#windows = windows;
    this.#intervalMs = intervalMs;
    this.#lastMs = new Float64Array(windows.length).fill(-Infinity);
    this.#rows = new Int32Array(windows.length);
  }

  /** Fast path: a replica that is the last in one bucket after the other. Its rows are handed on together. */
  next(): Step {
    const { piece } = this;
    piece.end = piece.start = 0;
    for (;;) {
      const step = this.#fillBucket();
      if (step !== PIECE) {
        return piece.end > 0 ? PIECE : step;
      }
      const replica = this.#isTie ? this.#largest() : this.#latest;
      const row = this.#rows[replica]!;
      if (piece.end === 0) {
        piece.replica = replica;
        piece.block = this.#blocks[replica];
        piece.start = row;
        piece.reason = this.#isTie ? TIE : LAST_IN_BUCKET;
      } else if (piece.end !== row || piece.block !== this.#blocks[replica]) {
        return PIECE;
      }
      piece.end = row + 1;
      this.#latestMs = -Infinity;
    }
  }

  /** Of a bucket that is not handed on yet each replica's last sample is needed again. */
  save(_row: number, _fromMs: number, state: SourcesState): void {
    this.#heads.save(-Infinity, state);
    if (this.#latestMs === -Infinity) {
      return;
    }
    for (const replica of this.#windows.keys()) {
      const lastMs = this.#lastMs[replica]!;
      if (lastMs > this.#bucketEndMs - this.#intervalMs) {
        state.windows[replica] = { fromMs: lastMs, ended: false, adjust: 0 };
      }
    }
  }

  /** Reads on to the end of the bucket in hand, or of the next one: PIECE where it is complete and has samples. */
  #fillBucket(): Step {
    const heads = this.#heads;
    for (;;) {
      const step = heads.ensure();
      if (step === NEED) {
        this.needs = heads.needs;
        return NEED;
      }
      if (step === END) {
        return this.#latestMs === -Infinity ? END : PIECE;
      }
      const replica = heads.top();
      const rowMs = heads.rowMs[replica]!;
      if (this.#latestMs === -Infinity) {
        this.#bucketEndMs = bucketEnd(rowMs, this.#bucketEndMs + this.#intervalMs, this.#intervalMs);
      } else if (rowMs > this.#bucketEndMs) {
        return PIECE;
      }
      this.#readBucket(replica);
    }
  }

  /** Passes over the top replica's rows in the bucket and keeps the last one. */
  #readBucket(replica: number): void {
    const heads = this.#heads;
    const bucketEndMs = this.#bucketEndMs;
    let end = heads.ends[replica]!;
    let lastMs = heads.lastMs[replica]!;
    if (lastMs > bucketEndMs) {
      const timestamps = heads.timestampsOf(replica);
      const row = heads.rows[replica]!;
      end = seekRow(timestamps, row + 1, end, bucketEndMs + 1);
      lastMs = end === row + 1 ? heads.rowMs[replica]! : checkedTime(timestamps, replica, end - 1);
    }
    this.#lastMs[replica] = lastMs;
    this.#rows[replica] = end - 1;
    this.#blocks[replica] = heads.blocks[replica]!;
    if (lastMs > this.#latestMs) {
      this.#latestMs = lastMs;
      this.#latest = replica;
      this.#isTie = false;
    } else if (lastMs === this.#latestMs) {
      this.#isTie = true;
    }
    heads.moveTop(end);
  }

  /** Of the replicas that have the latest time, the one that is shown: the original goes through them from the last. */
  #largest(): number {
    let largest = -1;
    let isMixed = false;
    for (let replica = this.#windows.length - 1; replica >= 0; replica--) {
      if (this.#lastMs[replica] !== this.#latestMs) {
        continue;
      }
      if (largest < 0 || this.#isStale(largest)) {
        largest = replica;
      } else if (!this.#isStale(replica)) {
        isMixed ||= this.#blocks[replica]!.kind === "histogram" || this.#blocks[largest]!.kind === "histogram";
        if (isMixed || this.#value(replica) > this.#value(largest)) {
          largest = replica;
        }
      }
    }
    return largest;
  }

  #value(replica: number): number {
    return this.#blocks[replica]!.valueAt(this.#rows[replica]!);
  }

  #isStale(replica: number): boolean {
    const block = this.#blocks[replica]!;
    const row = this.#rows[replica]!;
    return block.kind === "float"
      ? Number.isNaN(block.valueAt(row)) && isStaleMarker(block.values(), row)
      : block.histograms().isStale?.(row) === true;
  }
}

/** The end of the bucket in which a time lies; `nextEndMs`, that of the bucket after the last one, if it lies in that. */
function bucketEnd(timeMs: number, nextEndMs: number, intervalMs: number): number {
  if (timeMs <= nextEndMs) {
    return nextEndMs;
  }
  const overMs = timeMs % intervalMs;
  return overMs > 0 ? timeMs - overMs + intervalMs : timeMs - overMs;
}
