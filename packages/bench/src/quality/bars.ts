/** What `fill` has to reach, cell by cell and over all of them, and whether it does. */
import type { Contestant } from "./contestants.ts";
import { type Cell, describeCell, skewMsOf } from "./grid.ts";
import type { CellScores } from "./measure-cell.ts";

/** One thing that must hold, over all cells that it is said of. */
export interface Bar {
  readonly what: string;
  readonly limit: number;
  /** Of how many cells. */
  readonly cells: number;
  /** The worst that was measured, and where; over all cells together there is no where. */
  readonly worst: number;
  readonly worstCell?: string;
  /** The cells that do not reach it, worst first; of a sum, none or all. */
  readonly broken: readonly string[];
}

/** Phases closer than this are held to the lower limit. */
const CLOSE_PHASE = 0.3;
const CLOSE_LIMIT = 0.2;
const FAR_LIMIT = 0.4;
/** Where penalty is no worse than this against the union there is little to gain. */
const WORTH_SHOWING = 0.01;
const NEAR_DUPLICATES_SHARE = 1e-5;
const FLIPS_MISSES_MAX = 0.1;
/** Clocks that are further apart are reported only. */
const SKEW_INTERVALS_MAX = 1 / 3;
const INCREASE_FACTOR = 1.1;

/** The share of what penalty leaves uncovered beyond the union that a strategy leaves uncovered too. */
export function uncoveredRatio({ scores }: CellScores, contestant: Contestant): number {
  const atBest = scores.union.uncovered;
  return (scores[contestant].uncovered - atBest) / (scores.penalty.uncovered - atBest);
}

/** Whether no two clocks are further apart than a third of the interval. */
export function isSkewSmall(cell: Cell): boolean {
  return Math.abs(skewMsOf(cell)) <= SKEW_INTERVALS_MAX * cell.intervalMs;
}

/** All bars, in the order of the report. */
export function judge(results: readonly CellScores[]): Bar[] {
  const worthShowing = results.filter(
    ({ scores }) => scores.penalty.uncovered - scores.union.uncovered > WORTH_SHOWING,
  );
  const withSmallSkew = results.filter(({ cell }) => isSkewSmall(cell));
  const fills = ["fill", "fill given"] as const;
  const counters = ["fill counter", "fill given counter"] as const;
  return [
    ...fills.flatMap((name) => [
      eachCell(
        `${name}: uncovered beyond the union, against penalty, phases closer than ${CLOSE_PHASE}`,
        CLOSE_LIMIT,
        worthShowing.filter((result) => isClose(result)),
        (result) => uncoveredRatio(result, name),
      ),
      eachCell(
        `${name}: uncovered beyond the union, against penalty, other phases`,
        FAR_LIMIT,
        worthShowing.filter((result) => !isClose(result)),
        (result) => uncoveredRatio(result, name),
      ),
    ]),
    eachCell("fill given: near-duplicates", 0, results, ({ scores }) => scores["fill given"].nearDuplicates),
    inAll(
      "fill: near-duplicates a sample, all cells together",
      NEAR_DUPLICATES_SHARE,
      results,
      sum(results.map(({ scores }) => scores.fill.nearDuplicates)) /
        sum(results.map(({ scores }) => scores.fill.samples)),
    ),
    eachCell("fill given: flips of a sliding window", 0, results, ({ scores }) => scores["fill given"].flips),
    eachCell(
      "fill: flips of a sliding window, misses up to 10 %",
      0,
      results.filter(({ cell }) => cell.misses <= FLIPS_MISSES_MAX),
      ({ scores }) => scores.fill.flips,
    ),
    ...counters.flatMap((name) => [
      eachCell(`${name}: false resets, skew to a third`, 0, withSmallSkew, ({ scores }) => scores[name].falseResets),
      eachCell(
        `${name}: error of increase against penalty's, skew to a third`,
        INCREASE_FACTOR,
        withSmallSkew,
        ({ scores }) => scores[name].increaseError / scores.penalty.increaseError,
      ),
      eachCell(
        `${name}: the same where an increase is shown`,
        INCREASE_FACTOR,
        withSmallSkew,
        ({ scores }) => scores[name].increaseErrorWhereShown / scores.penalty.increaseErrorWhereShown,
      ),
    ]),
    ...[...fills, ...counters].map((name) =>
      eachCell(`${name}: flips by order of answers`, 0, results, ({ scores }) => scores[name].flipsByOrder),
    ),
  ];
}

function isClose({ cell }: CellScores): boolean {
  return cell.phase < CLOSE_PHASE;
}

function eachCell(
  what: string,
  limit: number,
  results: readonly CellScores[],
  measure: (result: CellScores) => number,
): Bar {
  const measured = results
    .map((result) => ({ cell: describeCell(result.cell), value: measure(result) }))
    .toSorted((one, other) => other.value - one.value);
  const worst = measured[0];
  return {
    what,
    limit,
    cells: results.length,
    worst: worst?.value ?? 0,
    ...(worst === undefined ? {} : { worstCell: worst.cell }),
    // Not "value > limit", which a NaN would pass.
    broken: measured.filter(({ value }) => !(value <= limit)).map(({ cell, value }) => `${cell}: ${value}`),
  };
}

function inAll(what: string, limit: number, results: readonly CellScores[], value: number): Bar {
  return { what, limit, cells: results.length, worst: value, broken: value <= limit ? [] : [`all cells: ${value}`] };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
