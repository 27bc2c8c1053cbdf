/** What is measured of a spliced counter and gauge, and what counts as a flip. */
import { fill, penalty } from "@promsplice/core";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { judge } from "../src/quality/bars.ts";
import { countFalseResets, increaseOf, makeQuestions, measureGauge, measureIncrease } from "../src/quality/counting.ts";
import { countFlips, drawSlides, showSame } from "../src/quality/flips.ts";
import { type Cell, wholeGrid } from "../src/quality/grid.ts";
import { measureCell } from "../src/quality/measure-cell.ts";
import { countFlipsByOrder } from "../src/quality/order.ts";
import { blocksOf, liveRows, lowerBound, type Outcome, spliceOutcome } from "../src/quality/outcome.ts";
import { makeScrapes, type Scraped } from "../src/quality/scrapes.ts";
import { makeTruth } from "../src/quality/truth.ts";
import { seededRandom } from "../src/fixtures.ts";

const CELL: Cell = {
  intervalMs: 15_000,
  misses: 0.1,
  phase: 0.3,
  delay: 0.02,
  skew: { amount: 0, unit: "intervals" },
  replicas: 2,
};

const outcomeOf = (rows: readonly (readonly [timeMs: number, value: number, replica: number])[]): Outcome => ({
  timestamps: Float64Array.from(rows, ([timeMs]) => timeMs),
  values: Float64Array.from(rows, ([, value]) => value),
  replicas: Uint8Array.from(rows, ([, , replica]) => replica),
  isStale: new Uint8Array(rows.length),
});

const replicaWithSkew = (skewMs: number): Scraped => ({
  columns: { timestamps: new Float64Array(), values: new Float64Array() },
  isStale: new Uint8Array(),
  skewMs,
});

test("a drop that a reset explains is no false reset, and a reset explains one drop", () => {
  const truth = makeTruth(0, 1_000, 0, Float64Array.of(2_500));
  const clocks = [replicaWithSkew(0), replicaWithSkew(2_000)];
  const count = (rows: readonly (readonly [number, number, number])[]) =>
    countFalseResets(outcomeOf(rows), clocks, truth);
  expect(
    count([
      [1_000, 100, 0],
      [2_000, 200, 0],
      [3_000, 50, 0],
    ]),
  ).toBe(0);
  expect(
    count([
      [1_000, 100, 0],
      [2_000, 90, 0],
      [3_000, 50, 0],
    ]),
  ).toBe(1);
  // The second replica's clock is ahead: at 4,000 it still shows what was there at 2,000.
  expect(
    count([
      [2_000, 200, 0],
      [3_000, 50, 0],
      [4_000, 200, 1],
      [5_000, 250, 0],
      [5_100, 60, 1],
    ]),
  ).toBe(1);
});

test("increase is Prometheus': over the resets, and extrapolated to the window's edges", () => {
  const timestamps = Float64Array.of(1_000, 2_000, 3_000, 4_000);
  // 10 + 5 + 10 in 3 s, and half a second more at either end, within 1.1 distances: 25 × 4 / 3.
  expect(increaseOf(timestamps, Float64Array.of(100, 110, 5, 15), 0, 4, 500, 4_500)).toBeCloseTo(100 / 3);
  // Further than 1.1 distances from the edges: half a distance at each.
  expect(increaseOf(timestamps, Float64Array.of(100, 110, 120, 130), 0, 4, -5_000, 9_000)).toBeCloseTo(40);
  // A counter that began at 2 a moment ago is followed down to 0, 0.2 s before.
  expect(increaseOf(timestamps, Float64Array.of(2, 12, 22, 32), 0, 4, 0, 4_000)).toBeCloseTo(32);
});

test("a replica without a miss shows next to no error, and silence is an error of 1", () => {
  const truth = makeTruth(0, 1_000, 0.5, new Float64Array());
  const questions = makeQuestions(truth, 1_000, 0, 100_000);
  const whole = outcomeOf(
    Array.from({ length: 101 }, (_, row) => [row * 1_000, truth.totalAt(row * 1_000), 0] as const),
  );
  const { mean, shownShare } = measureIncrease(whole, questions);
  expect(mean).toBeLessThan(0.02);
  expect(shownShare).toBe(1);
  expect(measureGauge(whole, [replicaWithSkew(0)], truth, questions)).toBeLessThan(0.05);
  const half = { ...whole, timestamps: whole.timestamps.subarray(0, 51) };
  expect(measureIncrease(half, questions).mean).toBeCloseTo(0.48, 1);
  expect(measureGauge(half, [replicaWithSkew(0)], truth, questions)).toBeGreaterThan(0.4);
});

