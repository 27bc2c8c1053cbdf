/**
 * `penalty`: the replica switching of Thanos Querier (`--deduplication.func=penalty`, its default), sample for sample.
 * Source of the rule: thanos-io/thanos pkg/dedup/iter.go, v0.42.
 *
 * One side of a pair is current. After each of its samples the idle side is ignored for twice the time between the last two
 * samples; it takes over when it then has an earlier sample than the current side.
 *
 *     a         ●────●────●────●                               a dies
 *     b           ○────○────○────○────○────○────○
 *     shown     ●────●────●────●───────────○────○              b is let in two intervals after a's last sample: a hole
 *
 * While a side stays current the idle one can come in only where the time between two samples more than doubles, so a run
 * costs one comparison a sample and the idle side is not looked at.
 */
import { EXHAUSTED, PENALTY, type ReasonCode, UNSAID } from "../reason.ts";
import { END, NEED, PIECE, Piece, type PairState, type Source, type SourcesState, type Step } from "../source.ts";
import { describe } from "../splice-error.ts";
import { Strategy } from "../strategy.ts";
import { describeTime, TIMESTAMP_MS_MAX } from "../timestamp.ts";
import { acceptSteadyRows, isSteady, Pace } from "./pace.ts";
import { Side } from "./side.ts";

export interface PenaltyOptions {
  /**
   * Thanos' counter mode: at each switch a side whose value lies below the last one shown is raised by the difference from
   * there on, so that the switch shows no counter reset. Off by default. It is what Thanos' iterator does, and not what
   * `rate()` shows in a Thanos Querier, which takes resets out of each replica before it merges them.
   */
  readonly counter?: boolean;
}

/**
 * Thanos-compatible replica switching, for any number of replicas (folded from the left, so their order counts).
 *
 * What it costs, as in the original: a missed scrape is never filled; a dying replica leaves a hole of about two
 * intervals; after an outage of all replicas the standby is ignored for twice its length; the answer depends on the window.
 * Times are computed in doubles and equal the original's int64 up to about ±2^50 ms.
 *
 * @throws TypeError if an option has the wrong type.
 */
export function penalty(options: PenaltyOptions = {}): Strategy {
  const counter = options.counter ?? false;
  if (typeof counter !== "boolean") {
    throw new TypeError(`penalty: counter must be a boolean, got ${describe(counter)}`);
  }
  return new Strategy("penalty", { counter }, (windows, saved) => {
    const adjusts = counter ? new Float64Array(windows.length) : undefined;
    saved?.windows.forEach((window, replica) => adjusts?.fill(window.adjust, replica, replica + 1));
    let joined: Source = windows[0]!;
    for (let replica = 1; replica < windows.length; replica++) {
      const isOutermost = replica === windows.length - 1;
      joined = new PenaltyPair(joined, windows[replica]!, isOutermost, adjusts, saved?.pairs[replica - 1]);
    }
    return joined;
  });
}

/**
 * Two sources joined. Its pieces end before each row at which the idle side has to be looked at, so nothing happens inside
 * a piece, and where the idle side of a pair stood at any row of its piece can be told afterwards.
 */
class PenaltyPair implements Source {
  readonly piece: Piece = new Piece();
  needs: number = 0;
  readonly #a: Side;
  /** The pair behind side a, if it is one: a fold is from the left, b is always a replica. */
  readonly #inner: PenaltyPair | undefined;
  #current: Side;
  #idle: Side;
  /** As of the end of the piece. */
  readonly #pace = new Pace();
  /** As of before the first row of the piece. */
  readonly #paceAtStart = new Pace();
  /** The penalty after the first row of the piece and the furthest the rows after it sent the idle side; −1 if not known. */
  #steadyPenaltyMs = -1;
  #steadyReachedMs = -Infinity;
  /** What to add to each replica's floats, shared by all pairs of a fold; undefined without `counter`. */
  readonly #adjusts: Float64Array | undefined;
  /** The last sample's adjust as it was when the present step began. */
  #stepAdd: number | undefined = undefined;
  /** Of a switch that was made and not handed on yet: why. */
  #switchReason: ReasonCode = UNSAID;
  readonly #isOutermost: boolean;
  /** In a restored pair: the value of the last sample. */
  readonly #savedValue: number | undefined;

