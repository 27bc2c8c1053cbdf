/**
 * Timelines as text, one character a column of time:
 *
 *     A         ━━━━━━━━━━━━━━···━━━━━━     covered, or not
 *     B         ━━━━···━━━━━━━━━━━━━━━━
 *     penalty   AAAAAAAAAAAAAABBBBBBBBB     by the replica that gives most samples there
 *      holes                  ^             where that one has holes
 */
import type { Track } from "./examine.ts";
import type { Stretch } from "./measure.ts";
import type { Spliced } from "./splice-pair.ts";
import { type Glyphs, REPLICA_STYLES, type Style, type Terminal } from "./terminal.ts";

/** A column is drawn as partly covered from this share of uncovered time, and as a gap from one half. */
const PARTLY_SHARE = 0.05;
const GAP_SHARE = 0.5;

/** The letters by which replicas are shown. */
export const REPLICA_LETTERS: readonly string[] = ["A", "B"];

/** A replica's timeline, `width` characters. */
export function drawReplica(track: Track, window: Stretch, width: number, glyphs: Glyphs): string {
  return measureGaps(track.uncovered, window, width)
    .map((share) => (share < PARTLY_SHARE ? glyphs.covered : share < GAP_SHARE ? glyphs.partly : glyphs.gap))
    .join("");
}

/** The spliced timeline: a capital where the column is covered, a small letter where it is partly covered. */
export function drawSpliced(track: Track<Spliced>, window: Stretch, width: number, glyphs: Glyphs): string {
  const { timestamps, replicas } = track.columns;
  const counts = Array.from({ length: width }, () => REPLICA_LETTERS.map(() => 0));
  for (let row = 0; row < timestamps.length; row++) {
    counts[findColumn(timestamps[row]!, window, width)]![replicas[row]!]!++;
  }
  let letter = REPLICA_LETTERS[replicas[0]!]!;
  return measureGaps(track.uncovered, window, width)
    .map((share, column) => {
      const most = Math.max(...counts[column]!);
      letter = most === 0 ? letter : REPLICA_LETTERS[counts[column]!.indexOf(most)]!;
      return share < PARTLY_SHARE ? letter : share < GAP_SHARE ? letter.toLowerCase() : glyphs.gap;
    })
    .join("");
}

/** Marks at times; where two fall on one column the later one of the list shows. */
export function drawMarks(
  marks: readonly { readonly timeMs: number; readonly mark: string }[],
  window: Stretch,
  width: number,
): string {
  const columns = Array.from({ length: width }, () => " ");
  for (const { timeMs, mark } of marks) {
    columns[findColumn(timeMs, window, width)] = mark;
  }
  return columns.join("");
}

/** A timeline with its gaps in their colour, letters in those of the replicas, and what else there is in `style`. */
export function paintTimeline(line: string, terminal: Terminal, style: Style): string {
  const stretches = line.match(/(.)\1*/gu) ?? [];
  return stretches
    .map((stretch) => {
      const replica = REPLICA_LETTERS.indexOf(stretch[0]!.toUpperCase());
      const ownStyle = replica >= 0 ? REPLICA_STYLES[replica]! : style;
      return terminal.paint(stretch.startsWith(terminal.glyphs.gap) ? "gap" : ownStyle, stretch);
    })
    .join("");
}

/** The column in which a time of the window falls. */
export function findColumn(timeMs: number, window: Stretch, width: number): number {
  const share = (timeMs - window.fromMs) / (window.toMs - window.fromMs);
  return Math.min(width - 1, Math.floor(share * width));
}

/** For each column the share of its time that lies in the stretches, from 0 to 1. */
function measureGaps(uncovered: readonly Stretch[], window: Stretch, width: number): number[] {
  const columnMs = (window.toMs - window.fromMs) / width;
  return Array.from({ length: width }, (_, column) => {
    const startMs = window.fromMs + column * columnMs;
    const gapMs = uncovered.reduce(
      (sum, { fromMs, toMs }) => sum + Math.max(0, Math.min(toMs, startMs + columnMs) - Math.max(fromMs, startMs)),
      0,
    );
    return gapMs / columnMs;
  });
}
