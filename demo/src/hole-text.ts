/** Says of each hole of a spliced series why it is there, in plain words. */
import { REPLICA_LETTERS } from "./draw.ts";
import type { SeriesReport } from "./examine.ts";
import { formatCount, formatDuration, formatInstant } from "./format.ts";
import type { Hole, HoleCause } from "./hole.ts";
import type { Pair } from "./pair.ts";

/** How a hole is marked under the timelines, and before the text on it. */
export const HOLE_MARKS: Readonly<Record<HoleCause, string>> = {
  missed: "'",
  stopped: "^",
  "set-aside": "^",
  neither: "x",
};

/** One paragraph a hole in order of time, and one for all that come from a single missed scrape. */
export function tellHoles({ holes, window }: SeriesReport, clock: Pair["clock"]): string[] {
  const missed = holes.filter(({ cause }) => cause === "missed");
  const others = holes.filter(({ cause }) => cause !== "missed");
  return [
    ...others.map((hole) => {
      const instant = formatInstant(hole.fromMs, window.fromMs, clock);
      const length = formatDuration(hole.toMs - hole.fromMs);
      return `${HOLE_MARKS[hole.cause]} ${length} hole at ${instant}: ${tellCause(hole)}`;
    }),
    ...(missed.length === 0 ? [] : [tellMissed(missed)]),
  ];
}

function tellCause({ cause, replica, isAfterMarker, silentMs, samplesLeftOut, waitMs, waitStep }: Hole): string {
  if (cause === "neither") {
    return `neither replica has a sample${isAfterMarker ? ", the target was gone (stale marker)" : ""}.`;
  }
  const letter = REPLICA_LETTERS[replica]!;
  const other = REPLICA_LETTERS[1 - replica]!;
  const stepMs = waitStep.toMs - waitStep.fromMs;
  const silence = silentMs === Infinity ? "for good" : `for ${formatDuration(silentMs)}`;
  const wait =
    cause === "set-aside"
      ? `after the ${formatDuration(stepMs)} hole before, penalty ignores ${other} for ${formatDuration(2 * stepMs)}`
      : `penalty waits ${formatDuration(waitMs)}, twice the last step, before it looks at ${other}`;
  return `${letter} is silent ${silence}. ${other} has ${formatCount(samplesLeftOut, "sample")} there, but ${wait}.`;
}

function tellMissed(holes: readonly Hole[]): string {
  const longestMs = Math.max(...holes.map(({ fromMs, toMs }) => toMs - fromMs));
  const size = holes.length === 1 ? `of ${formatDuration(longestMs)}` : `of up to ${formatDuration(longestMs)}`;
  return (
    `${HOLE_MARKS.missed} ${formatCount(holes.length, "hole")} ${size}: the replica in use missed one scrape. ` +
    "The other one has it, but penalty does not look there so soon."
  );
}
