/**
 * What a load balancer shows that sends one refresh of a graph to one replica and the next one to the other.
 *
 *     point              0     1     2     3     4
 *     refresh 1 from A   5     7     7     –     2        Two points change between the refreshes: 1 and 3.
 *     refresh 2 from B   5     6     7     4     2        So the graph flickers there for as long as one looks at it.
 *
 * A graph has one point an interval, and a point shows the newest sample of the five minutes before it, or none where that is
 * a stale marker: Prometheus' rules for an instant vector.
 */
import type { Columns } from "@promsplice/core";
import type { Stretch } from "./measure.ts";
import { STALE_MARKER_BITS, viewBits } from "./stale-marker.ts";

/** Prometheus' default of `--query.lookback-delta`. */
const LOOK_BACK_MS = 5 * 60 * 1000;

/** The points of a graph over the window, as the bits of their values; undefined where nothing is shown. */
export function readPoints(columns: Columns, window: Stretch, stepMs: number): (bigint | undefined)[] {
  const { timestamps } = columns;
  const bits = viewBits(columns);
  const points: (bigint | undefined)[] = [];
  let next = 0;
  for (let timeMs = window.fromMs; timeMs <= window.toMs; timeMs += stepMs) {
    while (next < timestamps.length && timestamps[next]! <= timeMs) {
      next++;
    }
    const isRecent = next > 0 && timestamps[next - 1]! > timeMs - LOOK_BACK_MS;
    const value = isRecent ? bits[next - 1] : undefined;
    points.push(value === STALE_MARKER_BITS ? undefined : value);
  }
  return points;
}

/** Which points differ between two refreshes of one graph: indices, in order. */
export function compareRefreshes(
  before: readonly (bigint | undefined)[],
  after: readonly (bigint | undefined)[],
): number[] {
  return [...before.keys()].filter((point) => before[point] !== after[point]);
}