test("outcomes are the same where times and replicas are, both ends included", () => {
  const rows = [
    [10, 0, 0],
    [20, 0, 1],
    [30, 0, 0],
  ] as const;
  expect(showSame(outcomeOf(rows), outcomeOf(rows), 0, 100)).toBe(true);
  expect(showSame(outcomeOf(rows), outcomeOf(rows.slice(1)), 10, 30)).toBe(false);
  expect(showSame(outcomeOf(rows), outcomeOf(rows.slice(1)), 11, 30)).toBe(true);
  expect(showSame(outcomeOf(rows), outcomeOf(rows.slice(0, 2)), 10, 30)).toBe(false);
  expect(showSame(outcomeOf(rows), outcomeOf(rows.slice(0, 2)), 10, 29)).toBe(true);
  expect(showSame(outcomeOf(rows), outcomeOf([rows[0], [20, 0, 0], rows[2]]), 10, 30)).toBe(false);
});

test("an outcome has the rows that lie in the window, and live rows are those without markers", () => {
  const { replicas } = makeScrapes(CELL, 500, 3);
  const [first] = replicas as [Scraped];
  const { timestamps } = first.columns;
  const options = { startMs: timestamps[100]!, endMs: timestamps[200]! };
  const outcome = spliceOutcome([first], blocksOf([first]), penalty(), options);
  expect(outcome.timestamps).toEqual(timestamps.subarray(100, 201));
  const markers = first.isStale.subarray(100, 201).reduce((sum, stale) => sum + stale, 0);
  expect(liveRows(outcome).timestamps).toHaveLength(101 - markers);
});

test("the lower bound is the first row that is not before", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 })), fc.integer({ min: -1, max: 21 }), (numbers, timeMs) => {
      const timestamps = Float64Array.from(numbers).toSorted();
      expect(lowerBound(timestamps, timeMs)).toBe(timestamps.filter((time) => time < timeMs).length);
    }),
  );
});

test("half of the slides lose a sample at the left, half win one at the right", () => {
  const scrapes = makeScrapes(CELL, 2_000, 5);
  const times = scrapes.replicas.flatMap(({ columns }) => [...columns.timestamps]);
  drawSlides(scrapes, CELL.intervalMs, 40, seededRandom(1)).forEach(({ startMs, endMs }, index) => {
    const isPassed =
      index % 2 === 0
        ? (time: number) => time >= startMs && time < startMs + 1_000
        : (time: number) => time > endMs && time <= endMs + 1_000;
    expect(times.some((time) => isPassed(time))).toBe(true);
  });
});

test("flips are counted where there are some, and none where there are none", async () => {
  const scrapes = makeScrapes(CELL, 4_000, 5);
  const { replicas } = scrapes;
  const slides = drawSlides(scrapes, CELL.intervalMs, 40, seededRandom(1));
  const count = (strategy: ReturnType<typeof penalty>) =>
    countFlips(replicas, blocksOf(replicas), strategy, slides, CELL.intervalMs, 0).ofLiveSamples;
  expect(count(penalty())).toBeGreaterThan(0);
  expect(count(fill({ intervalMs: CELL.intervalMs }))).toBe(0);
  const { startMs, endMs } = slides[0]!;
  expect(await countFlipsByOrder(replicas, penalty(), startMs, endMs, 5, seededRandom(2))).toBe(0);
});

test("a cell measured twice is the same, and a bar that is broken is named", async () => {
  const extent = { scrapes: 600, seeds: 2, slides: 4, orders: 2 };
  const cell = wholeGrid().find(({ misses, phase }) => misses === 0.3 && phase === 0.13)!;
  const result = await measureCell(cell, extent);
  expect(await measureCell(cell, extent)).toEqual(result);
  const { union, penalty: ofPenalty, fill: ofFill } = result.scores;
  expect(union.uncovered).toBeLessThanOrEqual(result.optimum);
  expect(ofPenalty.uncovered).toBeGreaterThan(ofFill.uncovered);
  const worse = { ...result, scores: { ...result.scores, fill: { ...ofFill, uncovered: ofPenalty.uncovered } } };
  const broken = judge([worse]).filter((bar) => bar.broken.length > 0);
  expect(broken.map(({ what, worst }) => [what, worst])).toContainEqual([
    "fill: uncovered beyond the union, against penalty, phases closer than 0.3",
    1,
  ]);
});
