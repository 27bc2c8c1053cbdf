/**
 * What two Prometheus servers hold of one temperature: twenty minutes, a scrape every 15 s, made up so that all that can
 * happen to a pair does.
 *
 *     minute   0    2    4    6    8    10   12   14   16   18   20
 *     A        ━━━━ ━━━━━━  ━━━━━━━━━━━━━━━━━   ━━━━━                 misses one scrape, then three; dies
 *     B        ━━━━━━━ ━━━━━━━━━     ━━━━━━━━   ━━━━━━━━━━━━━━━━━     misses two; restarts
 *                                            └ the target is down: neither has a sample
 */
const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;

export const INTERVAL_MS = 15 * SECOND_MS;
export const START_MS = Date.UTC(2026, 0, 15, 9);
export const END_MS = START_MS + 20 * MINUTE_MS;

/** In minutes since the start, from and to. */
const TARGET_DOWN = [12, 13.25];

/** Replica A and replica B: two columns each, times in ms and values in degrees Celsius. */
export const replicas = [
  makeReplica(3 * SECOND_MS, [[2, 2.25], [4.5, 5.25], TARGET_DOWN, [15.25, 20]]),
  makeReplica(8 * SECOND_MS, [[3, 3.5], [7, 9], TARGET_DOWN]),
];

/** A replica that scrapes so long after each quarter minute, but for the minutes that it misses. */
function makeReplica(offsetMs, missed) {
  const times = [];
  for (let timeMs = offsetMs; timeMs < END_MS - START_MS; timeMs += INTERVAL_MS) {
    if (!missed.some(([from, to]) => timeMs >= from * MINUTE_MS && timeMs < to * MINUTE_MS)) {
      times.push(timeMs);
    }
  }
  return {
    timestamps: Float64Array.from(times, (timeMs) => START_MS + timeMs),
    values: Float64Array.from(times, (timeMs) => temperatureAt(timeMs / MINUTE_MS)),
  };
}

/** With one decimal, as a sensor gives it. */
function temperatureAt(minute) {
  return Math.round(10 * (58 + 8 * Math.sin(minute / 2.6) + 3 * Math.sin(minute * 1.9) + Math.sin(minute * 7.3))) / 10;
}
