/**
 * The source behind `fill`: replica 0 is followed, and each further one fills the holes that those before it leave.
 *
 *     replica 0    ●────●────●─────────────────────────────●────●
 *     replica 1      ○────○────○────○────○───────────────────○──      in hole (1)
 *     replica 2       ◌────◌────◌────◌────◌────◌────◌────◌────◌       in hole (2), which replica 1 leaves
 *     shown        ●────●────●──────○────○────◌────◌───────●────●
 *                             └──────────── (1) ──────────┘
 *                                        └────── (2) ─────┘
 *
 * One level a replica. Level k knows the next sample after the one shown last when only replicas 0 … k count; it is that of
 * level k − 1, or an earlier one of replica k where the gap up to that is a hole. When a sample of replica k is shown the
 * levels before k stay as they are, since their gap goes on; those after k have a new gap.
 *
 * A step looks things up until it knows the next sample of every level, then shows it. So where a block is missing it is
 * simply begun again.
 */
import { END, NEED, PIECE, type Step } from "../source.ts";
import type { ReplicaWindow } from "../window.ts";
import { NEEDED, NO_ROW, type Scrapes } from "./scrapes.ts";

/** Two neighbouring samples further apart than this many intervals have a hole between them. */
export const HOLE_INTERVALS: number = 1.5;
/** What fills a hole keeps this many intervals away from other samples. */
export const APART_INTERVALS: number = 0.5;
/** Where nothing may be picked in the present gap. */
export const CLOSED: number = -1;

/** A live sample: −∞, −1 and −1 where there is none. After a resume the row is −1 until it is found. */
export class Place {
  timeMs: number = -Infinity;
  replica: number = -1;
  row: number = -1;
}

export class Levels {
  /** After NEED: the replica whose next block is missing. */
  needs: number = 0;
  readonly replicas: readonly Scrapes[];
  /** The live sample that came last: where the present gap begins. */
  readonly last: Place = new Place();
  /** For each level the next live sample: ∞ where there is none. A row is −1 after a resume, until it is found. */
  readonly nextMs: Float64Array;
  readonly nextReplica: Int32Array;
  readonly nextRow: Int32Array;
  /** For each level J of the present gap, or CLOSED. */
  readonly spacingMs: Float64Array;
  /** For each level I of the present gap: only for telling why. */
  readonly intervalMs: Float64Array;
  /** How many gaps were left as they are because no interval was known. */
  unknownGaps: number = 0;
  /** Where the last of these began. */
  #unknownMs = NaN;
  /** The first instant of the window, or of all replicas' rows; NaN while that is not known. */
  #startMs: number;

  constructor(windows: readonly ReplicaWindow[], replicas: readonly Scrapes[]) {
    const count = replicas.length;
    const startMs = windows[0]!.windowStartMs;
    this.#startMs = startMs === -Infinity ? NaN : startMs;
    this.replicas = replicas;
    this.nextMs = new Float64Array(count).fill(Infinity);
    this.nextReplica = new Int32Array(count);
    this.nextRow = new Int32Array(count).fill(-1);
    this.spacingMs = new Float64Array(count).fill(CLOSED);
    this.intervalMs = new Float64Array(count).fill(NaN);
  }

  /** Finds out what each level shows next: PIECE, or NEED. */
  decide(): Step {
    const replicas = this.replicas;
    const level = Math.max(this.last.replica, 0);
    if (this.find(this.last) === NEED) {
      return NEED;
    }
    const step = level === 0 ? this.#follow() : this.#pick(level);
    if (step === NEED) {
      return NEED;
    }
    for (let higher = level + 1; higher < replicas.length; higher++) {
      if (this.#openGap(higher) === NEED) {
        return NEED;
      }
    }
    return PIECE;
  }

  /** Finds the row of a sample again after a resume: PIECE, or NEED. */
  find(place: Place): Step {
    if (place.replica >= 0 && place.row < 0) {
      const row = this.replicas[place.replica]!.rowFrom(place.timeMs);
      if (row === NEEDED) {
        return this.#need(place.replica);
      }
      place.row = row;
    }
    return PIECE;
  }