  constructor(
    a: Source,
    b: Source,
    isOutermost: boolean,
    adjusts: Float64Array | undefined,
    saved: PairState | undefined,
  ) {
    this.#isOutermost = isOutermost;
    this.#a = new Side(a);
    this.#inner = a instanceof PenaltyPair ? a : undefined;
    this.#current = this.#a;
    this.#idle = new Side(b);
    this.#adjusts = adjusts;
    this.#savedValue = saved?.value;
    if (saved !== undefined) {
      if (saved.current === 1) {
        this.#swap();
      }
      Object.assign(this.#pace, { lastMs: saved.lastMs, penaltyMs: saved.penaltyMs, reachedMs: saved.reachedMs });
      this.#stepAdd = saved.stepAdd;
      this.piece.replica = saved.replica;
    }
  }

  next(): Step {
    if (this.#adjusts !== undefined && this.#pace.lastMs !== -Infinity) {
      this.#stepAdd ??= this.#adjusts[this.piece.replica]!;
    }
    const step = this.#current.ensure();
    if (step === NEED) {
      return this.#need(this.#current.source);
    }
    if (step === END) {
      return this.#goOnWithIdle();
    }
    if (!isSteady(this.#current.rowMs - this.#pace.lastMs, this.#pace.penaltyMs)) {
      const decided = this.#decide();
      if (decided === NEED) {
        return NEED;
      }
    }
    return this.#idle.isEnded ? this.#handOnAll() : this.#handOnSteady();
  }

  save(row: number, _fromMs: number, state: SourcesState): void {
    const pace = this.#paceBefore(row);
    if (row < 0) {
      this.#current.save(-Infinity, state);
    } else {
      this.#current.source.save(row, -Infinity, state);
    }
    this.#idle.save(pace.targetMs(), state);
    this.#adjusts?.forEach((adjust, replica) => {
      if (state.windows[replica] !== undefined) {
        state.windows[replica].adjust = adjust;
      }
    });
    state.pairs.push({
      lastMs: pace.lastMs,
      penaltyMs: pace.penaltyMs,
      reachedMs: pace.reachedMs,
      current: this.#current === this.#a ? 0 : 1,
      replica: this.piece.replica,
      value: this.#adjusts === undefined ? undefined : this.#lastValue(),
      stepAdd: this.#stepAdd,
    });
  }

