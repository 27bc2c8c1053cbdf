/** `fill` in small cases that can be followed by hand: counters, markers, options, rows that are refused. */
import { expect, test } from "vitest";
import { type Columns, dedup, fill, type FillOptions, splice } from "../src/index.ts";
import { columnsOf, cut, floatRow, formatRuns, rowsOfColumns, STALE } from "./samples.ts";
import { fillTwin } from "./twins/fill.ts";

function columns(...samples: readonly (readonly [number, number])[]): Columns {
  return {
    timestamps: Float64Array.from(samples, ([t]) => t),
    values: Float64Array.from(samples, ([, value]) => value),
  };
}

function shown(replicas: readonly Columns[], options: FillOptions): (readonly [number, number])[] {
  const { timestamps, values } = dedup(replicas, fill(options));
  return Array.from(timestamps, (t, row) => [t, values[row]!] as const);
}

/** A counter that grows by one each ms, scraped by a server whose clock is behind by `skewMs`. */
function scrape(fromMs: number, untilMs: number, intervalMs: number, skewMs: number): Columns {
  const samples: [number, number][] = [];
  for (let t = fromMs; t < untilMs; t += intervalMs) {
    samples.push([t, t - skewMs]);
  }
  return columns(...samples);
}

test("with counter a value below the one shown last is left out until its replica passes it", () => {
  const a = columns([0, 100], [10, 110], [20, 120]);
  const b = columns([8, 85], [18, 95], [28, 112], [34, 122], [44, 132]);
  expect(shown([a, b], { intervalMs: 10, counter: true })).toEqual([
    [0, 100],
    [10, 110],
    [20, 120],
    [34, 122],
    [44, 132],
  ]);
  expect(shown([a, b], { intervalMs: 10 })[3]).toEqual([28, 112]);
});

test("with counter a reset that the replica has itself is shown", () => {
  const a = columns([0, 100], [10, 110], [20, 120]);
  const b = columns([8, 108], [18, 118], [28, 3], [38, 13], [48, 23]);
  expect(shown([a, b], { intervalMs: 10, counter: true })[3]).toEqual([28, 3]);
});

test("with counter a clock 3 s behind does not starve a series of 1 s", () => {
  const a = scrape(0, 30_000, 1000, 0);
  const b = scrape(400, 60_000, 1000, 3000);
  const samples = shown([a, b], { intervalMs: 1000, counter: true });
  const gaps = samples.slice(1).map(([t], index) => t - samples[index]![0]);
  // 30.4 s is left out; 31.4 s is more than 1.5 s after 29 s and taken, a false reset.
  expect(Math.max(...gaps)).toBe(2400);
  expect(samples.filter(([, value], index) => index > 0 && value < samples[index - 1]![1])).toHaveLength(1);
  expect(fillTwin([rowsOfColumns(a), rowsOfColumns(b)], { intervalMs: 1000, counter: true }).falseResets).toBe(1);
});

test("with counter clocks that differ by less than half an interval leave nothing out", () => {
  for (const skewMs of [-7000, -5000, 5000, 7000]) {
    const a = scrape(0, 600_000, 15_000, 0);
    const b = scrape(8000, 1_200_000, 15_000, skewMs);
    expect(shown([a, b], { counter: true })).toEqual(shown([a, b], {}));
  }
});

/** A series of 1 s that may end in a stale marker. */
const everySecond = (phaseMs: number, count: number, ends: boolean): Columns =>
  columnsOf(
    Array.from({ length: count }, (_, row) => floatRow(phaseMs + row * 1000, ends && row === count - 1 ? STALE : row)),
  );

test("the marker of a target that is gone is shown, that of a replica that shuts down is not", () => {
  const gone = dedup([everySecond(0, 10, true), everySecond(300, 9, false)], fill());
  expect(gone.timestamps.at(-1)).toBe(9000);
  const shutDown = dedup([everySecond(0, 10, true), everySecond(300, 20, false)], fill());
  expect([...shutDown.timestamps]).not.toContain(9000);
  expect(shutDown.timestamps.at(-1)).toBe(19_300);
});

test("where the first replicas have no live sample the next one is followed", () => {
  const none = columns();
  const markers = columnsOf([floatRow(0, STALE), floatRow(10, STALE)]);
  const one = columns([7, 1]);
  expect(shown([none, one], {})).toEqual([[7, 1]]);
  expect(shown([markers, one], { staleMarkers: "drop" })).toEqual([[7, 1]]);
  expect(shown([none, none], {})).toEqual([]);
});

test("a row behind the window makes the gap at its end a hole, in whatever block it comes", () => {
  const replicas = [
    [0, 10, 20],
    [5, 15, 30, 55],
  ].map((times) => times.map((t) => floatRow(t, t)));
  for (const rowsMax of [1, 2, 9]) {
    const blocks = replicas.map((rows) => cut(rows, () => rowsMax));
    const runs = splice(blocks, fill({ intervalMs: 10 }), { startMs: 0, endMs: 41 });
    expect(formatRuns(runs, false).map((line) => Number(line.split(" ")[0]))).toEqual([0, 10, 20, 30]);
  }
});

test("refuses options of the wrong kind", () => {
  expect(() => fill({ intervalMs: 0 })).toThrow(RangeError);
  expect(() => fill({ intervalMs: NaN })).toThrow(RangeError);
  expect(() => fill({ intervalMs: "15s" as unknown as number })).toThrow(TypeError);
  expect(() => fill({ staleMarkers: "most" as unknown as "keep" })).toThrow(TypeError);
  expect(() => fill({ counter: 1 as unknown as boolean })).toThrow(TypeError);
});

test("says which row of which replica is not in order", () => {
  const good = columns([0, 1], [10, 2], [20, 3], [30, 4]);
  const bad = columns([0, 1], [20, 2], [15, 3], [30, 4]);
  const broken = columns([0, 1], [10.5, 2], [20, 3], [30, 4]);
  for (const options of [{}, { intervalMs: 10 }]) {
    expect(() => dedup([bad, good], fill(options))).toThrow(/replica 0, row 2: timestamp 15 is not later/);
  }
  expect(() => dedup([broken, good], fill({ intervalMs: 10 }))).toThrow(/replica 0, row 1: .*whole number/);
});
