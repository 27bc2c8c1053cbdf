/**
 * `fill`: follow one replica, fill its holes from the others. The replicas' order is their priority.
 *
 *     replica 0    ●────●────●─────────────────────●────●          three scrapes missed
 *     replica 1      ○────○────○────○────○────○────○────○          live all the time, 3 s later
 *     shown        ●────●────●──────○────○────○────●────●          no hole, and no sample more than one replica would give
 */
import { describe } from "../splice-error.ts";
import { Strategy } from "../strategy.ts";
import { TIMESTAMP_MS_MAX } from "../timestamp.ts";
import { Filling, STALE_MARKERS, type StaleMarkers } from "./filling.ts";

export interface FillOptions {
  /** The scrape interval in ms of every replica, at most; estimated for each by default. */
  readonly intervalMs?: number;
  readonly staleMarkers?: StaleMarkers;
  readonly counter?: boolean;
}

export function fill(options: FillOptions = {}): Strategy {
  const { intervalMs, staleMarkers = "live-wins", counter = false } = options;
  if (intervalMs !== undefined && !(intervalMs > 0 && intervalMs <= TIMESTAMP_MS_MAX)) {
    throw new RangeError(`fill: intervalMs must be a positive number of milliseconds, got ${describe(intervalMs)}`);
  }
  if (!STALE_MARKERS.includes(staleMarkers)) {
    throw new TypeError(`fill: staleMarkers must be live-wins, keep or drop, got ${describe(staleMarkers)}`);
  }
  if (typeof counter !== "boolean") {
    throw new TypeError(`fill: counter must be a boolean, got ${describe(counter)}`);
  }
  return new Strategy(
    "fill",
    { ...(intervalMs === undefined ? {} : { intervalMs }), staleMarkers, counter },
    (windows, saved) => new Filling(windows, intervalMs ?? NaN, staleMarkers, counter, saved?.scalars),
    true,
  );
}
