/**
 * A survey of the replicas themselves, whatever the strategy makes of them: what each has, what it misses, what all of them
 * miss together, and where two of them contradict each other.
 *
 *     replica 0   10 ── 12 ── 15            15 ── 19        a hole, which replica 1 could fill
 *     replica 1      11 ── 13 ── 16 ── 17 ── 18
 *     compared       └ between 10 and 12: yes
 *
 * All samples are gone through once in the order of time. Of each replica the last sample and the last deltas are kept.
 */
import type { Block } from "./block.ts";
import { sortBlocks } from "./normalise.ts";
import { END, NEED } from "./source.ts";
import { type Hole, HOLE_MIN, Spacing } from "./spacing.ts";
import { checkBlock } from "./splicer.ts";
import { Heads } from "./strategy/heads.ts";
import { ReplicaWindow } from "./window.ts";

/** What one replica has, or all of them together. */
export interface Completeness {
  /** Samples; of all replicas together the times at which one has a sample. */
  readonly samples: number;
  /** Gaps of more than 1.5 intervals: the first of them, in time order, how many, and how long all of them are together. */
  readonly holes: readonly Hole[];
  readonly holeCount: number;
  readonly holesMs: number;
  /** The time that is later than 1.25 intervals after the last sample, or before the first one. */
  readonly uncoveredMs: number;
}

export interface ReplicaSurvey extends Completeness {
  /** The scrape interval: given, or estimated from the last 16 deltas; NaN where there are not two samples. */
  readonly intervalMs: number;
  /** The mean distance of the deltas from the interval at that time, where they are neither holes nor below half of it. */
  readonly jitterMs: number;
  /** How often a sample of another replica was compared with this one's before and after it, and lay outside. */
  readonly compared: number;
  readonly disagreements: number;
}

export interface Survey {
  /** What was surveyed: from the window's first instant, or the earliest sample without one, to the latest sample in it. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly replicas: readonly ReplicaSurvey[];
  /** All replicas together: a hole here is one that none of them could fill. */
  readonly union: Completeness;
}

export interface SurveyOptions {
  readonly startMs: number;
  readonly endMs: number;
  readonly intervalMs: number | undefined;
  readonly holesMax: number;
}

/** A sample counts as current for so many intervals. */
const REACH = 1.25;
/** Deltas under so many intervals are no scrapes of their own. */
const JITTER_MIN = 0.5;

/** Surveys the blocks of the replicas, which it all decodes. Throws as `splice` does over them. */
export function surveyReplicas(replicas: readonly (readonly Block[])[], options: SurveyOptions): Survey {
  const { startMs, endMs, intervalMs, holesMax } = options;
  const windows = replicas.map((_, replica) => new ReplicaWindow(replica, startMs, endMs));
  const heads = new Heads(windows);
  const blocks = replicas.map((list) => sortBlocks(list).values());
  const tallies = replicas.map(() => new ReplicaTally(intervalMs, holesMax));
  const union = new Tally(holesMax);
  let fromMs = startMs;
  let lastMs = -Infinity;
  let giver: ReplicaTally | undefined;
  for (let step = heads.ensure(); step !== END; step = heads.ensure()) {
    if (step === NEED) {
      const next = blocks[heads.needs]!.next();
      if (next.done === true) {
        windows[heads.needs]!.finish();
      } else {
        checkBlock(heads.needs, next.value);
        windows[heads.needs]!.give(next.value);
      }
      continue;
    }
    const replica = heads.top();
    const row = heads.rows[replica]!;
    const timeMs = heads.rowMs[replica]!;
    const tally = tallies[replica]!;
    fromMs = fromMs === -Infinity ? timeMs : fromMs;
    tally.add(timeMs, valueAt(heads.blocks[replica]!, row), fromMs, tallies);
    if (timeMs > lastMs) {
      const isMeasured = giver !== undefined && giver !== tally && giver.spacing.isKnown;
      union.add(timeMs, lastMs, fromMs, isMeasured ? giver!.spacing.intervalMs() : tally.spacing.intervalMs());
      giver = tally;
      lastMs = timeMs;
    }
    heads.moveTop(row + 1);
  }
  const toMs = lastMs === -Infinity ? fromMs : lastMs;
  return {
    fromMs,
    toMs,
    replicas: tallies.map((tally) => tally.finish(fromMs, toMs)),
    union: union.toCompleteness(),
  };
}

