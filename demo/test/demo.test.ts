/** The numbers and timelines on the screen, read over HTTP, against the naive twin of `penalty` and measures taken another way. */
import { describe, expect, it } from "vitest";
import { chainTwin } from "../../packages/core/test/twins/chain.ts";
import { fillTwin } from "../../packages/core/test/twins/fill.ts";
import { intervalTwin } from "../../packages/core/test/twins/interval.ts";
import { penaltyTwin } from "../../packages/core/test/twins/penalty.ts";
import { STRATEGY_NAMES, type StrategyName } from "../src/strategies.ts";
import { examineStoredPairs } from "../src/embedded.ts";
import type { PairReport, StrategyTrack } from "../src/examine.ts";
import type { StoredPair } from "../src/pair.ts";
import { readRecordedPair } from "../src/recordings.ts";
import { writePair } from "../src/report.ts";
import { makeSeededDay } from "../src/seeded-day.ts";
import { writeSummary } from "../src/summary.ts";
import { STALE_MARKER_BITS } from "../src/stale-marker.ts";
import { describeTerminal } from "../src/terminal.ts";
import {
  countFlipsNaively,
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
const TIMELINE_WIDTH = 29;

/** What the twin and the naive measures say of one series. */
interface Expected {
  readonly metric: string;
  readonly window: { readonly fromMs: number; readonly toMs: number };
  /** Of A, of B. */
  readonly tracks: readonly NaiveTrack[];
  readonly strategies: readonly ExpectedStrategy[];
  /** Those of penalty. */
  readonly holes: readonly NaiveHole[];
  readonly points: number;
  readonly flicker: readonly number[];
}

interface ExpectedStrategy extends NaiveTrack {
  readonly name: StrategyName;
  readonly spliced: readonly NaiveSample[];
  readonly switches: number;
  readonly flips: number;
}

function expectPair({ servers, intervalMs }: StoredPair): Expected[] {
  return servers[0]!.map(({ labels }, index) => {
    const replicas = servers.map((series, replica) => readSamples(series[index]!.blocks, replica));
    const times = replicas.flat().map(({ timeMs }) => timeMs);
    const window = {
      fromMs: times.reduce((least, timeMs) => Math.min(least, timeMs)),
      toMs: times.reduce((most, timeMs) => Math.max(most, timeMs)),
    };
    const strategies = STRATEGY_NAMES.map((name): ExpectedStrategy => {
      const spliced = spliceNaively(replicas, name, intervalMs);
      return {
        name,
        spliced,
        ...measureNaively(spliced, window, intervalMs),
        switches: countSwitchesNaively(spliced),
        flips: countFlipsNaively(replicas, window, intervalMs, (inside, edges) =>
          spliceNaively(inside, name, intervalMs, edges),
        ),
      };
    });
    const [graphA, graphB] = replicas.map((samples) => readGraphNaively(samples, window, intervalMs));
    return {
      metric: labels[1]!,
      window,
      tracks: replicas.map((samples) => measureNaively(samples, window, intervalMs)),
      strategies,
      holes: findHolesNaively(strategies[0]!.spliced, replicas, intervalMs),
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

  it("is spliced by each strategy sample for sample as its twin does it, each from the same replica and with the same bits", async () => {
    const { series } = await report;
    expect(series.map(({ labels }) => labels[1])).toEqual(expected.map(({ metric }) => metric));
    for (const [index, { strategies }] of expected.entries()) {
      const found = series[index]!.strategies.map((track) => describeSamples(readSpliced(track)));
      expect(found).toEqual(strategies.map(({ spliced }) => describeSamples(spliced)));
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
    for (const { holes, replicas, strategies } of series) {
      for (const { cause, fromMs, toMs, replica, waitMs } of holes) {
        const other = replicas[1 - replica]!.columns.timestamps;
        const { columns } = strategies[0]!;
        const nextMs = other.find((timeMs) => timeMs > fromMs + waitMs) ?? Infinity;
        const givenBy = columns.replicas[columns.timestamps.indexOf(toMs)];
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
        const numbers = [series, twin].map(({ tracks, strategies, holes }) => {
          return {
            tracks,
            holes,
            strategies: strategies.map((track) => ({ ...track, spliced: describeTimes(track) })),
          };
        });
        expect(numbers[0]).toEqual(numbers[1]);
      }
    }
  });

  it("sums up what the twin's numbers come to", async () => {
    const reported = await report;
    const lines = writeSummary([reported], TERMINAL);
    const start = lines.findIndex((line) => line.startsWith(`  ${pair.name} `));
    for (const [index, name] of STRATEGY_NAMES.entries()) {
      const tracks = expected.map(({ strategies }) => strategies[index]!);
      const [shown, samples, percent, ...rest] = lines[start + index]!.slice(11).trim().split(/[ %]+/u);
      expect([shown, samples]).toEqual([name, String(sum(tracks, ({ spliced }) => spliced.length))]);
      expectRoundedDown(Number(percent), (sum(tracks, ({ coverage }) => coverage) / tracks.length) * 100);
      expect(rest.map(Number)).toEqual([
        sum(tracks, ({ holeCount }) => holeCount),
        sum(tracks, ({ doubles }) => doubles),
        sum(tracks, ({ switches }) => switches),
        sum(tracks, ({ flips }) => flips),
      ]);
    }
    const text = lines.join(" ").replaceAll(/\s+/gu, " ");
    const points = sum(expected, (series) => series.points);
    const flicker = sum(expected, (series) => series.flicker.length);
    expect(text).toContain(`Flicker, ${pair.name}: ${flicker} of ${points} points`);
    expect(text).toContain("two readings of fill, cut differently, 0.");
    const holes = expected.flatMap((series) => series.holes);
    const fillable = holes.filter(({ mark }) => mark !== "x").length;
    expect(text).toContain(`${fillable} of the ${holes.length} holes of penalty lie where`);
  });

  function expectTimelines(block: readonly string[], series: Expected): void {
    const tracks = [...series.tracks.map((track, index) => ({ ...track, name: "AB"[index]! })), ...series.strategies];
    for (const track of tracks) {
      const numbers = readNumbers(findRow(block, track.name)).split(/[ %]+/u).map(Number);
      const [samples, percent, ...rest] = numbers;
      expect(samples).toBe(track.samples);
      expectRoundedDown(percent!, track.coverage * 100);
      const own = "spliced" in track ? [track.switches, track.flips] : [];
      expect(rest).toEqual([track.holeCount, track.doubles, ...own]);
    }
    for (const { name, spliced } of series.strategies) {
      expect(readTimeline(findRow(block, name))).toBe(drawServingNaively(spliced, series.window, pair.intervalMs));
    }
    const marks = series.holes.toSorted((left, right) => Number(left.mark !== "'") - Number(right.mark !== "'"));
    const holes = findRow(block, " holes");
    expect(readTimeline(holes).padEnd(TIMELINE_WIDTH)).toBe(
      drawNaively(
        marks.map(({ fromMs, mark }) => ({ timeMs: fromMs, mark })),
        series.window,
      ),
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
  it("are with penalty those that are known of it on these recordings", async () => {
    const { series } = await examine(readRecordedPair());
    const gaps = series.map(({ labels, holes }) => [labels[1], ...holes.map(({ fromMs, toMs }) => toMs - fromMs)]);
    expect(gaps).toEqual([
      ["t_requests_total", 2239],
      ["t_temp", 2239],
      ["t_vanishing", 15_000, 13_239],
      ["up", 2239],
    ]);
  });

  it("are gone with fill, but for the 16 s in which the target itself was away", async () => {
    const { series } = await examine(readRecordedPair());
    const gaps = series.map(({ labels, strategies }) => {
      const live = readSpliced(strategies[1]!).filter(({ bits }) => bits !== STALE_MARKER_BITS);
      const steps = live.slice(1).map(({ timeMs }, row) => timeMs - live[row]!.timeMs);
      return [strategies[1]!.name, labels[1], ...steps.filter((stepMs) => stepMs > 1500)];
    });
    expect(gaps).toEqual([
      ["fill", "t_requests_total"],
      ["fill", "t_temp"],
      ["fill", "t_vanishing", 16_000],
      ["fill", "up"],
    ]);
  });
});

/** The pair as two servers serve it and the readers read it. */
async function examine(pair: StoredPair): Promise<PairReport> {
  return (await examineStoredPairs([pair]))[0]!;
}

/** By the twins of the core's tests; `fill` sees the window's edges. */
function spliceNaively(
  replicas: readonly (readonly NaiveSample[])[],
  name: StrategyName,
  intervalMs: number,
  window: { readonly startMs?: number; readonly endMs?: number } = { startMs: 0 },
): NaiveSample[] {
  const rows = replicas.map((samples) =>
    samples.map(({ timeMs, bits }) => {
      return { t: timeMs, high: Number(bits >> 32n), low: Number(bits & 0xffff_ffffn), histogram: undefined };
    }),
  );
  const shown = {
    penalty: () => penaltyTwin(rows, false),
    fill: () => fillTwin(rows, window).samples,
    interval: () => intervalTwin(rows, intervalMs),
    chain: () => chainTwin(rows),
  }[name]();
  return shown.map(({ replica, row }) => replicas[replica]![row]!);
}

function readSpliced({ columns }: StrategyTrack): NaiveSample[] {
  const { timestamps, values, replicas } = columns;
  const bits = new BigUint64Array(values.buffer, values.byteOffset, values.length);
  return Array.from(timestamps, (timeMs, row) => ({ timeMs, bits: bits[row]!, replica: replicas[row]! }));
}

/** A text a sample: lists of texts are compared ten times faster than lists of objects. */
function describeSamples(samples: readonly NaiveSample[]): string[] {
  return samples.map(({ timeMs, bits, replica }) => `${timeMs} ${bits.toString(16)} ${replica}`);
}

/** Who gives which time; twins differ in their values. */
function describeTimes({ spliced }: ExpectedStrategy): string {
  return spliced.map(({ timeMs, replica }) => `${timeMs} ${replica}`).join();
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
function drawServingNaively(spliced: readonly NaiveSample[], window: Expected["window"], intervalMs: number): string {
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
