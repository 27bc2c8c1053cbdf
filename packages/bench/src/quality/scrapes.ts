/**
 * Replicas that scrape the truth, as Prometheus servers do.
 *
 *     schedule     │·········│·········│·········│·········│·········│      every interval, at the replica's own phase
 *     replica 0    ●         ●         ✕         m                   ●      ✕ missed, m a failed scrape's stale marker
 *     replica 1       ○        ○          ○         ○         ○             each scrape late by some delay
 *
 * - A missed scrape leaves nothing, or, one in four, a stale marker, as one that failed does, if the series was there before.
 * - Restarts: a replica is away for some intervals, without a marker, and goes on at the same phase (Prometheus takes it from
 *   a hash).
 * - Outages: the target cannot be reached, by one replica or by all, and the first failed scrape leaves a marker. After one
 *   of all the target has started anew: its counter is 0 at the end of the outage. It is also reset now and then between.
 * - A replica's clock may be ahead: its timestamps are the true time plus the skew. Phases are those of the timestamps.
 */
import type { Columns } from "@promsplice/core";
import { seededRandom } from "../fixtures.ts";
import { type Cell, skewMsOf } from "./grid.ts";
import { counterAt, makeTruth, type Truth } from "./truth.ts";

/** One replica's counter. The gauge has the same timestamps. */
export interface Scraped {
  readonly columns: Columns;
  /** 1 where the row is a stale marker. */
  readonly isStale: Uint8Array;
  readonly skewMs: number;
}

export interface Scrapes {
  readonly truth: Truth;
  /** In order of priority. */
  readonly replicas: readonly Scraped[];
  /** Within these, on the replicas' clocks, every replica scrapes. */
  readonly firstMs: number;
  readonly lastMs: number;
}

const START_MS = 1_700_000_000_000;
/** Where each replica stands, in phases, and how far its clock is ahead, in skews: no two are further apart than one. */
const PHASE_FACTORS = [0, 1, 2];
const SKEW_FACTORS = [0, 1, 0.5];
/** Once in so many scrapes, on the average: of one replica, of one replica, of the target, of the target. */
const RESTART_EVERY = 1_000;
const UNREACHABLE_EVERY = 1_500;
const TARGET_AWAY_EVERY = 2_500;
const RESET_EVERY = 600;
const SHARE_WITH_MARKER = 0.25;

const STALE = Uint32Array.of(2, 0x7ff00000);

/** Which scrapes, or intervals of the true time, an absence takes: a half-open range of their numbers. */
interface Absence {
  readonly first: number;
  readonly end: number;
}

/** As many scrapes of each replica as said, missed ones included. The same arguments give the same scrapes. */
export function makeScrapes(cell: Cell, scrapes: number, seed: number): Scrapes {
  const { intervalMs } = cell;
  const random = seededRandom(seed);
  const startMs = START_MS + Math.floor(random() * intervalMs);
  const targetAway = drawAbsences(random, scrapes, TARGET_AWAY_EVERY, 2, 12);
  const resetsMs = [
    ...targetAway.map(({ end }) => startMs + (end - 0.75) * intervalMs),
    ...drawAbsences(random, scrapes, RESET_EVERY, 1, 1).map(({ first }) => startMs + (first + random()) * intervalMs),
  ];
  const truth = makeTruth(startMs, intervalMs, random(), Float64Array.from(resetsMs, Math.floor).toSorted());
  return {
    truth,
    replicas: Array.from({ length: cell.replicas }, (_, replica) =>
      scrapeTruth(cell, replica, scrapes, startMs, truth, targetAway, random),
    ),
    firstMs: startMs + 2 * intervalMs,
    lastMs: startMs + (scrapes - 2) * intervalMs,
  };
}

function scrapeTruth(
  cell: Cell,
  replica: number,
  scrapes: number,
  startMs: number,
  truth: Truth,
  targetAway: readonly Absence[],
  random: () => number,
): Scraped {
  const { intervalMs, misses, phase, delay } = cell;
  const skewMs = Math.round(SKEW_FACTORS[replica]! * skewMsOf(cell));
  const phaseMs = Math.round(((PHASE_FACTORS[replica]! * phase) % 1) * intervalMs);
  const restarts = markAbsences(scrapes, drawAbsences(random, scrapes, RESTART_EVERY, 1, 8));
  const unreachable = markAbsences(scrapes, drawAbsences(random, scrapes, UNREACHABLE_EVERY, 1, 40));
  const away = markAbsences(scrapes, targetAway);
  const timestamps = new Float64Array(scrapes);
  const values = new Float64Array(scrapes);
  const words = new Uint32Array(values.buffer);
  const isStale = new Uint8Array(scrapes);
  let isThere = false;
  let rows = 0;
  for (let scrape = 0; scrape < scrapes; scrape++) {
    const timestamp = startMs + scrape * intervalMs + phaseMs + Math.floor(random() * delay * intervalMs);
    const trueMs = timestamp - skewMs;
    const isMissed = random() < misses;
    const hasMarker = random() < SHARE_WITH_MARKER;
    if (restarts[scrape] === 1) {
      // What a server no longer knows it does not mark as gone.
      isThere = false;
      continue;
    }
    const isAway = away[Math.floor((trueMs - startMs) / intervalMs)] === 1;
    const isFailed = isAway || unreachable[scrape] === 1 || (isMissed && hasMarker);
    if (isFailed ? !isThere : isMissed) {
      continue;
    }
    timestamps[rows] = timestamp;
    if (isFailed) {
      words.set(STALE, 2 * rows);
      isStale[rows] = 1;
    } else {
      values[rows] = counterAt(truth, trueMs);
    }
    isThere = !isFailed;
    rows++;
  }
  return {
    columns: { timestamps: timestamps.slice(0, rows), values: values.slice(0, rows) },
    isStale: isStale.slice(0, rows),
    skewMs,
  };
}

/** About one in `every` scrapes, `shortest` to `longest` scrapes long, none at the very start. They may overlap. */
function drawAbsences(
  random: () => number,
  scrapes: number,
  every: number,
  shortest: number,
  longest: number,
): Absence[] {
  const absences: Absence[] = [];
  let first = 0;
  for (;;) {
    first += 1 + Math.floor(2 * every * random());
    if (first + longest >= scrapes) {
      return absences;
    }
    absences.push({ first, end: first + shortest + Math.floor((longest - shortest + 1) * random()) });
  }
}

/** By scrape: 1 where it is in some absence. */
function markAbsences(scrapes: number, absences: readonly Absence[]): Uint8Array {
  const marks = new Uint8Array(scrapes);
  for (const { first, end } of absences) {
    marks.fill(1, first, end);
  }
  return marks;
}
