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
  /**
   * The scrape interval in ms, if it is known: at most every replica's own. By default it is estimated for each replica.
   * Given, the promises below hold exactly; a value that is too large leaves holes, one that is too small doubles samples.
   */
  readonly intervalMs?: number;
  /**
   * What becomes of stale markers. `live-wins` (default): between two samples at most one is shown, the earliest that no other
   * replica contradicts by a live sample within 1.5 intervals after it. `keep`: all of the replica that gave the sample before
   * them. `drop`: none.
   */
  readonly staleMarkers?: StaleMarkers;
  /**
   * For counters: a change of replica shows no reset that no replica has. Off by default. Where the replica changes to a value
   * below the last one shown, the sample is left out, until its replica passes that value or has a reset of its own since then;
   * but a sample more than 1.5 intervals after the last one shown is taken all the same. Matters only where clocks differ by
   * half an interval or more.
   */
  readonly counter?: boolean;
}

/**
 * Follows one replica and fills its holes from the others: no hole that some replica could fill, no sample more than an
 * unbroken replica would give, and the same answer whichever window is asked for. The replicas' order is their priority.
 *
 * A *hole* is a gap of more than 1.5 intervals between two samples. The holes of replica 0 are filled from replica 1, those
 * that are left from replica 2, and so on. A sample is taken if it is at least half an interval away from both its neighbours
 * and the gap is then still longer than 1.5 intervals.
 *
 * **The interval** at a sample is its replica's: of its last 16 scrape-to-scrape times up to there (stale markers are scrapes;
 * where there are fewer before, the first 16) the mean of those that are no longer than 1.5 × their 20 % quantile (ascending,
 * at index ⌊0.2 · count⌋). For filling, the smaller of that and the other replica's at its first live sample in the hole counts
 * (the latter alone where the former has only one row; where both have, nothing is taken). The estimate fails where four in
 * five scrapes are missed, and follows a change of the interval after up to 16 scrapes.
 *
 * **At the window's edges** the gap before the first sample counts from `startMs` (without one, from the earliest row of any
 * replica), the one after the last up to the latest row that any replica has, or up to `endMs` where some replica has a later
 * one. Live samples agree between windows from two intervals inside their edges on if `intervalMs` is given; the estimate
 * needs the 16 scrapes before. On live data the last 1.5 intervals may change as samples arrive.
 *
 * **What it costs.** The replica that is followed is read with its values, since stale markers are in them. Others are read
 * only where it has a hole or a marker; otherwise their blocks are passed over undecoded. Of each replica, blocks are held as
 * far back as 17 rows, and ahead until the next sample is known. A sample of a lower replica less than 1.5 intervals before
 * the first or after the last one of a higher replica is not shown. If a slower replica comes first, the slower one is followed.
 *
 * @throws TypeError if an option has the wrong type, RangeError if `intervalMs` is not a positive number.
 */
export function fill(options: FillOptions = {}): Strategy {
  const { intervalMs, staleMarkers = "live-wins", counter = false } = options;
  if (intervalMs !== undefined && typeof intervalMs !== "number") {
    throw new TypeError(`fill: intervalMs must be a number of milliseconds, got ${describe(intervalMs)}`);
  }
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