  /** Level 0: the next live row of replica 0. */
  #follow(): Step {
    const scrapes = this.replicas[0]!;
    const from = this.last.replica === 0 ? this.last.row + 1 : scrapes.firstRow();
    const row = from < 0 ? from : scrapes.nextLive(from);
    if (row === NEEDED) {
      return this.#need(0);
    }
    this.#setNext(0, row, row === NO_ROW ? Infinity : scrapes.timeOf(row));
    return PIECE;
  }

  /** Looks at the gap that the levels below leave, and if it is a hole picks the first sample that fills it. */
  #openGap(level: number): Step {
    const below = level - 1;
    const gapEndMs = this.nextMs[below]!;
    this.#close(level);
    if (this.last.replica < 0 && gapEndMs === Infinity) {
      // None of the replicas below has a live sample: this one is followed.
      this.spacingMs[level] = 0;
      return this.#pick(level);
    }
    const isHole = this.isHole(this.last, below, NaN);
    if (isHole === NEED || isHole === END) {
      // Fast path: no hole, as between nearly all samples, and so none for the levels above.
      return isHole === NEED ? NEED : PIECE;
    }
    const scrapes = this.replicas[level]!;
    const first = this.#firstLiveInGap(scrapes);
    if (first < 0) {
      return first === NEEDED ? this.#need(level) : PIECE;
    }
    const firstMs = scrapes.timeOf(first);
    if (firstMs >= gapEndMs) {
      return PIECE;
    }
    const ownMs = scrapes.intervalAt(first);
    if (ownMs === NEEDED) {
      return this.#need(level);
    }
    const intervalMs = this.intervalOfGap(this.last, below);
    if (Number.isNaN(intervalMs)) {
      // Its replica has one row: the interval of the one that is to fill the gap stands in.
      const isHoleForThis = Number.isNaN(ownMs) ? END : this.isHole(this.last, below, ownMs);
      if (isHoleForThis !== PIECE) {
        this.#noteUnknown(ownMs);
        return isHoleForThis === NEED ? NEED : PIECE;
      }
    }
    this.intervalMs[level] = Number.isNaN(intervalMs) ? ownMs : intervalMs;
    this.spacingMs[level] = ownMs < intervalMs || Number.isNaN(intervalMs) ? ownMs : intervalMs;
    return this.#pickFrom(level, first, firstMs);
  }

  /** Counts a gap once, however often a step is tried. */
  #noteUnknown(ownMs: number): void {
    if (Number.isNaN(ownMs) && this.#unknownMs !== this.last.timeMs) {
      this.#unknownMs = this.last.timeMs;
      this.unknownGaps++;
    }
  }

  /** The next sample of a level's own replica in its gap, or else what the level below shows next. */
  #pick(level: number): Step {
    const spacingMs = this.spacingMs[level]!;
    if (spacingMs === CLOSED || !(this.nextMs[level - 1]! - this.last.timeMs > HOLE_INTERVALS * spacingMs)) {
      this.#close(level);
      return PIECE;
    }
    const first = this.#firstLiveInGap(this.replicas[level]!);
    if (first === NEEDED) {
      return this.#need(level);
    }
    return this.#pickFrom(level, first, first === NO_ROW ? Infinity : this.replicas[level]!.timeOf(first));
  }

  /** As `#pick`, with the first live row after the sample that came last. */
  #pickFrom(level: number, first: number, firstMs: number): Step {
    const spacingMs = this.spacingMs[level]!;
    const gapEndMs = this.nextMs[level - 1]!;
    const apartMs = Math.ceil(APART_INTERVALS * spacingMs);
    const earliestMs = this.last.timeMs + apartMs;
    const scrapes = this.replicas[level]!;
    let row = first;
    let rowMs = firstMs;
    if (rowMs < earliestMs) {
      row = scrapes.rowFrom(earliestMs);
      row = row < 0 ? row : scrapes.nextLive(row);
      if (row === NEEDED) {
        return this.#need(level);
      }
      rowMs = row === NO_ROW ? Infinity : scrapes.timeOf(row);
    }
    if (row === NO_ROW || !(gapEndMs - rowMs >= apartMs)) {
      this.#close(level);
      return PIECE;
    }
    this.#setNext(level, row, rowMs);
    return PIECE;
  }

  #setNext(level: number, row: number, rowMs: number): void {
    this.nextMs[level] = rowMs;
    this.nextReplica[level] = level;
    this.nextRow[level] = row;
  }

  /** Nothing more from a level's own replica in its gap. */
  #close(level: number): void {
    this.spacingMs[level] = CLOSED;
    this.nextMs[level] = this.nextMs[level - 1]!;
    this.nextReplica[level] = this.nextReplica[level - 1]!;
    this.nextRow[level] = this.nextRow[level - 1]!;
  }

  /**
   * Whether the gap between a sample and a level's next is a hole: PIECE or END, or NEED. Where its interval is
   * not known `otherwiseMs` stands in for it; if that is NaN too the answer is PIECE.
   */
  isHole(before: Place, level: number, otherwiseMs: number): Step {
    const gapEndMs = this.nextMs[level]!;
    if (before.replica >= 0 && gapEndMs - before.timeMs <= this.replicas[before.replica]!.steadyMaxMs(before.row)) {
      return END;
    }
    let intervalMs = this.intervalOfGap(before, level);
    if (intervalMs === NEEDED) {
      return NEED;
    }
    if (Number.isNaN(intervalMs)) {
      intervalMs = otherwiseMs;
    }
    if (Number.isNaN(intervalMs)) {
      return PIECE;
    }
    const fromMs = this.#gapStartMs(before);
    if (Number.isNaN(fromMs)) {
      return NEED;
    }
    if (gapEndMs === Infinity) {
      // A gap at the end lasts until the latest row that any replica has.
      return this.#isAnyLater(fromMs + Math.floor(HOLE_INTERVALS * intervalMs));
    }
    return gapEndMs - fromMs > HOLE_INTERVALS * intervalMs ? PIECE : END;
  }

  /** The interval that counts for a level's gap: that of the sample before it, or of the first one. NaN if not known. */
  intervalOfGap(before: Place, level: number): number {
    const isFirst = before.replica < 0;
    if (isFirst && this.nextMs[level] === Infinity) {
      return NaN;
    }
    const replica = isFirst ? this.nextReplica[level]! : before.replica;
    const intervalMs = this.replicas[replica]!.intervalAt(isFirst ? this.nextRow[level]! : before.row);
    if (intervalMs === NEEDED) {
      this.needs = replica;
    }
    return intervalMs;
  }

  /** Where the present gap begins, at the earliest at the window's first instant; NaN where a block is missing. */
  #gapStartMs(before: Place): number {
    if (before.replica >= 0) {
      return before.timeMs;
    }
    if (Number.isNaN(this.#startMs)) {
      let startMs = Infinity;
      for (const scrapes of this.replicas) {
        const row = scrapes.firstRow();
        if (row === NEEDED) {
          this.needs = scrapes.replica;
          return NaN;
        }
        startMs = Math.min(startMs, row === NO_ROW ? Infinity : scrapes.timeOf(row));
      }
      this.#startMs = startMs;
    }
    return this.#startMs;
  }

  /** Whether any replica has a row later than a time: PIECE or END, or NEED. */
  #isAnyLater(timeMs: number): Step {
    if (this.replicas.some((scrapes) => scrapes.reaches(timeMs, false) === PIECE)) {
      return PIECE;
    }
    for (const scrapes of this.replicas) {
      const step = scrapes.reaches(timeMs, true);
      if (step !== END) {
        this.needs = scrapes.replica;
        return step;
      }
    }
    return END;
  }

  /** A replica's first live row after the sample shown last. */
  #firstLiveInGap(scrapes: Scrapes): number {
    const row = this.last.replica < 0 ? scrapes.firstRow() : scrapes.rowFrom(this.last.timeMs + 1);
    return row < 0 ? row : scrapes.nextLive(row);
  }

  #need(replica: number): Step {
    this.needs = replica;
    return NEED;
  }
}
