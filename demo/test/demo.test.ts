/** The numbers and timelines on the screen, read over HTTP, against the naive twin of `penalty` and measures taken another way. */
import { describe, expect, it } from "vitest";
import { penaltyTwin } from "../../packages/core/test/twins/penalty.ts";
import { examineStoredPairs } from "../src/embedded.ts";
import type { PairReport, SeriesReport } from "../src/examine.ts";
import type { StoredPair } from "../src/pair.ts";
import { readRecordedPair } from "../src/recordings.ts";
import { writePair } from "../src/report.ts";
import { makeSeededDay } from "../src/seeded-day.ts";
import { writeSummary } from "../src/summary.ts";
import { describeTerminal } from "../src/terminal.ts";
import {
  countDoublesNaively,
  countSwitchesNaively,
  findHolesNaively,
  measureNaively,
  type NaiveHole,
  type NaiveSample,
  type NaiveTrack,
  readGraphNaively,
} from "./naive-measures.ts";

const TERMINAL = describeTerminal(false, { LANG: "C.UTF-8" });
const TIMELINE_START = 11;
const TIMELINE_WIDTH = 44;

/** What the twin and the naive measures say of one series. */
interface Expected {
  readonly metric: string;
  readonly window: { readonly fromMs: number; readonly toMs: number };
  readonly tracks: readonly NaiveTrack[];
  readonly spliced: readonly NaiveSample[];
  readonly switches: number;
  readonly doubles: number;
  readonly holes: readonly NaiveHole[];
  readonly points: number;
  readonly flicker: readonly number[];
}

function expectPair({ servers, intervalMs }: StoredPair): Expected[] {
  return servers[0]!.map(({ labels }, index) => {
    const replicas = servers.map((series, replica) => readSamples(series[index]!.blocks, replica));
    const times = replicas.flat().map(({ timeMs }) => timeMs);
    const window = {
      fromMs: times.reduce((least, timeMs) => Math.min(least, timeMs)),
      toMs: times.reduce((most, timeMs) => Math.max(most, timeMs)),
    };
    const spliced = spliceNaively(replicas);
    const [graphA, graphB] = replicas.map((samples) => readGraphNaively(samples, window, intervalMs));
    return {
      metric: labels[1]!,
      window,
      tracks: [...replicas, spliced].map((samples) => measureNaively(samples, window, intervalMs)),
      spliced,
      switches: countSwitchesNaively(spliced),
      doubles: countDoublesNaively(spliced, intervalMs),
      holes: findHolesNaively(spliced, replicas, intervalMs),
      points: graphA!.length,
      flicker: [...graphA!.keys()].filter((point) => graphA![point] !== graphB![point]),
    };
  });
}

function readSamples(blocks: StoredPair["servers"][number][number]["blocks"], replica: number): NaiveSample[] {
  return [...blocks].flatMap((block) => {
    const values = block.values();
    const bits = new BigUint64Array(values.buffer, values.byteOffset, values.length);
    return Array.from(block.timestamps(), (timeMs, row) => ({ timeMs, bits: bits[row]!, replica }));
  });
}

