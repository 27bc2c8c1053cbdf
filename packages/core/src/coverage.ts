/**
 * `coverage`: how well a spliced series covers the time, gathered from the runs while they are handed out.
 *
 *     const seen = coverage({ level: "splice" });
 *     dedup(replicas, penalty(), { coverage: seen });
 *     seen.holes   [{ fromMs: 45000, toMs: 92000 }]     neighbouring samples more than 1.5 intervals apart
 */
import type { Block } from "./block.ts";
import type { Run } from "./run.ts";
import { type Hole, HOLE, NEAR_DUPLICATE, skipUsualRows, Spacing } from "./spacing.ts";
import { describe } from "./splice-error.ts";
import { type Survey, surveyReplicas } from "./survey.ts";

export interface CoverageOptions {
  /**
   * `splice`: from the spliced series alone. `replicas`: all replicas are surveyed as well, see {@link Coverage.survey}; their
   * blocks are taken from the iterables before the first step, so `spliceAsync` refuses it.
   */
  readonly level: "splice" | "replicas";
  /** The scrape interval in ms, if it is known; otherwise it is estimated, see {@link coverage}. */
  readonly intervalMs?: number;
  /** How many holes are kept; those after them are only counted. 100 by default. */
  readonly holesMax?: number;
}

/** What a replica gave to the spliced series. */
export interface ReplicaShare {
  /** Its samples in the spliced series. */
  readonly samples: number;
  /** Rows of its blocks that were taken in: whole blocks that reach into the window, so an upper bound at its ends. */
  readonly rowsGiven: number;
}

const HOLES_MAX = 100;

/**
 * Makes a collector to be given to a splice as `coverage`. Read it at any time: it then tells about what has been handed out
 * so far. Given to one splice after the other it adds them up.
 *
 * *Hole*: a gap of more than 1.5 intervals; *near-duplicate*: one of less than 0.45. A gap is measured by the interval of the
 * replica that gave the sample before it: `intervalMs`, or an estimate from the last 16 times between that replica's samples
 * in the spliced series, as many as there are, this gap included. (Of these the mean of those that are at most 1.5 × their
 * 20 % quantile.) Where it has none yet the replica after the gap stands in, and then the first one that had any. So a first
 * gap that is itself a hole cannot be told.
 *
 * It reads each timestamp of the spliced series, about a nanosecond where they are steady, so blocks that would be passed on
 * undecoded are decoded. Memory does not grow with the series.
 *
 * @throws TypeError or RangeError if an option is none.
 */
export function coverage(options: CoverageOptions): Coverage {
  const { level, intervalMs, holesMax = HOLES_MAX } = options;
  if (level !== "splice" && level !== "replicas") {
    throw new TypeError(`coverage: level must be "splice" or "replicas", got ${describe(level)}`);
  }
  if (intervalMs !== undefined && !(typeof intervalMs === "number" && intervalMs > 0 && intervalMs < Infinity)) {
    throw new RangeError(`coverage: intervalMs must be a positive number, got ${describe(intervalMs)}`);
  }
  if (!(Number.isInteger(holesMax) && holesMax >= 0)) {
    throw new RangeError(`coverage: holesMax must be a whole number from 0 on, got ${describe(holesMax)}`);
  }
  return new Coverage(level, intervalMs, holesMax);
}

/** See {@link coverage}. */
export class Coverage {
  readonly level: "splice" | "replicas";
  /** At level `replicas`: what the replicas of the last splice have, whatever the strategy makes of them. */
  survey: Survey | undefined = undefined;
  /** Samples of the spliced series. */
  samples: number = 0;
  /** Neighbouring samples from different replicas. */
  switches: number = 0;
  nearDuplicates: number = 0;
  /** The first holes, in time order, how many there were, and how long all of them are together. */
  readonly holes: readonly Hole[];
  holeCount: number = 0;
  holesMs: number = 0;
  readonly replicas: readonly ReplicaShare[];
  readonly #holes: Hole[] = [];
  readonly #holesMax: number;
  readonly #replicas: { samples: number; rowsGiven: number }[] = [];
  readonly #intervalMs: number | undefined;
  /** By replica. */
  #spacings: Spacing[] = [];
  /** The first of them that had a measure for gaps, and the gaps before it had, at most one a replica. */
  #firstKnown: Spacing | undefined = undefined;
  #unjudged: Hole[] = [];
  /** The replica of the last sample, −1 before the first one of a splice. */
  #replica = -1;

