/**
 * The grid of the benchmark of quality: a cell says how a pair, or three, scrape one target.
 *
 *     phase 0.13, delays to 25 %      replica 0   ●──────────●───────────●──────────●       one interval = 1
 *                                     replica 1    ·○─────────·─○────────·○─────────        0.13 later, and up to 0.25 late
 */
import { seededRandom } from "../fixtures.ts";

/** How far the second replica's clock is ahead of the first one's: so many intervals, or so many seconds; a third is half as far. */
interface Skew {
  readonly amount: number;
  readonly unit: "intervals" | "seconds";
}

export interface Cell {
  readonly intervalMs: number;
  /** The share of scrapes that each replica misses by itself. */
  readonly misses: number;
  /** How long after the first replica the second one's timestamps stand, skew included, in intervals. */
  readonly phase: number;
  /** A scrape is late by up to so many intervals. */
  readonly delay: number;
  readonly skew: Skew;
  readonly replicas: number;
}

const INTERVALS_MS = [1_000, 15_000, 60_000, 300_000];
export const MISSES: readonly number[] = [0, 0.01, 0.1, 0.3, 0.6];
export const PHASES: readonly number[] = [0.02, 0.13, 0.3, 0.49, 0.7];
const DELAYS = [0, 0.02, 0.25];
const SKEWS: readonly Skew[] = [
  { amount: 0, unit: "intervals" },
  { amount: 0.3, unit: "intervals" },
  { amount: -0.3, unit: "intervals" },
  { amount: 3, unit: "seconds" },
  { amount: -3, unit: "seconds" },
];
const REPLICAS = [2, 3];
const SEED_OF_THE_TENTH = 20;

/** All cells, in a fixed order. */
export function wholeGrid(): Cell[] {
  return INTERVALS_MS.flatMap((intervalMs) =>
    MISSES.flatMap((misses) =>
      PHASES.flatMap((phase) =>
        DELAYS.flatMap((delay) =>
          SKEWS.flatMap((skew) => REPLICAS.map((replicas) => ({ intervalMs, misses, phase, delay, skew, replicas }))),
        ),
      ),
    ),
  );
}

/** A tenth of the cells, always the same ones, drawn at random, in the order of the grid. */
export function tenthOfGrid(): Cell[] {
  const random = seededRandom(SEED_OF_THE_TENTH);
  const drawn = wholeGrid().map((cell, index) => ({ cell, index, lot: random() }));
  const chosen = drawn.toSorted((one, other) => one.lot - other.lot).slice(0, drawn.length / 10);
  return chosen.toSorted((one, other) => one.index - other.index).map(({ cell }) => cell);
}

/** In ms. */
export function skewMsOf({ skew, intervalMs }: Cell): number {
  return Math.round(skew.unit === "intervals" ? skew.amount * intervalMs : skew.amount * 1_000);
}

/** A cell in a few words: `15 s, 10 % missed, phase 0.13, delay 25 %, skew +0.3 intervals, 2 replicas`. */
export function describeCell({ intervalMs, misses, phase, delay, skew, replicas }: Cell): string {
  const clock = skew.amount === 0 ? "0" : `${skew.amount > 0 ? "+" : ""}${skew.amount} ${skew.unit}`;
  const times = `phase ${phase}, delay ${percent(delay)}, skew ${clock}`;
  return `${intervalMs / 1_000} s, ${percent(misses)} missed, ${times}, ${replicas} replicas`;
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
