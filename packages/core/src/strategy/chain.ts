/**
 * `chain`: the union of the replicas' samples; where several have one at the same time the lowest-numbered is shown.
 * Source of the rule: Prometheus' ChainedSeriesMerge (storage/merge.go), which takes any of them there.
 *
 *     a         ●────●─────────●                    1  2     4
 *     b         ○────○────○────○                    1  2  3  4
 *     shown     ●────●────○────●
 */
import { NEXT_IN_TIME } from "../reason.ts";
import { END, NEED, PIECE, Piece, type Source, type SourcesState, type Step } from "../source.ts";
import { Strategy } from "../strategy.ts";
import type { ReplicaWindow } from "../window.ts";
import { Heads } from "./heads.ts";

/**
 * The union of the replicas. Right for identical copies, such as receivers write them or a backup brings back. With an HA
 * pair, whose members scrape at different times, it doubles the sample rate: choose another strategy there.
 *
 * What it costs: all replicas are decoded where they overlap in time, O(log k) a run for k of them. A block that overlaps
 * none is handed on as it is.
 */
export function chain(): Strategy {
  return new Strategy("chain", {}, (windows) => (windows.length === 1 ? windows[0]! : new Chain(windows)));
}

class Chain implements Source {
  readonly piece: Piece = new Piece();
  needs: number = 0;
  readonly #heads: Heads;
  /** Time of the last sample handed on. */
  #lastMs: number = -Infinity;

  constructor(windows: readonly ReplicaWindow[]) {
    this.#heads = new Heads(windows);
    this.piece.reason = NEXT_IN_TIME;
  }

  next(): Step {
    const heads = this.#heads;
    for (;;) {
      const step = heads.ensure();
      if (step === NEED) {
        this.needs = heads.needs;
        return NEED;
      }
      if (step === END) {
        return END;
      }
      const replica = heads.top();
      if (heads.rowMs[replica]! > this.#lastMs) {
        this.#handOn(replica);
        return PIECE;
      }
      // A lower-numbered replica has shown this time.
      heads.moveTop(heads.rows[replica]! + 1);
    }
  }

  save(_row: number, _fromMs: number, state: SourcesState): void {
    this.#heads.save(this.#lastMs + 1, state);
  }

  /** Hands on the top replica's rows up to where another one comes first. */
  #handOn(replica: number): void {
    const heads = this.#heads;
    const { piece } = this;
    const start = heads.rows[replica]!;
    let end = heads.ends[replica]!;
    let lastMs = heads.lastMs[replica]!;
    const other = heads.second();
    const untilMs = other < 0 ? Infinity : heads.rowMs[other]! - 1;
    if (lastMs > untilMs) {
      const timestamps = heads.timestampsOf(replica);
      end = skipRowsUntil(timestamps, start, end, untilMs);
      lastMs = timestamps[end - 1]!;
    }
    piece.replica = replica;
    piece.block = heads.blocks[replica];
    piece.start = start;
    piece.end = end;
    this.#lastMs = lastMs;
    heads.moveTop(end);
  }
}

/** One past the last row that is not later than `untilMs`. Stops as well at a time that is out of order or not whole. */
function skipRowsUntil(timestamps: Float64Array, start: number, end: number, untilMs: number): number {
  let beforeMs = timestamps[start]!;
  let row = start + 1;
  for (; row < end; row++) {
    const timeMs = timestamps[row]!;
    if (!(timeMs > beforeMs && timeMs <= untilMs && Math.floor(timeMs) === timeMs)) {
      break;
    }
    beforeMs = timeMs;
  }
  return row;
}