/** The value of a row to compare, NaN of a histogram. */
function valueAt(block: Block, row: number): number {
  return block.kind === "float" ? block.valueAt(row) : NaN;
}

/** Counts samples, holes and time that is not covered. */
class Tally {
  samples: number = 0;
  holeCount: number = 0;
  holesMs: number = 0;
  uncoveredMs: number = 0;
  readonly holes: Hole[] = [];
  readonly #holesMax: number;

  constructor(holesMax: number) {
    this.#holesMax = holesMax;
  }

  /** The next sample, after one at `beforeMs` (−∞ if it is the first); the interval is NaN where it is not known. */
  add(timeMs: number, beforeMs: number, fromMs: number, intervalMs: number): void {
    this.samples++;
    if (beforeMs === -Infinity) {
      this.uncoveredMs += timeMs - fromMs;
      return;
    }
    const gapMs = timeMs - beforeMs;
    if (gapMs > REACH * intervalMs) {
      this.uncoveredMs += gapMs - REACH * intervalMs;
    }
    if (gapMs > HOLE_MIN * intervalMs) {
      this.holeCount++;
      this.holesMs += gapMs;
      if (this.holes.length < this.#holesMax) {
        this.holes.push({ fromMs: beforeMs, toMs: timeMs });
      }
    }
  }

  toCompleteness(): Completeness {
    const { samples, holes, holeCount, holesMs, uncoveredMs } = this;
    return { samples, holes, holeCount, holesMs, uncoveredMs };
  }
}

/** The same of one replica, with what only a replica has. */
class ReplicaTally {
  readonly spacing: Spacing;
  readonly #tally: Tally;
  #lastValue = NaN;
  #jitterSumMs = 0;
  #jitterCount = 0;
  #compared = 0;
  #disagreements = 0;

  constructor(intervalMs: number | undefined, holesMax: number) {
    this.spacing = new Spacing(intervalMs);
    this.#tally = new Tally(holesMax);
  }

  /** The replica's next sample; the others have been read up to its time. */
  add(timeMs: number, value: number, fromMs: number, all: readonly ReplicaTally[]): void {
    const beforeMs = this.spacing.lastMs;
    const beforeValue = this.#lastValue;
    this.spacing.step(timeMs);
    const intervalMs = this.spacing.intervalMs();
    this.#tally.add(timeMs, beforeMs, fromMs, intervalMs);
    this.#lastValue = value;
    const deltaMs = timeMs - beforeMs;
    if (deltaMs > HOLE_MIN * intervalMs || deltaMs === Infinity) {
      return;
    }
    if (deltaMs >= JITTER_MIN * intervalMs) {
      this.#jitterSumMs += Math.abs(deltaMs - intervalMs);
      this.#jitterCount++;
    }
    // A counter that was not reset has been nowhere else than between its values before and after.
    if (beforeValue <= value) {
      for (const other of all) {
        if (other !== this && other.spacing.lastMs >= beforeMs) {
          this.#compare(other.#lastValue, beforeValue, value);
        }
      }
    }
  }

  finish(fromMs: number, toMs: number): ReplicaSurvey {
    const { spacing } = this;
    const tally = this.#tally;
    if (tally.samples === 0) {
      tally.uncoveredMs = Number.isFinite(toMs - fromMs) ? toMs - fromMs : 0;
    } else if (spacing.isKnown) {
      tally.uncoveredMs += Math.max(0, toMs - spacing.lastMs - REACH * spacing.intervalMs());
    }
    return {
      ...tally.toCompleteness(),
      intervalMs: spacing.intervalMs(),
      jitterMs: this.#jitterSumMs / this.#jitterCount,
      compared: this.#compared,
      disagreements: this.#disagreements,
    };
  }

  /** Compares another replica's last value with the two around it. */
  #compare(value: number, beforeValue: number, afterValue: number): void {
    if (!Number.isNaN(value)) {
      this.#compared++;
      this.#disagreements += value < beforeValue || value > afterValue ? 1 : 0;
    }
  }
}
