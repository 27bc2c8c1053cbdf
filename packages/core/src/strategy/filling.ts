/**
 * The source behind `fill`: shows what the outermost level says comes next, leaves out what counter mode does not want, and
 * puts stale markers in between.
 *
 *     levels     ●────●────●────○────○────────────────●       live samples
 *     markers              ×         ×    ×                   at most one in a gap, that no other replica contradicts
 *     shown      ●────●────●────○────○×───────────────●
 */
import { HOLE, PREFERRED, STALE_MARKER } from "../reason.ts";
import {
  END,
  NEED,
  PIECE,
  Piece,
  type Replayed,
  seekRow,
  type Source,
  type LeftOut,
  type SourcesState,
  type Step,
} from "../source.ts";
import { describeTime, TIMESTAMP_MS_MAX } from "../timestamp.ts";
import type { ReplicaWindow } from "../window.ts";
import { restoreFilling, savedEndMs, saveFilling } from "./filling-state.ts";
import { APART_INTERVALS, HOLE_INTERVALS, Levels, Place } from "./levels.ts";
import { NEEDED, NO_ROW, Scrapes } from "./scrapes.ts";
import { passSteadyRows } from "./steady.ts";

/** What becomes of stale markers; see `FillOptions`. */
export type StaleMarkers = "live-wins" | "keep" | "drop";
export const STALE_MARKERS: readonly StaleMarkers[] = ["live-wins", "keep", "drop"];

export class Filling implements Source {
  readonly piece: Piece = new Piece();
  readonly #levels: Levels;
  readonly #staleMarkers: StaleMarkers;
  readonly #isCounter: boolean;
  /** The live sample shown last: the one that came last, but for what counter mode leaves out. */
  readonly #lastShown: Place;
  /** The time of what was shown last, markers included. */
  #shownMs = -Infinity;
  #isDecided = false;
  #samplesLeftOut = 0;
  #falseResets = 0;

  constructor(
    windows: readonly ReplicaWindow[],
    intervalMs: number,
    staleMarkers: StaleMarkers,
    isCounter: boolean,
    saved: readonly number[] | undefined,
  ) {
    const replicas = windows.map((window, replica) => {
      return new Scrapes(window, intervalMs, isCounter, savedEndMs(saved, replica));
    });
    this.#levels = new Levels(windows, replicas);
    this.#staleMarkers = staleMarkers;
    this.#isCounter = isCounter;
    this.#lastShown = isCounter ? new Place() : this.#levels.last;
    if (saved !== undefined) {
      this.#shownMs = restoreFilling(saved, this.#levels, this.#lastShown);
    }
  }

  get needs(): number {
    return this.#levels.needs;
  }