describe.each([readRecordedPair(), makeSeededDay()])("the $name pair", (pair) => {
  const expected = expectPair(pair);
  const report = examine(pair);

  it("is spliced sample for sample as the twin does it, each from the same replica and with the same bits", async () => {
    const { series } = await report;
    expect(series.map(({ labels }) => labels[1])).toEqual(expected.map(({ metric }) => metric));
    for (const [index, { spliced }] of expected.entries()) {
      expect(readSpliced(series[index]!)).toEqual(spliced);
    }
  });

  it("drops the replica label and no other", async () => {
    const { series } = await report;
    for (const [index, { labels }] of series.entries()) {
      const sent = pair.servers[0]![index]!.labels;
      const at = sent.indexOf("replica");
      expect(labels).toEqual([...sent.slice(0, at), ...sent.slice(at + 2)]);
    }
  });

  it("has the holes that the twin leaves, with who was in use and what the other one had", async () => {
    const { series } = await report;
    for (const [index, { holes }] of expected.entries()) {
      const found = series[index]!.holes.map(({ fromMs, toMs, replica, samplesLeftOut, cause }) => {
        const mark = { missed: "'", stopped: "^", "set-aside": "^", neither: "x" }[cause];
        return { fromMs, toMs, replica, samplesLeftOut, mark };
      });
      expect(found).toEqual(holes);
    }
  });

  it("gives for each hole a wait that the other replica's samples bear out", async () => {
    const { series } = await report;
    for (const { holes, replicas, spliced } of series) {
      for (const { cause, fromMs, toMs, replica, waitMs } of holes) {
        const other = replicas[1 - replica]!.columns.timestamps;
        const nextMs = other.find((timeMs) => timeMs > fromMs + waitMs) ?? Infinity;
        const givenBy = spliced.columns.replicas[spliced.columns.timestamps.indexOf(toMs)];
        // The other one is not looked at before the wait is over, and where it ends the hole it does so at the first look.
        expect(nextMs).toBeGreaterThanOrEqual(toMs);
        if (cause !== "neither" && givenBy !== replica) {
          expect(nextMs).toBe(toMs);
        }
      }
    }
  });

  it("shows the twin's numbers and timelines", async () => {
    const lines = writePair(await report, TERMINAL);
    for (const [index, series] of expected.entries()) {
      const block = cutSeries(lines, series.metric);
      const flicker = findRow(block, "flicker");
      expect(readTimeline(flicker)).toBe(
        drawNaively(
          series.flicker.map((point) => ({ timeMs: series.window.fromMs + point * pair.intervalMs, mark: "~" })),
          series.window,
        ),
      );
      expect(readNumbers(flicker)).toBe(`${series.flicker.length} of ${series.points}; spliced 0`);
      const together = block.find((line) => line.startsWith("  scraped together with"));
      if (together === undefined) {
        expectTimelines(block, series);
      } else {
        const twin = expected.slice(0, index).find(({ metric }) => together.includes(` ${metric}:`))!;
        expect([series.tracks, series.switches, series.doubles, series.holes]).toEqual([
          twin.tracks,
          twin.switches,
          twin.doubles,
          twin.holes,
        ]);
      }
    }
  });

  it("sums up what the twin's numbers come to", async () => {
    const reported = await report;
    const row = findRow(writeSummary([reported], TERMINAL), pair.name);
    const coverage = [0, 1, 2].map((track) => sum(expected, ({ tracks }) => tracks[track]!.coverage) / expected.length);
    const [percent, rest] = [
      row.match(/[\d.]+(?= %)/g)!.map(Number),
      row
        .split("%")
        .at(-1)!
        .trim()
        .split(/\s{2,}/),
    ];
    for (const [track, shown] of percent.entries()) {
      expectRoundedDown(shown, coverage[track]! * 100);
    }
    expect(rest).toEqual([
      `${sum(expected, ({ flicker }) => flicker.length)} of ${sum(expected, ({ points }) => points)}`,
      "0",
      String(sum(expected, ({ holes }) => holes.length)),
      String(sum(expected, ({ holes }) => holes.filter(({ mark }) => mark !== "x").length)),
    ]);
    expect(reported.totals.samplesOut).toBe(sum(expected, ({ spliced }) => spliced.length));
  });

  function expectTimelines(block: readonly string[], series: Expected): void {
    for (const [index, name] of ["A", "B", "spliced"].entries()) {
      const row = findRow(block, name);
      const [, percent, holes, gap, unit] = /^ *([\d.]+) % +(\d+) +([\d.]+) (s|min)$/.exec(readNumbers(row))!;
      const track = series.tracks[index]!;
      expectRoundedDown(Number(percent), track.coverage * 100);
      expect(Number(holes)).toBe(track.holeCount);
      expect(Math.abs(Number(gap) - track.longestGapMs / (unit === "s" ? 1000 : 60_000))).toBeLessThan(0.0501);
    }
    expect(readTimeline(findRow(block, "spliced"))).toBe(drawServingNaively(series, pair.intervalMs));
    const marks = series.holes.toSorted((left, right) => Number(left.mark !== "'") - Number(right.mark !== "'"));
    const holes = findRow(block, "holes");
    expect(readTimeline(holes)).toBe(
      drawNaively(
        marks.map(({ fromMs, mark }) => ({ timeMs: fromMs, mark })),
        series.window,
      ),
    );
    expect(readNumbers(holes)).toBe(
      `${series.switches} switch${series.switches === 1 ? "" : "es"}, ${series.doubles} doubles`,
    );
    const text = block
      .slice(block.indexOf(findRow(block, "flicker")) + 1)
      .map((line) => line.trim())
      .join(" ");
    const missed = series.holes.filter(({ mark }) => mark === "'");
    for (const { fromMs, toMs, mark, samplesLeftOut } of series.holes.filter((hole) => hole.mark !== "'")) {
      const minutes = (toMs - fromMs) / 60_000;
      const length = minutes < 2 ? `${(minutes * 60).toFixed(1)} s` : `${minutes.toFixed(1)} min`;
      const instant =
        pair.clock === "elapsed"
          ? `${((fromMs - series.window.fromMs) / 1000).toFixed(1)} s`
          : new Date(fromMs).toISOString().slice(11, 19);
      const cause =
        mark === "x"
          ? "neither replica has a sample"
          : `[AB] is silent for [\\d.]+ (s|min). [AB] has ${samplesLeftOut} sample`;
      expect(text).toMatch(new RegExp(`\\${mark} ${length} hole at ${instant}: ${cause}`));
    }
    expect(text.includes(`' ${missed.length} hole`)).toBe(missed.length > 0);
  }
});

