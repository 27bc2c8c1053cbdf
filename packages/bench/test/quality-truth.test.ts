/** The truth, and the replicas that scrape it. */
import { describe, expect, test } from "vitest";
import { type Cell, describeCell, skewMsOf, tenthOfGrid, wholeGrid } from "../src/quality/grid.ts";
import { makeScrapes } from "../src/quality/scrapes.ts";
import { counterAt, GAUGE_REACH, generationAt, makeTruth } from "../src/quality/truth.ts";

const CELL: Cell = {
  intervalMs: 15_000,
  misses: 0.1,
  phase: 0.3,
  delay: 0.02,
  skew: { amount: 3, unit: "seconds" },
  replicas: 3,
};
const SCRAPES = 8_000;

describe("the truth", () => {
  const truth = makeTruth(1_000_000, 1_000, 0.3, Float64Array.of(1_010_000, 1_500_000));

  test("counts 100 an interval on the average, never backwards, and 50 to 150 in any one", () => {
    const waves = 20 * 211;
    expect(truth.totalAt(1_000_000 + waves * 1_000)).toBeCloseTo(100 * waves, -1);
    for (let timeMs = 1_000_000; timeMs < 1_400_000; timeMs += 1_000) {
      const counted = truth.totalAt(timeMs + 1_000) - truth.totalAt(timeMs);
      expect(counted).toBeGreaterThanOrEqual(49);
      expect(counted).toBeLessThanOrEqual(151);
      expect(Math.abs(truth.gaugeAt(timeMs))).toBeLessThanOrEqual(GAUGE_REACH);
    }
  });

  test("a counter starts from 0 at its resets", () => {
    expect([1_009_999, 1_010_000, 1_499_999, 1_500_000].map((timeMs) => generationAt(truth, timeMs))).toEqual([
      0, 1, 1, 2,
    ]);
    expect(counterAt(truth, 1_009_999)).toBe(truth.totalAt(1_009_999));
    expect(counterAt(truth, 1_010_000)).toBe(0);
    expect(counterAt(truth, 1_499_999)).toBeGreaterThan(40_000);
    expect(counterAt(truth, 1_500_000)).toBe(0);
  });
});

describe("the scrapes", () => {
  const { replicas, truth, firstMs } = makeScrapes(CELL, SCRAPES, 7);

  test("the same seed gives the same, another one another", () => {
    const again = makeScrapes(CELL, SCRAPES, 7);
    const other = makeScrapes(CELL, SCRAPES, 8);
    expect(again.replicas.map(({ columns }) => columns.timestamps)).toEqual(
      replicas.map(({ columns }) => columns.timestamps),
    );
    expect(other.replicas[0]!.columns.timestamps).not.toEqual(replicas[0]!.columns.timestamps);
  });

  test("timestamps stand at the replica's phase, late by the delay at most, and grow", () => {
    replicas.forEach(({ columns: { timestamps } }, replica) => {
      timestamps.forEach((timestamp, row) => {
        const late = ((((timestamp - firstMs) / CELL.intervalMs - replica * CELL.phase) % 1) + 1) % 1;
        // Exactly in time may come out as a hair before.
        expect(Math.min(late, 1 - late < 1e-6 ? 0 : late)).toBeLessThan(CELL.delay);
        expect(row === 0 || timestamp > timestamps[row - 1]!).toBe(true);
      });
    });
  });

  test("live values are the counter's at the true time, which a clock that is ahead is later than", () => {
    expect(replicas.map(({ skewMs }) => skewMs)).toEqual([0, 3_000, 1_500]);
    for (const { columns, isStale, skewMs } of replicas) {
      columns.timestamps.forEach((timestamp, row) => {
        if (isStale[row] === 0) {
          expect(columns.values[row]).toBe(counterAt(truth, timestamp - skewMs));
        }
      });
    }
  });

  test("stale markers have their bits, never two in a row, and come with outages and one miss in four", () => {
    for (const { columns, isStale } of replicas) {
      const words = new Uint32Array(columns.values.buffer);
      isStale.forEach((stale, row) => {
        expect(words[2 * row] === 2 && words[2 * row + 1] === 0x7ff00000).toBe(stale === 1);
        expect(stale === 1 && isStale[row - 1] === 1).toBe(false);
      });
      const markers = isStale.reduce((sum, stale) => sum + stale, 0);
      expect(markers).toBeGreaterThan(0.7 * 0.25 * CELL.misses * SCRAPES);
      expect(markers).toBeLessThan(1.1 * 0.25 * CELL.misses * SCRAPES);
    }
  });

  test("a tenth is missed, and a little more than that is away", () => {
    for (const { isStale } of replicas) {
      const live = isStale.reduce((sum, stale) => sum + 1 - stale, 0);
      expect(live).toBeLessThan(0.9 * SCRAPES);
      expect(live).toBeGreaterThan(0.85 * SCRAPES);
    }
  });

  test("the counter is reset under way, and the clocks are right about when", () => {
    expect(truth.resetsMs.length).toBeGreaterThan(5);
    for (const { columns, isStale, skewMs } of replicas) {
      const rows = [...isStale.keys()].filter((row) => isStale[row] === 0);
      const drops = rows.filter((row, index) => index > 0 && columns.values[row]! < columns.values[rows[index - 1]!]!);
      for (const row of drops) {
        const before = rows[rows.indexOf(row) - 1]!;
        expect(generationAt(truth, columns.timestamps[row]! - skewMs)).toBeGreaterThan(
          generationAt(truth, columns.timestamps[before]! - skewMs),
        );
      }
      expect(drops.length).toBeGreaterThan(5);
    }
  });
});

describe("the grid", () => {
  test("has every cell once", () => {
    const names = wholeGrid().map((cell) => describeCell(cell));
    expect(names).toHaveLength(4 * 5 * 5 * 3 * 5 * 2);
    expect(new Set(names).size).toBe(names.length);
  });

  test("its tenth has each value of each factor, and with each share of misses each phase", () => {
    const tenth = tenthOfGrid();
    expect(tenth).toHaveLength(300);
    const levels = (name: (cell: Cell) => unknown) => new Set(tenth.map((cell) => name(cell))).size;
    expect(levels(({ intervalMs }) => intervalMs)).toBe(4);
    expect(levels(({ delay }) => delay)).toBe(3);
    expect(levels(({ skew }) => `${skew.amount} ${skew.unit}`)).toBe(5);
    expect(levels(({ replicas }) => replicas)).toBe(2);
    expect(levels(({ misses, phase }) => `${misses} ${phase}`)).toBe(25);
  });

  test("skews are in ms", () => {
    expect(skewMsOf(CELL)).toBe(3_000);
    expect(skewMsOf({ ...CELL, skew: { amount: -0.3, unit: "intervals" } })).toBe(-4_500);
  });
});
