/**
 * Flips: what changes in a spliced series when the window that is asked for slides on, as a dashboard's does.
 *
 *     window 1   ├────────────────┤
 *     window 2     ├────────────────┤      a flip if a sample of the inner part, time or replica, differs
 *                      ├─ inner ─┤         2 intervals inside the later start, 1.5 inside the earlier end
 *
 * Each window is spliced on its own, from no more than the samples inside it.
 */
import { type Block, type Columns, columnsBlock, type Strategy } from "@promsplice/core";
import type { Stretch } from "./measure.ts";
import { findRows, type Spliced, splicePair } from "./splice-pair.ts";

/** Windows that follow one another. */
export interface Slide {
  /** The first one. */
  readonly first: Stretch;
  /** How many times it slides, and how far each time. */
  readonly steps: number;
  readonly stepMs: number;
}

const SECOND_MS = 1000;
const STEPS_MAX = 60;
/** A window is a third of the time, but no longer than so many intervals: an hour at 15 s. */
const WINDOW_INTERVALS_MAX = 240;
const LEFT_INTERVALS = 2;
const RIGHT_INTERVALS = 1.5;

/** Windows over all of a stretch, the last one ends with it: in steps of whole seconds, one at least. */
export function planSlide({ fromMs, toMs }: Stretch, intervalMs: number): Slide {
  const lengthMs = Math.floor(Math.min((toMs - fromMs) / 3, WINDOW_INTERVALS_MAX * intervalMs));
  const restMs = toMs - fromMs - lengthMs;
  const stepMs = Math.max(1, Math.floor(restMs / STEPS_MAX / SECOND_MS)) * SECOND_MS;
  const steps = Math.min(STEPS_MAX, Math.floor(restMs / stepMs));
  const endMs = toMs - steps * stepMs;
  return { first: { fromMs: endMs - lengthMs, toMs: endMs }, steps, stepMs };
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
  { first, steps, stepMs }: Slide,
  intervalMs: number,
): number {
  let flips = 0;
  let before: Spliced | undefined;
  for (let step = 0; step <= steps; step++) {
    const window = { fromMs: first.fromMs + step * stepMs, toMs: first.toMs + step * stepMs };
    const blocks = replicas.map((columns) => cutWindow(columns, window));
    const spliced = splicePair(blocks, order, strategy, window);
    const inner = {
      fromMs: window.fromMs + LEFT_INTERVALS * intervalMs,
      toMs: window.toMs - stepMs - RIGHT_INTERVALS * intervalMs,
    };
    flips += before !== undefined && !isSame(before, spliced, inner) ? 1 : 0;
    before = spliced;
  }
  return flips;
}

function cutWindow({ timestamps, values }: Columns, window: Stretch): Block[] {
  const [start, end] = findRows(timestamps, window);
  const part = { timestamps: timestamps.subarray(start, end), values: values.subarray(start, end) };
  return start < end ? [columnsBlock(part)] : [];
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