describe("the holes of the recorded pair", () => {
  it("are those that are known of penalty on these recordings", async () => {
    const { series } = await examine(readRecordedPair());
    const gaps = series.map(({ labels, holes }) => [labels[1], ...holes.map(({ fromMs, toMs }) => toMs - fromMs)]);
    expect(gaps).toEqual([
      ["t_requests_total", 2239],
      ["t_temp", 2239],
      ["t_vanishing", 15_000, 13_239],
      ["up", 2239],
    ]);
  });
});

/** The pair as two servers serve it and the readers read it. */
async function examine(pair: StoredPair): Promise<PairReport> {
  return (await examineStoredPairs([pair]))[0]!;
}

function spliceNaively(replicas: readonly (readonly NaiveSample[])[]): NaiveSample[] {
  // The twin looks at times alone; without counter mode the bits come out as they went in.
  const rows = replicas.map((samples) =>
    samples.map(({ timeMs }) => ({ t: timeMs, high: 0, low: 0, histogram: undefined })),
  );
  return penaltyTwin(rows, false).map(({ replica, row }) => replicas[replica]![row]!);
}

function readSpliced({ spliced }: SeriesReport): NaiveSample[] {
  const { timestamps, values, replicas } = spliced.columns;
  const bits = new BigUint64Array(values.buffer, values.byteOffset, values.length);
  return Array.from(timestamps, (timeMs, row) => ({ timeMs, bits: bits[row]!, replica: replicas[row]! }));
}

/** The lines on one series: from its heading to the next empty line. */
function cutSeries(lines: readonly string[], metric: string): string[] {
  const start = lines.findIndex((line) => line.startsWith(`${metric}{`));
  return lines.slice(start, lines.indexOf("", start) < 0 ? undefined : lines.indexOf("", start));
}

function findRow(lines: readonly string[], name: string): string {
  return lines.find((line) => line.startsWith(`  ${name} `))!;
}

function readTimeline(row: string): string {
  return row.slice(TIMELINE_START, TIMELINE_START + TIMELINE_WIDTH);
}

function readNumbers(row: string): string {
  return row.slice(TIMELINE_START + TIMELINE_WIDTH).trim();
}

/** Marks on a line, the later of the list over the earlier. */
function drawNaively(marks: readonly { timeMs: number; mark: string }[], window: Expected["window"]): string {
  const isIn = (column: number, timeMs: number): boolean => {
    const share = ((timeMs - window.fromMs) / (window.toMs - window.fromMs)) * TIMELINE_WIDTH;
    return share >= column && (share < column + 1 || column === TIMELINE_WIDTH - 1);
  };
  const columns = Array.from({ length: TIMELINE_WIDTH }, (_, column) => column);
  return columns.map((column) => marks.findLast(({ timeMs }) => isIn(column, timeMs))?.mark ?? " ").join("");
}

/** By column the replica that gives most samples; small where 5 % of the time is uncovered, a dot from one half. */
function drawServingNaively({ spliced, window }: Expected, intervalMs: number): string {
  const columnMs = (window.toMs - window.fromMs) / TIMELINE_WIDTH;
  let line = "";
  let letter = "AB"[spliced[0]!.replica]!;
  for (let column = 0; column < TIMELINE_WIDTH; column++) {
    const [startMs, endMs] = [window.fromMs + column * columnMs, window.fromMs + (column + 1) * columnMs];
    const isLast = column === TIMELINE_WIDTH - 1;
    const inside = spliced.filter(({ timeMs }) => timeMs >= startMs && (timeMs < endMs || isLast));
    const ofB = inside.filter(({ replica }) => replica === 1).length;
    if (inside.length > 0) {
      letter = ofB > inside.length / 2 ? "B" : "A";
    }
    const coveredMs = sum(spliced, ({ timeMs }, row) => {
      const untilMs = Math.min(spliced[row + 1]?.timeMs ?? window.toMs, timeMs + 1.25 * intervalMs);
      return Math.max(0, Math.min(untilMs, endMs) - Math.max(timeMs, startMs));
    });
    const uncovered = 1 - coveredMs / columnMs;
    line += uncovered < 0.05 ? letter : uncovered < 0.5 ? letter.toLowerCase() : "·";
  }
  return line;
}

function expectRoundedDown(shown: number, exact: number): void {
  expect(shown).toBeLessThanOrEqual(exact + 1e-9);
  expect(shown).toBeGreaterThan(exact - 0.01 - 1e-9);
}

function sum<T>(list: readonly T[], measure: (item: T, index: number) => number): number {
  return list.reduce((total, item, index) => total + measure(item, index), 0);
}
