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
import {
  END,
  NEED,
  PIECE,
  Piece,
  type Replayed,
  seekRow,
  type Source,
  type SourcesState,
  type Step,
} from "../source.ts";
import { describeTime, TIMESTAMP_MS_MAX } from "../timestamp.ts";
import type { ReplicaWindow } from "../window.ts";
import { NEEDED, NO_ROW, ROWS_KEPT, Scrapes } from "./scrapes.ts";
import { passSteadyRows } from "./steady.ts";

/** What becomes of stale markers; see `FillOptions`. */
export const STALE_MARKERS = ["live-wins", "keep", "drop"] as const;
export type StaleMarkers = (typeof STALE_MARKERS)[number];

/** Two neighbouring samples further apart than this many intervals have a hole between them. */
const HOLE_INTERVALS = 1.5;
/** What fills a hole keeps this many intervals away from other samples. */
const APART_INTERVALS = 0.5;

/** Where nothing may be picked in the present gap. */
const CLOSED = -1;
const SCALARS = 5;
const SCALARS_A_REPLICA = 5;

/** Whether numbers can be what {@link Filling.save} writes, over so many replicas. */
export function isFillingState(scalars: readonly number[], replicas: number): boolean {
  const isReplica = (index: number, leastReplica: number): boolean =>
    Number.isInteger(scalars[index]) && scalars[index]! >= leastReplica && scalars[index]! < replicas;
  const isTime = (index: number): boolean =>
    Math.abs(scalars[index]!) === Infinity ||
    (Number.isInteger(scalars[index]) && Math.abs(scalars[index]!) <= TIMESTAMP_MS_MAX);
  if (
    scalars.length !== SCALARS + SCALARS_A_REPLICA * replicas ||
    ![0, 1, 3].every(isTime) ||
    !isReplica(2, -1) ||
    !isReplica(4, -1)
  ) {
    return false;
  }
  for (let at = SCALARS; at < scalars.length; at += SCALARS_A_REPLICA) {
    const rowsBefore = scalars[at + 3]!;
    if (
      !(isTime(at) && isReplica(at + 1, 0) && scalars[at + 2]! >= CLOSED && isTime(at + 4)) ||
      !(Number.isInteger(rowsBefore) && rowsBefore >= 0 && rowsBefore <= ROWS_KEPT)
    ) {
      return false;
    }
  }
  return true;
}

/** A live sample: −∞, −1 and −1 where there is none. After a resume the row is −1 until it is found. */
class Place {
  timeMs = -Infinity;
  replica = -1;
  row = -1;
}

export class Filling implements Source {
  readonly piece: Piece = new Piece();
  needs: number = 0;
  readonly #replicas: readonly Scrapes[];
  readonly #staleMarkers: StaleMarkers;
  /** The first instant of the window, or of all replicas' rows; NaN while that is not known. */
  #startMs: number;
  /** The live sample that came last: where the present gap begins. */
  readonly #last = new Place();
  /** The live sample shown last: the same, but for what counter mode leaves out. */
  readonly #lastShown: Place;
  readonly #isCounter: boolean;
  /** The time of what was shown last, markers included. */
  #shownMs = -Infinity;
  /** For each level the next live sample: ∞ where there is none. A row is −1 after a resume, until it is found. */
  readonly #nextMs: Float64Array;
  readonly #nextReplica: Int32Array;
  readonly #nextRow: Int32Array;
  /** For each level J of the present gap, or CLOSED. */
  readonly #spacingMs: Float64Array;
  #isDecided = false;

  constructor(
    windows: readonly ReplicaWindow[],
    intervalMs: number,
    staleMarkers: StaleMarkers,
    isCounter: boolean,
    saved: readonly number[] | undefined,
  ) {
    const count = windows.length;
    this.#isCounter = isCounter;
    this.#lastShown = isCounter ? new Place() : this.#last;
    this.#staleMarkers = staleMarkers;
    const startMs = windows[0]!.windowStartMs;
    this.#startMs = startMs === -Infinity ? NaN : startMs;
    this.#nextMs = new Float64Array(count).fill(Infinity);
    this.#nextReplica = new Int32Array(count);
    this.#nextRow = new Int32Array(count).fill(-1);
    this.#spacingMs = new Float64Array(count).fill(CLOSED);
    if (saved !== undefined) {
      const [shownMs, lastMs, lastReplica, lastShownMs, lastShownReplica] = saved as [
        number,
        number,
        number,
        number,
        number,
      ];
      this.#shownMs = shownMs;
      Object.assign(this.#last, { timeMs: lastMs, replica: lastReplica });
      Object.assign(this.#lastShown, { timeMs: lastShownMs, replica: lastShownReplica });
    }
    this.#replicas = windows.map((window, replica) => {
      const at = SCALARS + SCALARS_A_REPLICA * replica;
      const [nextMs, nextReplica, spacingMs, rowsBefore, untilMs] = saved?.slice(at) ?? [];
      this.#nextMs[replica] = nextMs ?? Infinity;
      this.#nextReplica[replica] = nextReplica ?? 0;
      this.#spacingMs[replica] = spacingMs ?? CLOSED;
      return new Scrapes(window, intervalMs, isCounter, rowsBefore ?? 0, untilMs ?? Infinity);
    });
  }

