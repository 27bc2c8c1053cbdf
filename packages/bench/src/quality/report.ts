/** The benchmark's results for people: QUALITY.md, every cell in quality.csv, and the picture. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { type Bar, isSkewSmall, uncoveredRatio } from "./bars.ts";
import { type Contestant, CONTESTANTS } from "./contestants.ts";
import { MISSES, PHASES, skewMsOf, wholeGrid } from "./grid.ts";
import { type CellScores, type Extent, mean } from "./measure-cell.ts";
import { drawPicture } from "./picture.ts";

const PACKAGE_PATH = path.join(import.meta.dirname, "../..");
const MARKDOWN_PATH = path.join(PACKAGE_PATH, "QUALITY.md");
const CELLS_PATH = path.join(PACKAGE_PATH, "quality.csv");
const PICTURE_PATH = path.join(PACKAGE_PATH, "../../docs/quality.svg");

/** Writes all three files. */
export function writeReport(results: readonly CellScores[], bars: readonly Bar[], extent: Extent): void {
  writeFileSync(MARKDOWN_PATH, `${renderReport(results, bars, extent).join("\n")}\n`);
  writeFileSync(CELLS_PATH, `${renderCells(results).join("\n")}\n`);
  writeFileSync(PICTURE_PATH, drawPicture(results));
}

function renderReport(results: readonly CellScores[], bars: readonly Bar[], extent: Extent): string[] {
  const cells = results.length === wholeGrid().length ? "the whole grid" : "a part of the grid";
  return [
    "# Quality",
    "",
    "Written by `npm run quality -- --whole --write`. Replicas scrape a known counter and gauge; every strategy splices what",
    "they have, and the outcome is held against the truth. *union* is `chain`: all that could be had, doubled; *optimum* the",
    "least uncovered time of any subset of it whose neighbours are at least half an interval apart. *fill given* is",
    "`fill({ intervalMs })`, *counter* an option of the strategy.",
    "",
    `${results.length} cells, ${cells}; ${extent.scrapes.toLocaleString("en")} scrapes a replica and seed, ${extent.seeds} seeds;`,
    `Node ${process.version}; commit ${describeCommit()}; ${new Date().toISOString().slice(0, 10)}. Every cell is in [quality.csv](quality.csv).`,
    "",
    "## Bars",
    "",
    ...renderBars(bars),
    "",
    "## All cells",
    "",
    ...renderSummary(results),
    "",
    "## Uncovered time in %, by misses and phase",
    "",
    ...renderUncovered(results),
    "",
    "## Counters, by how far clocks are apart",
    "",
    ...renderCounters(results),
    "",
    "What a column means: *near-duplicates*: samples less than 0.45 intervals after the one before, of a thousand; *switches*:",
    "samples of another replica than the one before, of a thousand; *false resets*: drops of the counter that no reset explains,",
    "of a million samples; *increase*: mean error of `increase` over 4 intervals, no answer taken as 0, and *where shown* without",
    "those; *gauge*: mean distance between the gauge and its newest sample, of half its range; *flips*: slides by a second, of a",
    "hundred that pass a sample, that change which live samples are shown: 1.5 intervals before the newest sample of the window",
    "are left off, and at the left 2 intervals, and where `fill` estimates the interval 16 scrapes of each replica; *inside",
    "2*: with 2 intervals left off everywhere; *with markers*: as *flips*, stale markers compared too.",
  ];
}

/** Each bar with the worst that was measured. */
export function renderBars(bars: readonly Bar[]): string[] {
  return [
    "| what | cells | at most | worst | where | reached |",
    "|---|--:|--:|--:|---|---|",
    ...bars.map(({ what, cells, limit, worst, worstCell = "", broken }) => {
      const reached = broken.length === 0 ? "yes" : `**no**, not in ${broken.length}`;
      return `| ${what} | ${cells} | ${plain(limit)} | ${plain(worst)} | ${worst > 0 ? worstCell : ""} | ${reached} |`;
    }),
  ];
}

