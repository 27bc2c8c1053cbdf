/**
 * A hole from near, sample by sample:
 *
 *     A         ●     ●     ●
 *     B           ●     ●     ●     ●     ●
 *     penalty   A     A     A·············B
 *                           +-- 37.3 s ---+
 *     fill      A     A     A       B     B
 */
import { drawMarks, findColumn, paintTimeline, REPLICA_LETTERS } from "./draw.ts";
import type { SeriesReport } from "./examine.ts";
import { formatDuration, formatInstant } from "./format.ts";
import type { Hole } from "./hole.ts";
import type { Stretch } from "./measure.ts";
import type { Pair } from "./pair.ts";
import { REPLICA_STYLES, type Terminal } from "./terminal.ts";

const WIDTH = 66;
/** So many intervals are shown on either side of the hole. */
const MARGIN_INTERVALS = 3;

/** A hole of one of the series. */
interface Place {
  readonly report: SeriesReport;
  readonly hole: Hole;
}

/** The longest hole that is there because the replica in use died while the other one went on; the first of equals. */
export function findZoom(series: readonly SeriesReport[]): Place | undefined {
  const places = series.flatMap((report) =>
    report.holes.filter(({ cause }) => cause === "stopped").map((hole) => ({ report, hole })),
  );
  return places.toSorted((left, right) => measureHole(right) - measureHole(left))[0];
}

/** Draws it, a column for a fraction of an interval. */
export function drawZoom({ report, hole }: Place, pair: Pair, terminal: Terminal): string[] {
  const marginMs = MARGIN_INTERVALS * report.intervalMs;
  const view = { fromMs: hole.fromMs - marginMs, toMs: hole.toMs + marginMs };
  const [start, end] = [findColumn(hole.fromMs, view, WIDTH), findColumn(hole.toMs, view, WIDTH)];
  const [penalty, fill] = (["penalty", "fill"] as const).map((name) => {
    const { timestamps, replicas } = report.strategies.find((track) => track.name === name)!.columns;
    return drawSamples(timestamps, view, (row) => REPLICA_LETTERS[replicas[row]!]!);
  });
  const gap = terminal.glyphs.gap.repeat(end - start - 1);
  const length = ` ${formatDuration(hole.toMs - hole.fromMs)} `;
  const ruler = length.padStart((end - start - 1 + length.length) >> 1, "-").padEnd(end - start - 1, "-");
  const letter = REPLICA_LETTERS[hole.replica]!;
  const instant = formatInstant(hole.fromMs, report.window.fromMs, pair.clock);
  return [
    terminal.paint("heading", `The hole where ${letter} dies, at ${instant}, sample by sample`),
    ...report.replicas.map((track, replica) => {
      const line = drawSamples(track.columns.timestamps, view, () => terminal.glyphs.sample);
      return `  ${REPLICA_LETTERS[replica]!.padEnd(9)}${paintTimeline(line, terminal, REPLICA_STYLES[replica]!)}`;
    }),
    `  penalty  ${paintTimeline(penalty!.slice(0, start + 1) + gap + penalty!.slice(end), terminal, "gap")}`,
    `           ${" ".repeat(start)}${terminal.paint("gap", `+${ruler}+`)}`,
    `  fill     ${paintTimeline(fill!, terminal, "gap")}`,
  ];
}

function drawSamples(timestamps: Float64Array, view: Stretch, chooseMark: (row: number) => string): string {
  const marks = [...timestamps]
    .map((timeMs, row) => ({ timeMs, mark: chooseMark(row) }))
    .filter(({ timeMs }) => timeMs >= view.fromMs && timeMs <= view.toMs);
  return drawMarks(marks, view, WIDTH).trimEnd();
}

function measureHole({ hole }: Place): number {
  return hole.toMs - hole.fromMs;
}
