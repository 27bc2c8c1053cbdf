/**
 * Flips: what changes in a spliced series when the window that is asked for slides by a second, as a dashboard's does.
 *
 *     window 1   ├────────────────┤
 *     window 2     ├────────────────┤      a flip if a sample of the inner part, time or replica, differs
 *                      ├─ inner ─┤         2 intervals inside the later start, 1.5 inside the earlier end
 *
 * Each window is spliced on its own, from no more than the samples inside it.
 */
import { type Columns, columnsBlock, type Strategy } from "@promsplice/core";
import type { Stretch } from "./measure.ts";
import { type Spliced, splicePair } from "./splice-pair.ts";

/** Windows that follow one another. */
export interface Slide {
  /** The first one. */
  readonly first: Stretch;
  /** How many times it slides. */
  readonly steps: number;
}

const STEP_MS = 1000;
const STEPS_MAX = 60;
/** A window is a third of the time, but no longer than so many intervals: an hour at 15 s. */
const WINDOW_INTERVALS_MAX = 240;
const LEFT_INTERVALS = 2;
const RIGHT_INTERVALS = 1.5;

/** The windows at the end of a stretch: the last one ends with it. */
export function planSlide({ fromMs, toMs }: Stretch, intervalMs: number): Slide {
  const lengthMs = Math.floor(Math.min((toMs - fromMs) / 3, WINDOW_INTERVALS_MAX * intervalMs));
  const steps = Math.min(STEPS_MAX, Math.floor((toMs - fromMs - lengthMs) / STEP_MS));
  const endMs = toMs - steps * STEP_MS;
  return { first: { fromMs: endMs - lengthMs, toMs: endMs }, steps };
}

/**
 * How many of the steps are flips.
 *
 * @param replicas One pair of columns a replica.
 * @param order The replicas that are spliced, the preferred one first.
 */
export function countFlips(
  replicas: readonly Columns[],
  order: readonly number[],
  strategy: Strategy,
  { first, steps }: Slide,
  intervalMs: number,
): number {
  const all = { fromMs: first.fromMs, toMs: first.toMs + steps * STEP_MS };
  const blocks = replicas.map((columns) => {
    const { timestamps, values } = columns;
    const [start, end] = findRows(timestamps, all);
    const part = { timestamps: timestamps.subarray(start, end), values: values.subarray(start, end) };
    return start < end ? [columnsBlock(part)] : [];
  });
  let flips = 0;
  let before: Spliced | undefined;
  for (let step = 0; step <= steps; step++) {
    const window = { fromMs: first.fromMs + step * STEP_MS, toMs: first.toMs + step * STEP_MS };
    const spliced = splicePair(blocks, order, strategy, window);
    const inner = {
      fromMs: window.fromMs + LEFT_INTERVALS * intervalMs,
      toMs: window.toMs - STEP_MS - RIGHT_INTERVALS * intervalMs,
    };
    flips += before !== undefined && !isSame(before, spliced, inner) ? 1 : 0;
    before = spliced;
  }
  return flips;
}

function isSame(left: Spliced, right: Spliced, inner: Stretch): boolean {
  const [startOfLeft, endOfLeft] = findRows(left.timestamps, inner);
  const [startOfRight, endOfRight] = findRows(right.timestamps, inner);
  const [times, replicas] = [
    right.timestamps.subarray(startOfRight, endOfRight),
    right.replicas.subarray(startOfRight, endOfRight),
  ];
  return (
    endOfLeft - startOfLeft === times.length &&
    times.every(
      (timeMs, row) =>
        timeMs === left.timestamps[startOfLeft + row] && replicas[row] === left.replicas[startOfLeft + row],
    )
  );
}

/** The rows inside a stretch, both ends included: from the first one to before the second one. */
function findRows(timestamps: Float64Array, { fromMs, toMs }: Stretch): [number, number] {
  const [start, end] = [
    timestamps.findIndex((timeMs) => timeMs >= fromMs),
    timestamps.findIndex((timeMs) => timeMs > toMs),
  ];
  const last = end < 0 ? timestamps.length : end;
  return [start < 0 ? last : start, last];
}