  /** @internal */
  constructor(level: "splice" | "replicas", intervalMs: number | undefined, holesMax: number) {
    this.level = level;
    this.#intervalMs = intervalMs;
    this.#holesMax = holesMax;
    this.holes = this.#holes;
    this.replicas = this.#replicas;
  }

  /** Rows that were taken in and are not in the spliced series, see {@link ReplicaShare.rowsGiven}. */
  get rowsDropped(): number {
    return this.#replicas.reduce((sum, { rowsGiven }) => sum + rowsGiven, 0) - this.samples;
  }

  /**
   * A splice of so many replicas begins.
   *
   * @internal
   */
  begin(replicas: number): void {
    this.#spacings = [];
    this.#firstKnown = undefined;
    this.#unjudged = [];
    this.#replica = -1;
    if (replicas > 0) {
      this.#know(replicas - 1);
    }
  }

  /**
   * Surveys the replicas.
   *
   * @internal
   */
  readReplicas(replicas: readonly (readonly Block[])[], startMs: number, endMs: number): void {
    this.survey = surveyReplicas(replicas, { startMs, endMs, intervalMs: this.#intervalMs, holesMax: this.#holesMax });
  }

  /**
   * Takes note of a block that is given.
   *
   * @internal
   */
  give(replica: number, block: Block): void {
    this.#know(replica);
    this.#replicas[replica]!.rowsGiven += block.count;
  }

  /**
   * Takes a run that is handed out.
   *
   * @internal
   */
  add({ replica, block, start, end }: Run): void {
    const timestamps = block.timestamps();
    const spacing = this.#spacings[replica]!;
    this.samples += end - start;
    this.#replicas[replica]!.samples += end - start;
    this.#step(replica, timestamps[start]!);
    for (let row = start + 1; row < end; row++) {
      // Fast path: distances between the bounds within which the interval lies, as those of a steady replica are.
      const usualEnd = skipUsualRows(timestamps, row, end, spacing.leastMs, spacing.mostMs);
      if (usualEnd > row) {
        spacing.stepUsual(timestamps, row, usualEnd);
        row = usualEnd;
      }
      if (row < end) {
        this.#step(replica, timestamps[row]!);
      }
    }
  }

  /** Makes room for a replica and those before it. */
  #know(replica: number): void {
    while (this.#replicas.length <= replica) {
      this.#replicas.push({ samples: 0, rowsGiven: 0 });
    }
    while (this.#spacings.length <= replica) {
      this.#spacings.push(new Spacing(this.#intervalMs));
    }
  }

  /** The next sample of the spliced series. */
  #step(replica: number, timeMs: number): void {
    const spacing = this.#spacings[replica]!;
    const before = this.#replica === -1 ? undefined : this.#spacings[this.#replica]!;
    const beforeMs = before?.lastMs ?? timeMs;
    spacing.step(timeMs);
    if (this.#firstKnown === undefined && spacing.isKnown) {
      this.#firstKnown = spacing;
      this.#unjudged.forEach(({ fromMs, toMs }) => this.#judge(fromMs, toMs, spacing));
      this.#unjudged = [];
    }
    if (before !== undefined) {
      this.switches += replica === this.#replica ? 0 : 1;
      const measure = before.isKnown ? before : spacing.isKnown ? spacing : this.#firstKnown;
      if (measure === undefined) {
        this.#unjudged.push({ fromMs: beforeMs, toMs: timeMs });
      } else {
        this.#judge(beforeMs, timeMs, measure);
      }
    }
    this.#replica = replica;
  }

  #judge(fromMs: number, toMs: number, spacing: Spacing): void {
    const verdict = spacing.judge(toMs - fromMs);
    if (verdict === NEAR_DUPLICATE) {
      this.nearDuplicates++;
    } else if (verdict === HOLE) {
      this.holeCount++;
      this.holesMs += toMs - fromMs;
      if (this.#holes.length < this.#holesMax) {
        this.#holes.push({ fromMs, toMs });
      }
    }
  }
}