  /** Asks the idle side whether it comes in before the current side's row, and if so lets it. */
  #decide(): Step {
    const idle = this.#idle;
    idle.targetMs = this.#pace.targetMs();
    const step = idle.seek();
    if (step === NEED) {
      return this.#need(idle.source);
    }
    const comesIn = step === PIECE && this.#idleIsFirst();
    this.#checkRow(comesIn ? idle : this.#current);
    return comesIn ? this.#switch(PENALTY) : PIECE;
  }

  /** Whether the idle side's row comes before the current side's; on a tie side a's does. */
  #idleIsFirst(): boolean {
    const idleMs = this.#idle.rowMs;
    const currentMs = this.#current.rowMs;
    return idleMs < currentMs || (idleMs === currentMs && this.#idle === this.#a);
  }

  /** The current side has ended: what is left is the idle side's. */
  #goOnWithIdle(): Step {
    const idle = this.#idle;
    idle.targetMs = this.#pace.targetMs();
    const step = idle.seek();
    if (step === NEED) {
      return this.#need(idle.source);
    }
    if (step === END) {
      return END;
    }
    this.#checkRow(idle);
    return this.#switch(EXHAUSTED) === NEED ? NEED : this.#handOnAll();
  }

  /** Makes the idle side the current one; with `counter`, raises what lies below the last value shown. */
  #switch(reason: ReasonCode): Step {
    const shown = this.#shownValue();
    if (shown !== undefined && this.#a.row < this.#a.end && this.#place(this.#a.row) === NEED) {
      return NEED;
    }
    // Before the first sample nothing was shown, so there is no reason to leave it.
    this.#switchReason = this.#pace.lastMs === -Infinity ? UNSAID : reason;
    this.piece.reasonMs = this.#current.rowMs - this.#pace.lastMs;
    this.piece.reasonSecondMs = this.#pace.penaltyMs;
    this.#swap();
    if (shown !== undefined) {
      this.#adjust(this.#current, this.#current.row, shown);
      this.#adjust(this.#idle, this.#idle.row, shown);
    }
    return PIECE;
  }

  #swap(): void {
    const current = this.#current;
    this.#current = this.#idle;
    this.#idle = current;
  }

  /** Hands on the current side's rows up to where the idle side has to be asked again. */
  #handOnSteady(): Step {
    const side = this.#current;
    const pace = this.#pace;
    const inner = side === this.#a ? this.#inner : undefined;
    const start = side.row;
    this.#paceAtStart.copyFrom(pace);
    pace.accept(side.rowMs);
    this.#steadyPenaltyMs = pace.penaltyMs;
    let { end } = side;
    if (inner !== undefined && start === side.start && inner.#steadyPenaltyMs === pace.penaltyMs) {
      // Fast path: the pair behind this side goes at the same pace and has looked at these rows already.
      pace.lastMs = inner.#pace.lastMs;
      pace.penaltyMs = inner.#pace.penaltyMs;
      this.#steadyReachedMs = inner.#steadyReachedMs;
      pace.reachedMs = Math.max(pace.reachedMs, this.#steadyReachedMs);
    } else if (start + 1 < end) {
      const { reachedMs } = pace;
      pace.reachedMs = -Infinity;
      end = acceptSteadyRows(pace, side.block!.timestamps(), start + 1, end);
      this.#steadyReachedMs = pace.reachedMs;
      pace.reachedMs = Math.max(pace.reachedMs, reachedMs);
    } else {
      this.#steadyReachedMs = -Infinity;
    }
    return this.#handOn(side, start, this.#isOutermost ? this.#goOn(side, end) : end);
  }

  /**
   * Goes on behind `row` as long as the idle side is asked in vain, and returns the row it stopped at. In the outermost pair
   * only, whose pieces nobody looks into: a piece of its own for each question costs some 50 ns.
   */
  #goOn(side: Side, row: number): number {
    const pace = this.#pace;
    const idle = this.#idle;
    let end = row;
    while (end < side.end) {
      side.moveTo(end);
      idle.targetMs = pace.targetMs();
      if (idle.seek() !== PIECE || this.#idleIsFirst()) {
        break;
      }
      this.#checkRow(side);
      pace.accept(side.rowMs);
      end = acceptSteadyRows(pace, side.block!.timestamps(), end + 1, side.end);
    }
    return end;
  }

  /** Hands on all that the current side has in hand: the idle side has ended, so the rows need not be looked at. */
  #handOnAll(): Step {
    this.#steadyPenaltyMs = -1;
    return this.#handOn(this.#current, this.#current.row, this.#current.end);
  }

  #handOn(side: Side, start: number, end: number): Step {
    const { piece } = this;
    piece.replica = side.replica;
    piece.block = side.block;
    piece.start = start;
    piece.end = end;
    piece.add = this.#adjusts?.[side.replica] ?? 0;
    piece.reason = this.#switchReason;
    this.#switchReason = UNSAID;
    const inner = side === this.#a ? this.#inner?.piece : undefined;
    if (inner !== undefined && inner.reason !== UNSAID && start === inner.start) {
      // A pair further in has gone over here too: its reason is the nearer one.
      piece.reason = inner.reason;
      piece.reasonMs = inner.reasonMs;
      piece.reasonSecondMs = inner.reasonSecondMs;
    }
    side.moveTo(end);
    this.#stepAdd = undefined;
    return PIECE;
  }

  /** The pace before a row of the piece was shown; after the piece for −1. */
  #paceBefore(row: number): Pace {
    const { start, block } = this.piece;
    if (row < 0 || this.#steadyPenaltyMs < 0) {
      return this.#pace;
    }
    const pace = new Pace();
    pace.copyFrom(this.#paceAtStart);
    if (row > start) {
      const timestamps = block!.timestamps();
      pace.accept(timestamps[start]!);
      acceptSteadyRows(pace, timestamps, start + 1, row);
    }
    return pace;
  }

  /**
   * Sends the idle sides behind side a to where they stood when the pair there showed `row`, on which side a stands: a
   * switch further out may raise them. Does nothing where side a is a replica or stands on a histogram.
   */
  #place(row: number): Step {
    const pair = this.#inner;
    if (pair === undefined || this.#a.block!.kind !== "float") {
      return PIECE;
    }
    const idle = pair.#idle;
    idle.targetMs = pair.#paceBefore(row).targetMs();
    if (idle.seek() === NEED) {
      return this.#need(idle.source);
    }
    const step = pair.#a === pair.#current ? pair.#place(row) : pair.#a.isEnded ? PIECE : pair.#place(pair.#a.row);
    if (step === NEED) {
      this.needs = pair.needs;
    }
    return step;
  }

  /** Raises what stands on `row` of a side, and on a float, to `shown` at least. */
  #adjust(side: Side, row: number, shown: number): void {
    if (row >= side.end || side.block!.kind !== "float") {
      return;
    }
    if (side === this.#a && this.#inner !== undefined) {
      const pair = this.#inner;
      pair.#adjust(pair.#current, row, shown);
      pair.#adjust(pair.#idle, pair.#idle.row, shown);
      return;
    }
    const adjusts = this.#adjusts!;
    const value = addTo(side.block!.valueAt(row), adjusts[side.replica]!);
    if (shown > value) {
      adjusts[side.replica]! += shown - value;
    }
  }

  /** With `counter`: the value of the sample on which the pair stood when the step began, if that is a float. */
  #shownValue(): number | undefined {
    if (this.#adjusts === undefined) {
      return undefined;
    }
    if (this.#pace.lastMs !== -Infinity) {
      const value = this.#lastValue();
      return value === undefined ? undefined : addTo(value, this.#stepAdd ?? 0);
    }
    // Before the first sample a pair stands on the first row of side a.
    const { block, row, end, replica } = this.#a;
    return row < end && block!.kind === "float" ? addTo(block!.valueAt(row), this.#adjusts[replica]!) : undefined;
  }

  #lastValue(): number | undefined {
    const { block, end } = this.piece;
    return block === undefined ? this.#savedValue : block.kind === "float" ? block.valueAt(end - 1) : undefined;
  }

  #need(source: Source): Step {
    this.needs = source.needs;
    return NEED;
  }

  #checkRow(side: Side): void {
    const { rowMs } = side;
    if (!(rowMs > this.#pace.lastMs && rowMs <= TIMESTAMP_MS_MAX && Math.floor(rowMs) === rowMs)) {
      throw badRow(side, this.#pace.lastMs);
    }
  }
}

/** The error for a row that {@link PenaltyPair} cannot show: apart from the check, which is in the way of every decision. */
function badRow({ replica, row, rowMs }: Side, lastMs: number): RangeError {
  return new RangeError(`replica ${replica}, row ${row}: ${describeTime(rowMs, lastMs)}`);
}

/** Adds an adjust as the original does, but for 0, which would turn −0 into 0. */
function addTo(value: number, adjust: number): number {
  return adjust === 0 ? value : value + adjust;
}