  next(): Step {
    const level = this.#levels.replicas.length - 1;
    while (!this.#isDecided) {
      if (this.#levels.find(this.#lastShown) === NEED || this.#levels.decide() === NEED) {
        return NEED;
      }
      const leftOut = this.#isCounter ? this.#isLeftOut(level) : END;
      if (leftOut === NEED) {
        return NEED;
      }
      if (leftOut === PIECE) {
        this.#moveTo(
          this.#levels.last,
          this.#levels.nextMs[level]!,
          this.#levels.nextReplica[level]!,
          this.#levels.nextRow[level]!,
        );
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
    return this.#levels.nextMs[level] === Infinity ? END : this.#show(level);
  }

  notes(): LeftOut {
    return {
      samplesLeftOut: this.#samplesLeftOut,
      falseResets: this.#falseResets,
      gapsUnknown: this.#levels.unknownGaps,
    };
  }

  rowsOf(replica: number): Replayed {
    return this.#levels.replicas[replica]!;
  }

  save(_row: number, _fromMs: number, state: SourcesState): void {
    for (const scrapes of this.#levels.replicas) {
      scrapes.save(state);
    }
    state.scalars = saveFilling(this.#levels, this.#shownMs, this.#lastShown);
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
    const nextMs = this.#levels.nextMs[level]!;
    const replica = this.#levels.nextReplica[level]!;
    if (last.replica < 0 || replica === last.replica || nextMs === Infinity) {
      return END;
    }
    const scrapes = this.#levels.replicas[replica]!;
    const row = scrapes.rowFrom(nextMs);
    const from = row === NEEDED ? NEEDED : scrapes.rowFrom(last.timeMs + 1);
    if (from === NEEDED) {
      return this.#need(replica);
    }
    this.#levels.nextRow[level] = row;
    if (
      !(scrapes.valueOf(row) < this.#levels.replicas[last.replica]!.valueOf(last.row)) ||
      scrapes.hasReset(from, row)
    ) {
      return END;
    }
    let intervalMs = this.#levels.intervalOfGap(last, level);
    if (Number.isNaN(intervalMs)) {
      intervalMs = scrapes.intervalAt(row);
      this.#levels.needs = replica;
    }
    if (intervalMs === NEEDED) {
      return NEED;
    }
    if (nextMs - last.timeMs <= HOLE_INTERVALS * intervalMs) {
      this.#samplesLeftOut++;
      return PIECE;
    }
    this.#falseResets++;
    return END;
  }

  /** Shows the next sample of the outermost level, and those after it as long as nothing has to be asked. */
  #show(level: number): Step {
    const replica = this.#levels.nextReplica[level]!;
    const scrapes = this.#levels.replicas[replica]!;
    let row = this.#levels.nextRow[level]!;
    if (row < 0) {
      row = scrapes.rowFrom(this.#levels.nextMs[level]!);
      if (row === NEEDED) {
        return this.#need(replica);
      }
    }
    const timeMs = this.#levels.nextMs[level]!;
    this.#checkTime(scrapes, row, timeMs);
    scrapes.stepTo(row, timeMs);
    const end = this.#passSteady(scrapes, row);
    this.#handOn(scrapes, row, end);
    this.#tellWhy(replica);
    const lastMs = end - 1 === row ? timeMs : scrapes.timeOf(end - 1);
    this.#moveTo(this.#levels.last, lastMs, replica, end - 1);
    this.#moveTo(this.#lastShown, lastMs, replica, end - 1);
    this.#shownMs = lastMs;
    this.#isDecided = false;
    for (const other of this.#levels.replicas) {
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
    const gapEndMs = replica === 0 ? Infinity : this.#levels.nextMs[replica - 1]!;
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
    const spacingMs = replica === 0 ? 0 : this.#levels.spacingMs[replica]!;
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

  #tellWhy(replica: number): void {
    const { piece } = this;
    const spacingMs = this.#levels.spacingMs[replica]!;
    piece.reason = spacingMs > 0 ? HOLE : PREFERRED;
    piece.reasonMs = this.#levels.intervalMs[replica]!;
    piece.reasonSecondMs = spacingMs;
  }

  /** Shows the next stale marker between the sample shown last and the next one, if there is one to show; END if not. */
  #nextMarker(): Step {
    const level = this.#levels.replicas.length - 1;
    const last = this.#lastShown;
    if (
      last.replica >= 0 &&
      this.#levels.replicas[last.replica]!.isKnownFrom(last.row + 1, this.#levels.nextMs[level]!) &&
      this.#levels.isHole(last, level, NaN) === END
    ) {
      // Fast path: no row of the replica in between and no hole that is left, as between nearly all samples.
      return END;
    }
    if (this.#staleMarkers === "keep") {
      return this.#keepMarker(this.#levels.nextMs[level]!);
    }
    return this.#shownMs > this.#lastShown.timeMs ? END : this.#findMarker(level);
  }

  /** `keep`: the next marker of the replica that gave the sample shown last. */
  #keepMarker(untilMs: number): Step {
    if (this.#lastShown.replica < 0) {
      return END;
    }
    const scrapes = this.#levels.replicas[this.#lastShown.replica]!;
    const from = scrapes.rowFrom(this.#shownMs + 1);
    const row = from < 0 ? from : scrapes.nextStale(from, untilMs);
    return row < 0 ? (row === NEEDED ? this.#need(scrapes.replica) : END) : this.#showMarker(scrapes, row);
  }

  /** `live-wins`: the earliest marker of the gap that no other replica contradicts. */
  #findMarker(level: number): Step {
    const replicas = this.#levels.replicas;
    const isLeft = this.#levels.isHole(this.#lastShown, level, NaN);
    if (isLeft === NEED) {
      return NEED;
    }
    let afterMs = this.#lastShown.timeMs;
    let afterReplica = replicas.length;
    for (;;) {
      let found: Scrapes | undefined;
      let foundRow = NO_ROW;
      let foundMs = this.#levels.nextMs[level]!;
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
    let intervalMs = this.#levels.intervalOfGap(this.#lastShown, level);
    if (Number.isNaN(intervalMs)) {
      intervalMs = scrapes.intervalAt(row);
      this.#levels.needs = scrapes.replica;
    }
    if (intervalMs === NEEDED) {
      return NEED;
    }
    if (Number.isNaN(intervalMs)) {
      return END;
    }
    if (scrapes.replica !== this.#lastShown.replica) {
      const isLeft = this.#levels.isHole(this.#lastShown, level, intervalMs);
      if (isLeft !== PIECE) {
        return isLeft;
      }
    }
    const timeMs = scrapes.timeOf(row);
    for (const other of this.#levels.replicas) {
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
    this.piece.reason = STALE_MARKER;
    this.#shownMs = timeMs;
    return PIECE;
  }

  #need(replica: number): Step {
    this.#levels.needs = replica;
    return NEED;
  }

  #checkTime(scrapes: Scrapes, row: number, timeMs: number): void {
    if (!(timeMs > this.#shownMs && timeMs <= TIMESTAMP_MS_MAX && Math.floor(timeMs) === timeMs)) {
      const place = row + scrapes.at(row).shift;
      throw new RangeError(`replica ${scrapes.replica}, row ${place}: ${describeTime(timeMs, this.#shownMs)}`);
    }
  }
}
