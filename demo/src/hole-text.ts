/** Says of each hole of a spliced series why it is there, in plain words. */
import { REPLICA_LETTERS } from "./draw.ts";
import type { SeriesReport } from "./examine.ts";
import { formatCount, formatDuration, formatInstant } from "./format.ts";
import type { Hole, HoleCause } from "./hole.ts";
import type { Stretch } from "./measure.ts";
import type { Pair } from "./pair.ts";

/** How a hole is marked under the timelines, and before the text on it. */
export const HOLE_MARKS: Readonly<Record<HoleCause, string>> = {
  missed: "'",
  stopped: "^",
  "set-aside": "^",
  neither: "x",
};

/** So many holes get a paragraph of their own: the first ones. */
const TOLD_MAX = 8;

/** One paragraph a hole in order of time, and one for all that come from a single missed scrape. */
export function tellHoles({ holes, window, replicas }: SeriesReport, clock: Pair["clock"]): string[] {
  const missed = holes.filter(({ cause }) => cause === "missed");
  const others = holes.filter(({ cause }) => cause !== "missed");
  return [
    ...others.slice(0, TOLD_MAX).map((hole) => {
      const instant = formatInstant(hole.fromMs, window.fromMs, clock);
      const length = formatDuration(hole.toMs - hole.fromMs);
      const isAlone = replicas[1 - hole.replica]!.columns.timestamps.length === 0;
      return `${HOLE_MARKS[hole.cause]} ${length} hole at ${instant}: ${isAlone ? tellAlone(hole) : tellCause(hole)}`;
    }),
    ...(others.length <= TOLD_MAX ? [] : [`and ${formatCount(others.length - TOLD_MAX, "hole")} more`]),
    ...(missed.length === 0 ? [] : [tellMissed(missed)]),
  ];
}

function tellCause({ cause, replica, isAfterMarker, silentMs, samplesLeftOut, waitMs, waitStep }: Hole): string {
  if (cause === "neither") {
    return `neither replica has a sample${isAfterMarker ? ", the target was gone (stale marker)" : ""}.`;
  }
  const letter = REPLICA_LETTERS[replica]!;
  const other = REPLICA_LETTERS[1 - replica]!;
  const silence = silentMs === Infinity ? "for good" : `for ${formatDuration(silentMs)}`;
  const wait =
    waitStep === undefined
      ? `for the first 5 s penalty does not look at ${other}`
      : cause === "set-aside"
        ? tellSetAside(waitStep, other)
        : `penalty waits ${formatDuration(waitMs)}, twice the last step, before it looks at ${other}`;
  return `${letter} is silent ${silence}. ${other} has ${formatCount(samplesLeftOut, "sample")} there, but ${wait}.`;
}

function tellAlone({ replica }: Hole): string {
  return `${REPLICA_LETTERS[replica]} has no sample, and of ${REPLICA_LETTERS[1 - replica]} there is none at all.`;
}

function tellSetAside({ fromMs, toMs }: Stretch, other: string): string {
  const stepMs = toMs - fromMs;
  return `after the ${formatDuration(stepMs)} hole before, penalty ignores ${other} for ${formatDuration(2 * stepMs)}`;
}

function tellMissed(holes: readonly Hole[]): string {
  const longestMs = holes.reduce((longest, { fromMs, toMs }) => Math.max(longest, toMs - fromMs), 0);
  const size = holes.length === 1 ? `of ${formatDuration(longestMs)}` : `of up to ${formatDuration(longestMs)}`;
  return (
    `${HOLE_MARKS.missed} ${formatCount(holes.length, "hole")} ${size}: the replica in use missed one scrape. ` +
    "The other one has it, but penalty does not look there so soon."
  );
}
