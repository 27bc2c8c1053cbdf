/**
 * The picture: what the strategies leave uncovered, and what they double, over the share of missed scrapes.
 *
 *     Time without a fresh sample      Samples that double another
 *     │            ／ penalty          │ ────────── union
 *     │         ／  ─ fill             │ ────────── fill, penalty
 *     └─────────────                   └─────────────
 *      0 % … 60 % missed                0 % … 60 % missed
 *
 * An SVG without scripts or fonts, on a ground of its own, which follows the reader's light or dark scheme.
 */
import type { Contestant } from "./contestants.ts";
import { MISSES } from "./grid.ts";
import { type CellScores, mean, type Score } from "./measure-cell.ts";

interface Line {
  readonly contestant: Contestant;
  /** A class of the style sheet. */
  readonly style: "penalty" | "interval" | "union" | "fill";
  readonly label: string;
}

/** Drawn in this order, so that the last lies on top. */
const LINES: readonly Line[] = [
  { contestant: "union", style: "union", label: "union of all" },
  { contestant: "penalty", style: "penalty", label: "penalty" },
  { contestant: "interval", style: "interval", label: "interval" },
  { contestant: "fill", style: "fill", label: "fill" },
];

const WIDTH = 860;
const HEIGHT = 320;
const PLOT = { top: 62, width: 270, height: 190 } as const;
const PANELS_LEFT = [60, 480] as const;
const LABEL_HEIGHT = 17;

interface Colours {
  readonly ground: string;
  readonly text: string;
  readonly soft: string;
  readonly grid: string;
  readonly lines: Readonly<Record<Line["style"], string>>;
}

const LIGHT: Colours = {
  ground: "#ffffff",
  text: "#1f2328",
  soft: "#59636e",
  grid: "#d1d9e0",
  lines: { penalty: "#cf222e", interval: "#9a6700", union: "#59636e", fill: "#0969da" },
};
const DARK: Colours = {
  ground: "#0d1117",
  text: "#f0f6fc",
  soft: "#9198a1",
  grid: "#3d444d",
  lines: { penalty: "#ff7b72", interval: "#d29922", union: "#9198a1", fill: "#58a6ff" },
};

/** The text of the file. Points are means over all cells with that share of misses. */
export function drawPicture(results: readonly CellScores[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="title">
<title id="title">What each strategy leaves without a fresh sample, and what it doubles, over the share of scrapes that each replica misses</title>
<style>
${colourRules(LIGHT)}
@media (prefers-color-scheme: dark) {
${colourRules(DARK)}
}
text { font: 13px system-ui, sans-serif }
text.title { font-weight: 600; font-size: 14px }
.line { fill: none; stroke-width: 2 }
.line.of-union { stroke-dasharray: 5 4 }
.line.of-fill { stroke-width: 3.5 }
.name.of-fill { font-weight: 600 }
</style>
<rect class="ground" width="${WIDTH}" height="${HEIGHT}" rx="8"/>
${drawPanel(results, PANELS_LEFT[0], "Time without a fresh sample", ({ uncovered }) => uncovered)}
${drawPanel(
  results,
  PANELS_LEFT[1],
  "Samples that double the one before",
  ({ nearDuplicates, samples }) => nearDuplicates / samples,
)}
</svg>
`;
}

function colourRules({ ground, text, soft, grid, lines }: Colours): string {
  return [
    `.ground { fill: ${ground} } .title { fill: ${text} } .soft { fill: ${soft} } .grid { stroke: ${grid} }`,
    ...Object.entries(lines).map(
      ([style, colour]) => `.line.of-${style} { stroke: ${colour} } .name.of-${style} { fill: ${colour} }`,
    ),
  ].join("\n");
}

function drawPanel(
  results: readonly CellScores[],
  left: number,
  title: string,
  measure: (score: Score) => number,
): string {
  const curves = LINES.map((line) => ({
    ...line,
    shares: MISSES.map((misses) =>
      mean(results.filter(({ cell }) => cell.misses === misses).map(({ scores }) => measure(scores[line.contestant]))),
    ),
  }));
  const top = Math.ceil(10 * Math.max(...curves.flatMap(({ shares }) => shares))) / 10;
  const bottomY = PLOT.top + PLOT.height;
  const xOf = (index: number) => round(left + (index * PLOT.width) / (MISSES.length - 1));
  const yOf = (share: number) => round(bottomY - (share / top) * PLOT.height);
  const steps = Array.from({ length: Math.round(10 * top) + 1 }, (_, step) => step / 10);
  const labelYs = spreadOut(curves.map(({ shares }) => yOf(shares.at(-1)!)));
  return [
    `<text class="title" x="${left - 40}" y="30">${title}</text>`,
    ...steps.map(
      (share) =>
        `<path class="grid" d="M${left} ${yOf(share)}h${PLOT.width}"/><text class="soft" x="${left - 8}" y="${yOf(share) + 4}" text-anchor="end">${Math.round(100 * share)} %</text>`,
    ),
    ...MISSES.map(
      (misses, index) =>
        `<text class="soft" x="${xOf(index)}" y="${bottomY + 20}" text-anchor="middle">${Math.round(100 * misses)} %</text>`,
    ),
    `<text class="soft" x="${left + PLOT.width / 2}" y="${bottomY + 42}" text-anchor="middle">scrapes that each replica misses</text>`,
    ...curves.map(
      ({ style, shares }) =>
        `<polyline class="line of-${style}" points="${shares.map((share, index) => `${xOf(index)},${yOf(share)}`).join(" ")}"/>`,
    ),
    ...curves.map(
      ({ style, label }, index) =>
        `<text class="name of-${style}" x="${left + PLOT.width + 8}" y="${labelYs[index]! + 4}">${label}</text>`,
    ),
  ].join("\n");
}

/** The same heights, moved up where they are less than a line of text apart. */
function spreadOut(heights: readonly number[]): number[] {
  const result = [...heights];
  const fromBelow = heights.map((_, index) => index).toSorted((one, other) => heights[other]! - heights[one]!);
  fromBelow.reduce((free, index) => {
    const height = Math.min(heights[index]!, free);
    result[index] = height;
    return height - LABEL_HEIGHT;
  }, Infinity);
  return result;
}

function round(coordinate: number): number {
  return Math.round(10 * coordinate) / 10;
}
