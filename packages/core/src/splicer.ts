/**
 * The kernel: replicas' blocks go in, runs come out, and it does no I/O. `next()` answers that a run is ready (PIECE), that
 * a replica's next block is needed (NEED), or END. It joins the strategy's pieces into maximal runs, of which it keeps the
 * last one open across NEED.
 */
import { type Block, columnsBlock } from "./block.ts";
import type { Coverage } from "./coverage.ts";
import type { Explainer } from "./explain.ts";
import type { Run } from "./run.ts";
import { END, NEED, PIECE, Piece, type Source, type SourcesState, type Step } from "./source.ts";
import { describe } from "./splice-error.ts";
import type { Strategy } from "./strategy.ts";
import { isTimestamp } from "./timestamp.ts";
import { ReplicaWindow } from "./window.ts";

/** Rows of one replica that were decided upon but not handed out when the state was saved. */
export interface OpenRunState {
  readonly replica: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly add: number;
}

/** Scalars and times only, never block numbers: who goes on may get the same samples in other blocks. */
export interface SplicerState extends SourcesState {
  readonly open: OpenRunState | undefined;
}

/** Who is told of each run that is handed out. */
export interface Collectors {
  readonly explain?: Explainer | undefined;
  readonly coverage?: Coverage | undefined;
}

/** The most replicas of a series: strategies nest as deep as there are replicas, and so do calls. */
export const REPLICAS_MAX: number = 256;

export class Splicer {
  /** After PIECE: the run, valid until the next call. One object is used again and again. */
  readonly run: Run;
  /** After NEED: which replica's next block is needed. */
  needs: number = 0;
  readonly strategy: Strategy;
  readonly #run: { -readonly [Field in keyof Run]: Run[Field] };
  readonly #windows: readonly ReplicaWindow[];
  readonly #source: Source | undefined;
  /** The run that may still grow; its `block` is undefined where there is none. */
  readonly #open = new Piece();
  /** Where lanes stand for the replicas: the replica that each block came from. */
  readonly #replicaOf: ReadonlyMap<Block, number> | undefined;
  readonly #collectors: Collectors;
  readonly #startMs: number;
  readonly #endMs: number;
  /** After a resume: rows that the one who saved had decided upon but not handed out. */
  #replay: OpenRunState | undefined;

