/**
 * Why the spliced series has a hole. `penalty` does not look at the replica that it did not pick until twice the last step has
 * passed; replica B here has samples in the hole, but it is not looked at in time:
 *
 *     A        o    o    o
 *     B          o    o    o    o    o    o
 *     spliced  A    A    A············B   B
 *                        └ 2 intervals ┘
 */
import type { Columns } from "@promsplice/core";
import type { Stretch } from "./measure.ts";
import type { Spliced } from "./splice-pair.ts";
import { STALE_MARKER_BITS, viewBits } from "./stale-marker.ts";

/**
 * - `missed`: the replica in use missed a scrape and went on; the other one has samples there.
 * - `stopped`: the replica in use stopped; the other one was not looked at until twice the last step had passed.
 * - `set-aside`: as `stopped`, but the other one had been set aside for longer: because of a hole before this one, or because
 *   the series had only just begun.
 * - `neither`: for most of the hole no replica has a sample.
 */
export type HoleCause = "missed" | "stopped" | "set-aside" | "neither";

export interface Hole extends Stretch {
  readonly cause: HoleCause;
  /** Which replica gave the sample before the hole. */
  readonly replica: number;
  /** Whether the sample before the hole is a stale marker. */
  readonly isAfterMarker: boolean;
  /** How many live samples the other replica has inside the hole. */
  readonly samplesLeftOut: number;
  /** How long the replica that gave the sample before the hole is itself without a sample; +∞ where it has no more. */
  readonly silentMs: number;
  /** For how long after the sample before the hole the other replica is not looked at. */
  readonly waitMs: number;
  /** The step from which that wait comes: twice its length, counted from its end; undefined for the wait at the start. */
  readonly waitStep: Stretch | undefined;
}

/** For so long after the first sample the other replica is not looked at: 5 s stand in for the step that is not there yet. */
const FIRST_WAIT_MS = 5000;

/** Up to so many intervals without a sample are a missed scrape, more is an outage. */
const MISSED_INTERVALS = 2.5;

/** Explains the hole after a row of a series that `penalty` has spliced from two replicas. */
export function explainHole(spliced: Spliced, replicas: readonly Columns[], row: number, intervalMs: number): Hole {
  const fromMs = spliced.timestamps[row]!;
  const toMs = spliced.timestamps[row + 1]!;
  const replica = spliced.replicas[row]!;
  const liveTimes = replicas.map((columns) => findLiveTimes(columns, fromMs, toMs));
  const nextMs = replicas[replica]!.timestamps.find((timestampMs) => timestampMs > fromMs) ?? Infinity;
  const { waitMs, waitStep } = findWait(spliced, row);
  const hole = {
    fromMs,
    toMs,
    replica,
    isAfterMarker: viewBits(spliced)[row] === STALE_MARKER_BITS,
    samplesLeftOut: liveTimes.flat().length,
    silentMs: nextMs - fromMs,
    waitMs,
    waitStep,
  };
  return { ...hole, cause: findCause(hole, liveTimes.flat(), intervalMs) };
}

function findCause(hole: Omit<Hole, "cause">, liveTimes: readonly number[], intervalMs: number): HoleCause {
  const times = [hole.fromMs, ...liveTimes.toSorted((left, right) => left - right), hole.toMs];
  const gaps = times.slice(1).map((timeMs, index) => timeMs - times[index]!);
  const longestMs = gaps.reduce((longest, gapMs) => Math.max(longest, gapMs), 0);
  if (longestMs > (hole.toMs - hole.fromMs) / 2 && longestMs > 1.5 * intervalMs) {
    return "neither";
  }
  if (hole.silentMs <= MISSED_INTERVALS * intervalMs) {
    return "missed";
  }
  return hole.waitStep?.toMs === hole.fromMs ? "stopped" : "set-aside";
}

/** The times of a replica's live samples strictly between two times. */
function findLiveTimes(columns: Columns, afterMs: number, beforeMs: number): number[] {
  const bits = viewBits(columns);
  return [...columns.timestamps].filter(
    (timestampMs, row) => timestampMs > afterMs && timestampMs < beforeMs && bits[row] !== STALE_MARKER_BITS,
  );
}

/**
 * Until when the replica that is not in use is passed over after a row. Each step moves it past twice the step's length and it
 * never moves back, so the furthest of these targets since it last gave a sample holds.
 */
function findWait({ timestamps, replicas }: Spliced, row: number): Pick<Hole, "waitMs" | "waitStep"> {
  const fromMs = timestamps[row]!;
  let waitMs = -Infinity;
  let waitStep: Stretch | undefined;
  let step = row;
  for (; step >= 1 && replicas[step] === replicas[row]; step--) {
    const [beforeMs, toMs] = [timestamps[step - 1]!, timestamps[step]!];
    const candidateMs = toMs + 2 * (toMs - beforeMs) - fromMs;
    if (candidateMs > waitMs) {
      waitMs = candidateMs;
      waitStep = { fromMs: beforeMs, toMs };
    }
  }
  const firstWaitMs = timestamps[0]! + FIRST_WAIT_MS - fromMs;
  if (step === 0 && replicas[0] === replicas[row] && firstWaitMs > waitMs) {
    return { waitMs: firstWaitMs, waitStep: undefined };
  }
  return { waitMs, waitStep };
}