/** Every strategy's measures, mean of all cells. */
export function renderSummary(results: readonly CellScores[]): string[] {
  const rows = CONTESTANTS.map((contestant) => {
    const scores = results.map((result) => result.scores[contestant]);
    const perSample = (name: "nearDuplicates" | "switches" | "falseResets") =>
      mean(scores.map((score) => score[name] / score.samples));
    const flipped = (name: "flips" | "flipsInsideTwo" | "flipsWithMarkers") =>
      (100 * mean(scores.map((score) => score[name] / score.slides))).toFixed(2);
    return [
      contestant,
      percent(mean(scores.map(({ uncovered }) => uncovered))),
      (1_000 * perSample("nearDuplicates")).toFixed(3),
      (1_000 * perSample("switches")).toFixed(0),
      (1_000_000 * perSample("falseResets")).toFixed(1),
      percent(mean(scores.map(({ increaseError }) => increaseError))),
      percent(mean(scores.map(({ increaseErrorWhereShown }) => increaseErrorWhereShown))),
      percent(mean(scores.map(({ gaugeError }) => gaugeError))),
      flipped("flips"),
      flipped("flipsInsideTwo"),
      flipped("flipsWithMarkers"),
      String(scores.reduce((sum, { flipsByOrder }) => sum + flipsByOrder, 0)),
    ];
  });
  return [
    "| strategy | uncovered % | near-duplicates ‰ | switches ‰ | false resets ppm | increase % | where shown % | gauge % | flips % | inside 2 % | with markers % | flips by order |",
    "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ...rows.map((row) => `| ${row.join(" | ")} |`),
    `| optimum | ${percent(mean(results.map(({ optimum }) => optimum)))} | | | | | | | | | | |`,
  ];
}

function renderUncovered(results: readonly CellScores[]): string[] {
  const lines = MISSES.flatMap((misses) =>
    PHASES.map((phase) => {
      const cells = results.filter(({ cell }) => cell.misses === misses && cell.phase === phase);
      const of = (contestant: Contestant) => percent(mean(cells.map(({ scores }) => scores[contestant].uncovered)));
      return [
        `${Math.round(100 * misses)} %`,
        phase,
        of("penalty"),
        of("interval"),
        of("fill"),
        of("fill given"),
        percent(mean(cells.map(({ optimum }) => optimum))),
        of("union"),
      ];
    }),
  );
  return [
    "| misses | phase | penalty | interval | fill | fill given | optimum | union |",
    "|--:|--:|--:|--:|--:|--:|--:|--:|",
    ...lines.map((line) => `| ${line.join(" | ")} |`),
  ];
}

function renderCounters(results: readonly CellScores[]): string[] {
  const groups = [
    ["to a third of an interval", results.filter(({ cell }) => isSkewSmall(cell))],
    ["3 intervals", results.filter(({ cell }) => !isSkewSmall(cell))],
  ] as const;
  const lines = groups.flatMap(([apart, cells]) =>
    CONTESTANTS.map((contestant) => {
      const scores = cells.map((result) => result.scores[contestant]);
      return [
        apart,
        contestant,
        (1_000_000 * mean(scores.map(({ falseResets, samples }) => falseResets / samples))).toFixed(1),
        percent(mean(scores.map(({ increaseError }) => increaseError))),
        percent(mean(scores.map(({ uncovered }) => uncovered))),
      ];
    }),
  );
  return [
    "| apart | strategy | false resets ppm | increase % | uncovered % |",
    "|---|---|--:|--:|--:|",
    ...lines.map((line) => `| ${line.join(" | ")} |`),
  ];
}

/** One line a cell; shares are of 1, counts are sums over the seeds. */
function renderCells(results: readonly CellScores[]): string[] {
  const measures = ["uncovered", "nearDuplicates", "switches", "falseResets", "increaseError", "flips"] as const;
  const names = CONTESTANTS.flatMap((contestant) => measures.map((measure) => `${contestant} ${measure}`));
  return [
    `intervalMs,misses,phase,delay,skewMs,replicas,optimum,ratio,${names.join(",")}`,
    ...results.map((result) => {
      const { cell, optimum, scores } = result;
      const factors = [cell.intervalMs, cell.misses, cell.phase, cell.delay, skewMsOf(cell), cell.replicas];
      const measured = CONTESTANTS.flatMap((contestant) => measures.map((name) => plain(scores[contestant][name])));
      return [...factors, plain(optimum), plain(uncoveredRatio(result, "fill")), ...measured].join(",");
    }),
  ];
}

function percent(share: number): string {
  return (100 * share).toFixed(2);
}

/** Four digits, without zeros at the end. */
function plain(number: number): string {
  return String(Number(number.toPrecision(4)));
}

function describeCommit(): string {
  const { status, stdout } = spawnSync("git", ["rev-parse", "--short", "HEAD"], {
    cwd: PACKAGE_PATH,
    encoding: "utf8",
  });
  return status === 0 ? stdout.trim() : "none";
}