  next(): Step {
    const level = this.#replicas.length - 1;
    while (!this.#isDecided) {
      if (this.#decide() === NEED) {
        return NEED;
      }
      const leftOut = this.#isCounter ? this.#isLeftOut(level) : END;
      if (leftOut === NEED) {
        return NEED;
      }
      if (leftOut === PIECE) {
        this.#moveTo(this.#last, this.#nextMs[level]!, this.#nextReplica[level]!, this.#nextRow[level]!);
      } else {
        this.#isDecided = true;
      }
    }
    if (this.#staleMarkers !== "drop") {
      const step = this.#nextMarker();
      if (step !== END) {
        return step;
      }
    }
    return this.#nextMs[level] === Infinity ? END : this.#show(level);
  }

  rowsOf(replica: number): Replayed {
    return this.#replicas[replica]!;
  }

  save(_row: number, _fromMs: number, state: SourcesState): void {
    const last = this.#last;
    const lastShown = this.#lastShown;
    const scalars = [this.#shownMs, last.timeMs, last.replica, lastShown.timeMs, lastShown.replica];
    this.#replicas.forEach((scrapes, replica) => {
      scrapes.save(state);
      scalars.push(
        this.#nextMs[replica]!,
        this.#nextReplica[replica]!,
        this.#spacingMs[replica]!,
        scrapes.rowsBefore,
        scrapes.untilMs,
      );
    });
    state.scalars = scalars;
  }

  /** Finds out what each level shows next: PIECE, or NEED. */
  #decide(): Step {
    const replicas = this.#replicas;
    const level = Math.max(this.#last.replica, 0);
    if (this.#find(this.#last) === NEED || this.#find(this.#lastShown) === NEED) {
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
  #find(place: Place): Step {
    if (place.replica >= 0 && place.row < 0) {
      const row = this.#replicas[place.replica]!.rowFrom(place.timeMs);
      if (row === NEEDED) {
        return this.#need(place.replica);
      }
      place.row = row;
    }
    return PIECE;
  }

  #moveTo(place: Place, timeMs: number, replica: number, row: number): void {
    place.timeMs = timeMs;
    place.replica = replica;
    place.row = row;
  }

  /**
   * Counter mode: whether the next sample is left out, PIECE or END, or NEED. It is where the replica changes to a value
   * below the one shown last, unless its replica has a reset of its own since then; for 1.5 intervals at most.
   */
  #isLeftOut(level: number): Step {
    const last = this.#lastShown;
    const nextMs = this.#nextMs[level]!;
    const replica = this.#nextReplica[level]!;
    if (last.replica < 0 || replica === last.replica || nextMs === Infinity) {
      return END;
    }
    const scrapes = this.#replicas[replica]!;
    const row = scrapes.rowFrom(nextMs);
    const from = row === NEEDED ? NEEDED : scrapes.rowFrom(last.timeMs + 1);
    if (from === NEEDED) {
      return this.#need(replica);
    }
    this.#nextRow[level] = row;
    if (!(scrapes.valueOf(row) < this.#replicas[last.replica]!.valueOf(last.row)) || scrapes.hasReset(from, row)) {
      return END;
    }
    let intervalMs = this.#intervalOfGap(last, level);
    if (Number.isNaN(intervalMs)) {
      intervalMs = scrapes.intervalAt(row);
      this.needs = replica;
    }
    if (intervalMs === NEEDED) {
      return NEED;
    }
    return nextMs - last.timeMs <= HOLE_INTERVALS * intervalMs ? PIECE : END;
  }

  /** Level 0: the next live row of replica 0. */
  #follow(): Step {
    const scrapes = this.#replicas[0]!;
    const from = this.#last.replica === 0 ? this.#last.row + 1 : scrapes.firstRow();
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
    const gapEndMs = this.#nextMs[below]!;
    this.#close(level);
    if (this.#last.replica < 0 && gapEndMs === Infinity) {
      // None of the replicas below has a live sample: this one is followed.
      this.#spacingMs[level] = 0;
      return this.#pick(level);
    }
    const isHole = this.#isHole(this.#last, below, NaN);
    if (isHole === NEED || isHole === END) {
      // Fast path: no hole, as between nearly all samples, and so none for the levels above.
      return isHole === NEED ? NEED : PIECE;
    }
    const scrapes = this.#replicas[level]!;
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
    const intervalMs = this.#intervalOfGap(this.#last, below);
    if (Number.isNaN(intervalMs)) {
      // Its replica has one row: the interval of the one that is to fill the gap stands in.
      const isHoleForThis = Number.isNaN(ownMs) ? END : this.#isHole(this.#last, below, ownMs);
      if (isHoleForThis !== PIECE) {
        return isHoleForThis === NEED ? NEED : PIECE;
      }
    }
    this.#spacingMs[level] = ownMs < intervalMs || Number.isNaN(intervalMs) ? ownMs : intervalMs;
    return this.#pickFrom(level, first, firstMs);
  }

  /** The next sample of a level's own replica in its gap, or else what the level below shows next. */
  #pick(level: number): Step {
    const spacingMs = this.#spacingMs[level]!;
    if (spacingMs === CLOSED || !(this.#nextMs[level - 1]! - this.#last.timeMs > HOLE_INTERVALS * spacingMs)) {
      this.#close(level);
      return PIECE;
    }
    const first = this.#firstLiveInGap(this.#replicas[level]!);
    if (first === NEEDED) {
      return this.#need(level);
    }
    return this.#pickFrom(level, first, first === NO_ROW ? Infinity : this.#replicas[level]!.timeOf(first));
  }

  /** As `#pick`, with the first live row after the sample that came last. */
  #pickFrom(level: number, first: number, firstMs: number): Step {
    const spacingMs = this.#spacingMs[level]!;
    const gapEndMs = this.#nextMs[level - 1]!;
    const fromMs = this.#gapStartMs(this.#last);
    if (Number.isNaN(fromMs)) {
      return NEED;
    }
    const apartMs = Math.ceil(APART_INTERVALS * spacingMs);
    const earliestMs = this.#last.timeMs + apartMs;
    const scrapes = this.#replicas[level]!;
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
    if (row === NO_ROW || !(gapEndMs - rowMs >= apartMs && gapEndMs - fromMs > HOLE_INTERVALS * spacingMs)) {
      this.#close(level);
      return PIECE;
    }
    this.#setNext(level, row, rowMs);
    return PIECE;
  }

  #setNext(level: number, row: number, rowMs: number): void {
    this.#nextMs[level] = rowMs;
    this.#nextReplica[level] = level;
    this.#nextRow[level] = row;
  }

  /** Nothing more from a level's own replica in its gap. */
  #close(level: number): void {
    this.#spacingMs[level] = CLOSED;
    this.#nextMs[level] = this.#nextMs[level - 1]!;
    this.#nextReplica[level] = this.#nextReplica[level - 1]!;
    this.#nextRow[level] = this.#nextRow[level - 1]!;
  }

  /**
   * Whether the gap between a sample and a level's next is a hole: PIECE or END, or NEED. Where its interval is
   * not known `otherwiseMs` stands in for it; if that is NaN too the answer is PIECE.
   */
  #isHole(before: Place, level: number, otherwiseMs: number): Step {
    const gapEndMs = this.#nextMs[level]!;
    if (before.replica >= 0 && gapEndMs - before.timeMs <= this.#replicas[before.replica]!.steadyMaxMs(before.row)) {
      return END;
    }
    let intervalMs = this.#intervalOfGap(before, level);
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
  #intervalOfGap(before: Place, level: number): number {
    const isFirst = before.replica < 0;
    if (isFirst && this.#nextMs[level] === Infinity) {
      return NaN;
    }
    const replica = isFirst ? this.#nextReplica[level]! : before.replica;
    const intervalMs = this.#replicas[replica]!.intervalAt(isFirst ? this.#nextRow[level]! : before.row);
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
      for (const scrapes of this.#replicas) {
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
    if (this.#replicas.some((scrapes) => scrapes.reaches(timeMs, false) === PIECE)) {
      return PIECE;
    }
    for (const scrapes of this.#replicas) {
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
    const row = this.#last.replica < 0 ? scrapes.firstRow() : scrapes.rowFrom(this.#last.timeMs + 1);
    return row < 0 ? row : scrapes.nextLive(row);
  }

  /** Shows the next sample of the outermost level, and those after it as long as nothing has to be asked. */
  #show(level: number): Step {
    const replica = this.#nextReplica[level]!;
    const scrapes = this.#replicas[replica]!;
    let row = this.#nextRow[level]!;
    if (row < 0) {
      row = scrapes.rowFrom(this.#nextMs[level]!);
      if (row === NEEDED) {
        return this.#need(replica);
      }
    }
    const timeMs = this.#nextMs[level]!;
    this.#checkTime(scrapes, row, timeMs);
    scrapes.stepTo(row, timeMs);
    const end = this.#passSteady(scrapes, row);
    this.#handOn(scrapes, row, end);
    const lastMs = end - 1 === row ? timeMs : scrapes.timeOf(end - 1);
    this.#moveTo(this.#last, lastMs, replica, end - 1);
    this.#moveTo(this.#lastShown, lastMs, replica, end - 1);
    this.#shownMs = lastMs;
    this.#isDecided = false;
    for (const other of this.#replicas) {
      other.floorMs = lastMs;
    }
    return PIECE;
  }

  /** The end of the rows from `row` on, in one block, that are shown without asking: live, and at a steady pace. */
  #passSteady(scrapes: Scrapes, row: number): number {
    const stretch = scrapes.at(row);
    if (row + 1 === stretch.end) {
      return row + 1;
    }
    const { replica } = scrapes;
    const gapEndMs = replica === 0 ? Infinity : this.#nextMs[replica - 1]!;
    if (scrapes.timeOf(row + 1) >= gapEndMs) {
      return row + 1;
    }
    let mostMs = scrapes.steadyMaxMs(row);
    if (mostMs === -Infinity) {
      if (Number.isNaN(scrapes.intervalAt(row)) || scrapes.steadyRow !== row) {
        return row + 1;
      }
      mostMs = scrapes.steadyMaxMs(row);
    }
    const spacingMs = replica === 0 ? 0 : this.#spacingMs[replica]!;
    const timestamps = stretch.timestamps();
    const first = row + stretch.shift;
    let end = stretch.nextStale(row) + stretch.shift;
    if (gapEndMs !== Infinity) {
      const lastMs = gapEndMs - Math.ceil(APART_INTERVALS * spacingMs);
      const beforeLastMs = gapEndMs - Math.floor(HOLE_INTERVALS * spacingMs) - 1;
      end = seekRow(timestamps, first, end, lastMs + 1);
      end = Math.min(end, seekRow(timestamps, first, end, beforeLastMs + 1) + 1);
    }
    const shortestMs = Math.max(1, APART_INTERVALS * spacingMs);
    let next = first + 1;
    for (;;) {
      const leastMs = Math.max(shortestMs, scrapes.leastDeltaMs);
      next = passSteadyRows(timestamps, next, end, leastMs, scrapes.steadyMaxMs(next - 1 - stretch.shift));
      if (scrapes.steadyRow >= 0) {
        scrapes.steadyRow = next - 1 - stretch.shift;
      }
      if (next === end || !this.#isStep(scrapes, next - stretch.shift, shortestMs)) {
        return next - stretch.shift;
      }
      next++;
    }
  }

  /** Whether a row that does not keep the pace may follow the one before it all the same. */
  #isStep(scrapes: Scrapes, row: number, shortestMs: number): boolean {
    const timeMs = scrapes.timeOf(row);
    const deltaMs = timeMs - scrapes.timeOf(row - 1);
    if (!(deltaMs >= shortestMs) || Math.floor(timeMs) !== timeMs || scrapes.steadyRow !== row - 1) {
      return false;
    }
    if (deltaMs > scrapes.leastDeltaMs && !(deltaMs <= HOLE_INTERVALS * scrapes.intervalAt(row - 1))) {
      return false;
    }
    scrapes.stepTo(row, timeMs);
    return true;
  }

  #handOn(scrapes: Scrapes, row: number, end: number): void {
    const { piece } = this;
    const { block, shift } = scrapes.at(row);
    piece.replica = scrapes.replica;
    piece.block = block;
    piece.start = row + shift;
    piece.end = end + shift;
  }

  /** Shows the next stale marker between the sample shown last and the next one, if there is one to show; END if not. */
  #nextMarker(): Step {
    const level = this.#replicas.length - 1;
    const last = this.#lastShown;
    if (
      last.replica >= 0 &&
      this.#replicas[last.replica]!.isKnownFrom(last.row + 1, this.#nextMs[level]!) &&
      this.#isHole(last, level, NaN) === END
    ) {
      // Fast path: no row of the replica in between and no hole that is left, as between nearly all samples.
      return END;
    }
    if (this.#staleMarkers === "keep") {
      return this.#keepMarker(this.#nextMs[level]!);
    }
    return this.#shownMs > this.#lastShown.timeMs ? END : this.#findMarker(level);
  }

  /** `keep`: the next marker of the replica that gave the sample shown last. */
  #keepMarker(untilMs: number): Step {
    if (this.#lastShown.replica < 0) {
      return END;
    }
    const scrapes = this.#replicas[this.#lastShown.replica]!;
    const from = scrapes.rowFrom(this.#shownMs + 1);
    const row = from < 0 ? from : scrapes.nextStale(from, untilMs);
    return row < 0 ? (row === NEEDED ? this.#need(scrapes.replica) : END) : this.#showMarker(scrapes, row);
  }

  /** `live-wins`: the earliest marker of the gap that no other replica contradicts. */
  #findMarker(level: number): Step {
    const replicas = this.#replicas;
    const isLeft = this.#isHole(this.#lastShown, level, NaN);
    if (isLeft === NEED) {
      return NEED;
    }
    let afterMs = this.#lastShown.timeMs;
    let afterReplica = replicas.length;
    for (;;) {
      let found: Scrapes | undefined;
      let foundRow = NO_ROW;
      let foundMs = this.#nextMs[level]!;
      for (const scrapes of replicas) {
        if (isLeft === END && scrapes.replica !== this.#lastShown.replica) {
          continue;
        }
        const from = scrapes.rowFrom(scrapes.replica > afterReplica ? afterMs : afterMs + 1);
        const row = from < 0 ? from : scrapes.nextStale(from, foundMs);
        if (row === NEEDED) {
          return this.#need(scrapes.replica);
        }
        if (row >= 0) {
          found = scrapes;
          foundRow = row;
          foundMs = scrapes.timeOf(row);
        }
      }
      if (found === undefined) {
        return END;
      }
      const isShown = this.#isMarkerShown(level, found, foundRow);
      if (isShown !== END) {
        return isShown === NEED ? NEED : this.#showMarker(found, foundRow);
      }
      afterMs = foundMs;
      afterReplica = found.replica;
    }
  }

  /** Whether a marker is shown: PIECE or END, or NEED. */
  #isMarkerShown(level: number, scrapes: Scrapes, row: number): Step {
    let intervalMs = this.#intervalOfGap(this.#lastShown, level);
    if (Number.isNaN(intervalMs)) {
      intervalMs = scrapes.intervalAt(row);
      this.needs = scrapes.replica;
    }
    if (intervalMs === NEEDED) {
      return NEED;
    }
    if (Number.isNaN(intervalMs)) {
      return END;
    }
    if (scrapes.replica !== this.#lastShown.replica) {
      const isLeft = this.#isHole(this.#lastShown, level, intervalMs);
      if (isLeft !== PIECE) {
        return isLeft;
      }
    }
    const timeMs = scrapes.timeOf(row);
    for (const other of this.#replicas) {
      if (other !== scrapes) {
        const from = other.rowFrom(timeMs + 1);
        const live = from < 0 ? from : other.nextLive(from);
        if (live === NEEDED) {
          return this.#need(other.replica);
        }
        if (live >= 0 && other.timeOf(live) - timeMs <= HOLE_INTERVALS * intervalMs) {
          return END;
        }
      }
    }
    return PIECE;
  }

  #showMarker(scrapes: Scrapes, row: number): Step {
    const timeMs = scrapes.timeOf(row);
    this.#checkTime(scrapes, row, timeMs);
    this.#handOn(scrapes, row, row + 1);
    this.#shownMs = timeMs;
    return PIECE;
  }

  #need(replica: number): Step {
    this.needs = replica;
    return NEED;
  }

  #checkTime(scrapes: Scrapes, row: number, timeMs: number): void {
    if (!(timeMs > this.#shownMs && timeMs <= TIMESTAMP_MS_MAX && Math.floor(timeMs) === timeMs)) {
      const place = row + scrapes.at(row).shift;
      throw new RangeError(`replica ${scrapes.replica}, row ${place}: ${describeTime(timeMs, this.#shownMs)}`);
    }
  }
}