  constructor(
    strategy: Strategy,
    replicas: number,
    startMs: number,
    endMs: number,
    saved?: SplicerState,
    replicaOf?: ReadonlyMap<Block, number>,
    collectors: Collectors = {},
  ) {
    this.strategy = strategy;
    this.#startMs = startMs;
    this.#endMs = endMs;
    this.#replicaOf = replicaOf;
    this.#collectors = collectors;
    collectors.coverage?.begin(replicaOf === undefined ? replicas : 0);
    this.#windows = Array.from(
      { length: replicas },
      (_, replica) => new ReplicaWindow(replica, startMs, endMs, saved?.windows[replica]),
    );
    this.#source = replicas === 0 ? undefined : strategy.join(this.#windows, saved);
    collectors.explain?.begin(saved !== undefined, this.#source);
    this.#replay = saved?.open;
    this.run = this.#run = {
      replica: 0,
      block: columnsBlock({ timestamps: new Float64Array(1), values: new Float64Array(1) }),
      start: 0,
      end: 0,
      add: 0,
    };
  }

  get replicas(): number {
    return this.#windows.length;
  }

  /**
   * Gives the kernel a replica's next block.
   *
   * @throws TypeError if it is not a block; SpliceError `blocks-out-of-order`.
   */
  give(replica: number, block: Block): void {
    checkBlock(replica, block);
    this.#windows[replica]!.give(block);
    if (block.lastMs >= this.#startMs && block.firstMs <= this.#endMs) {
      this.#collectors.coverage?.give(this.#replicaOf?.get(block) ?? replica, block);
    }
  }

  /** Tells the kernel that a replica has no more blocks. */
  finish(replica: number): void {
    this.#windows[replica]!.finish();
  }

  next(): Step {
    const open = this.#open;
    for (;;) {
      if (open.block !== undefined && open.end === open.block.count) {
        return this.#handOut();
      }
      const piece = this.#nextPiece();
      if (piece === NEED) {
        return NEED;
      }
      if (piece === END) {
        if (open.block !== undefined) {
          return this.#handOut();
        }
        this.#collectors.explain?.end();
        return END;
      }
      if (
        piece.block === open.block &&
        piece.start === open.end &&
        piece.replica === open.replica &&
        piece.add === open.add
      ) {
        open.end = piece.end;
        continue;
      }
      const isOpen = open.block !== undefined;
      if (isOpen) {
        this.#handOut();
      }
      open.replica = piece.replica;
      open.block = piece.block;
      open.start = piece.start;
      open.end = piece.end;
      open.add = piece.add;
      open.reason = piece.reason;
      open.reasonMs = piece.reasonMs;
      open.reasonSecondMs = piece.reasonSecondMs;
      if (isOpen) {
        return PIECE;
      }
    }
  }

  /**
   * Where the kernel stands: all runs that it answered have been handed out, and nothing after them.
   *
   * @throws TypeError over lanes: read again from a later time on, the blocks would go to other lanes.
   */
  save(): SplicerState {
    if (this.#replicaOf !== undefined) {
      throw new TypeError("a splice over lanes cannot be saved");
    }
    const sources: SourcesState = { pairs: [], windows: [] };
    this.#source?.save(-1, -Infinity, sources);
    const { block, replica, start, end, add } = this.#open;
    let open = this.#replay;
    if (block !== undefined) {
      const timestamps = block.timestamps();
      open = { replica, firstMs: timestamps[start]!, lastMs: timestamps[end - 1]!, add };
    }
    if (open !== undefined) {
      const window = sources.windows[open.replica]!;
      window.fromMs = Math.min(window.fromMs, open.firstMs);
      window.ended = false;
    }
    return { ...sources, open };
  }

  #nextPiece(): Piece | typeof NEED | typeof END {
    const replay = this.#replay;
    if (replay !== undefined) {
      const rows = this.#source?.rowsOf?.(replay.replica) ?? this.#windows[replay.replica]!;
      const step = rows.nextWithin(replay.firstMs, replay.lastMs);
      if (step === PIECE) {
        const { piece } = rows;
        piece.add = replay.add;
        this.#replay = { ...replay, firstMs: piece.block!.timestamps()[piece.end - 1]! + 1 };
        return piece;
      }
      if (step === NEED) {
        this.needs = replay.replica;
        return NEED;
      }
      this.#replay = undefined;
    }
    const source = this.#source;
    if (source === undefined) {
      return END;
    }
    const step = source.next();
    if (step === PIECE) {
      return source.piece;
    }
    this.needs = source.needs;
    return step;
  }

  #handOut(): Step {
    const run = this.#run;
    const open = this.#open;
    run.replica = this.#replicaOf?.get(open.block!) ?? open.replica;
    run.block = open.block!;
    run.start = open.start;
    run.end = open.end;
    run.add = open.add;
    open.block = undefined;
    this.#collectors.explain?.add(run, open);
    this.#collectors.coverage?.add(run);
    return PIECE;
  }
}

/** @throws TypeError, naming the replica, if something is not a block. */
export function checkBlock(replica: number, block: Block): void {
  if (!isBlock(block)) {
    throw new TypeError(
      `replica ${replica}: expected a block of at least one row, its times whole ms inside ±2^53 and in order, got ${describeBlock(block)}`,
    );
  }
}

function isBlock(block: Block): boolean {
  return (
    typeof block === "object" &&
    block !== null &&
    isTimestamp(block.firstMs) &&
    isTimestamp(block.lastMs) &&
    block.firstMs <= block.lastMs &&
    Number.isInteger(block.count) &&
    block.count > 0
  );
}

function describeBlock(block: Block): string {
  return typeof block === "object" && block !== null && "firstMs" in block
    ? `${block.count} rows from ${block.firstMs} to ${block.lastMs}`
    : describe(block);
}
