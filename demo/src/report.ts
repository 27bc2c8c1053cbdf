/** The demo's screen: lines of at most 80 characters, made from the reports alone. */
import { drawMarks, drawReplica, drawSpliced, paintTimeline, REPLICA_LETTERS } from "./draw.ts";
import type { PairReport, SeriesReport, StrategyTrack, Track } from "./examine.ts";
import { formatInstant, formatMetric, formatShare, wrapLabels, wrapText } from "./format.ts";
import { HOLE_MARKS, tellHoles } from "./hole-text.ts";
import type { Pair } from "./pair.ts";
import { REPLICA_STYLES, type Terminal } from "./terminal.ts";
import { drawZoom, findZoom } from "./zoom.ts";

export const SCREEN_WIDTH = 80;
/** A range with dates fits above it. */
const TIMELINE_WIDTH = 29;

/** What the words and signs on the screen mean. */
export function writeLegend(terminal: Terminal): string[] {
  const { glyphs } = terminal;
  return [
    terminal.paint("heading", "promsplice: two Prometheus replicas, read over HTTP and spliced into one series"),
    "  penalty   as Thanos: the one in use; the other not for twice the last step",
    "  fill      ours: one replica, and its holes filled from the other",
    "  interval  as VictoriaMetrics: the last sample of each interval",
    "  chain     all samples of both",
    "",
    `  A, B      a replica over time: ${glyphs.covered} covered  ${glyphs.partly} partly  ${glyphs.gap} nothing`,
    "            and under them who serves when: A or B (a, b: partly covered)",
    "  covered   share of time not later than 1.25 intervals after a sample",
    "  holes     neighbouring samples more than 1.5 intervals apart; penalty's are",
    "            marked under it and explained",
    "  dups      near-duplicates: neighbouring samples less than 0.45 intervals apart",
    "  swaps     neighbouring samples from different replicas",
    "  flips     a window slides over all of it in 60 steps: at how many of them do",
    "            samples change that are inside before and after",
    "  flicker   points of a graph that change when a load balancer sends one refresh",
    "            to A, the next to B (a point an interval: newest sample of 5 min)",
  ];
}

/** The lines on one pair. */
export function writePair({ pair, series, seriesLeftOut }: PairReport, terminal: Terminal): string[] {
  const zoom = findZoom(series);
  return [
    terminal.paint("heading", pair.title),
    ...pair.story.flatMap((text) => wrapText(text, SCREEN_WIDTH - 2, "").map((line) => `  ${line}`)),
    ...series.flatMap((report, index) => {
      const twin = series.slice(0, index).find((earlier) => hasSameTimes(earlier, report));
      return [
        "",
        ...(twin === undefined ? writeSeries(report, pair.clock, terminal) : writeTwin(report, twin, terminal)),
      ];
    }),
    ...(seriesLeftOut === 0 ? [] : ["", `and ${seriesLeftOut} more series, read and spliced but not drawn`]),
    ...(zoom === undefined ? [] : ["", ...drawZoom(zoom, pair, terminal)]),
  ];
}

function writeSeries(report: SeriesReport, clock: Pair["clock"], terminal: Terminal): string[] {
  const { window, strategies } = report;
  const [first, last] = [window.fromMs, window.toMs].map((timeMs) => formatInstant(timeMs, window.fromMs, clock));
  const axis = `${first!.padEnd(TIMELINE_WIDTH - last!.length)}${last}`;
  return [
    ...writeLabels(report, terminal),
    terminal.paint("faint", `${"".padEnd(11)}${axis} samples covered holes  dups swaps flips`),
    ...report.replicas.map((track, replica) => {
      const line = drawReplica(track, window, TIMELINE_WIDTH, terminal.glyphs);
      return writeTrack(REPLICA_LETTERS[replica]!, paintTimeline(line, terminal, REPLICA_STYLES[replica]!), track);
    }),
    ...strategies.flatMap((track) => [
      writeStrategy(track, window, terminal),
      ...(track.name === "penalty" && report.holes.length > 0
        ? [`   holes   ${terminal.paint("gap", drawHoles(report).trimEnd())}`]
        : []),
    ]),
    writeFlicker(report),
    ...tellHoles(report, clock).flatMap((text) => wrapText(text, SCREEN_WIDTH - 2, "  ").map((line) => `  ${line}`)),
  ];
}

/** A series that was scraped with an earlier one and spliced alike: only its values, so its flicker, are its own. */
function writeTwin(report: SeriesReport, twin: SeriesReport, terminal: Terminal): string[] {
  const text = `scraped together with ${formatMetric(twin.labels)}: the same timelines and numbers`;
  return [
    ...writeLabels(report, terminal),
    ...wrapText(text, SCREEN_WIDTH - 2, "").map((line) => `  ${line}`),
    writeFlicker(report),
  ];
}

function writeLabels({ labels }: SeriesReport, terminal: Terminal): string[] {
  return wrapLabels(labels, SCREEN_WIDTH).map((line) => terminal.paint("heading", line));
}

/** Whether the replicas, and each strategy of them, have the same times, and the same replicas serve when. */
function hasSameTimes(left: SeriesReport, right: SeriesReport): boolean {
  return (
    left.replicas.every(({ columns }, index) =>
      isEqual(columns.timestamps, right.replicas[index]!.columns.timestamps),
    ) &&
    left.strategies.every(({ columns, flips }, index) => {
      const other = right.strategies[index]!;
      return (
        flips === other.flips &&
        isEqual(columns.timestamps, other.columns.timestamps) &&
        isEqual(columns.replicas, other.columns.replicas)
      );
    })
  );
}

function isEqual(left: Float64Array | Uint8Array, right: Float64Array | Uint8Array): boolean {
  return left.length === right.length && left.every((number, row) => number === right[row]);
}

function writeFlicker({ flickerMs, window, points, splicedFlicker }: SeriesReport): string {
  const marks = flickerMs.map((timeMs) => ({ timeMs, mark: "~" }));
  return `  flicker  ${drawMarks(marks, window, TIMELINE_WIDTH)} ${flickerMs.length} of ${points}; spliced ${splicedFlicker}`;
}

function writeStrategy(track: StrategyTrack, window: SeriesReport["window"], terminal: Terminal): string {
  const served = drawSpliced(track, window, TIMELINE_WIDTH, terminal.glyphs);
  const ownNumbers = [track.switches, track.flips].map((count) => String(count).padStart(6));
  return writeTrack(track.name, paintTimeline(served, terminal, "gap"), track) + ownNumbers.join("");
}

function writeTrack(name: string, timeline: string, track: Track): string {
  const samples = track.columns.timestamps.length;
  const numbers = [
    String(samples).padStart(8),
    formatShare(track.coverage).replace(" ", "").padStart(8),
    (samples === 0 ? "-" : String(track.holeCount)).padStart(6),
    (samples === 0 ? "-" : String(track.nearDuplicates)).padStart(6),
  ];
  return `  ${name.padEnd(9)}${timeline}${numbers.join("")}`;
}

/** The marks of missed scrapes first, so that they do not hide those that stand alone. */
function drawHoles({ holes, window }: SeriesReport): string {
  const [missed, others] = [
    holes.filter(({ cause }) => cause === "missed"),
    holes.filter(({ cause }) => cause !== "missed"),
  ];
  const marks = [...missed, ...others].map(({ fromMs, cause }) => ({ timeMs: fromMs, mark: HOLE_MARKS[cause] }));
  return drawMarks(marks, window, TIMELINE_WIDTH);
}
