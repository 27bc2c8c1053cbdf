/**
 * A day of a realistic pair, made from a seed: the same on every machine and at every start.
 *
 *     A   3.1 s after each quarter minute    down 05:10 – 05:52
 *     B   7.9 s after each quarter minute    down 13:30 – 14:05
 *
 * One scrape in ten is a few milliseconds late and one in two hundred is missed. The counter starts again from zero at 16:20.
 * One of the three targets, a worker, goes away from 20:00 to 20:30, which each server notes with a stale marker at its next
 * scrape.
 */
import { columnsBlock, type Series } from "@promsplice/core";
import type { StoredPair } from "./pair.ts";
import { STALE_MARKER_BITS } from "./stale-marker.ts";

const SEED = 20_260_115;
const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const START_MS = Date.UTC(2026, 0, 15);
const INTERVAL_MS = 15 * SECOND_MS;

const MISSED_SHARE = 0.005;
const LATE_SHARE = 0.1;
/** A late scrape comes up to so much later: what the recorded servers show, several times over. */
const LATE_MS_MAX = 40;

interface Server {
  readonly name: string;
  readonly offsetMs: number;
  readonly downFromMs: number;
  readonly downToMs: number;
}

const SERVERS: readonly Server[] = [
  { name: "A", offsetMs: 3100, downFromMs: 5 * HOUR_MS + 10 * MINUTE_MS, downToMs: 5 * HOUR_MS + 52 * MINUTE_MS },
  { name: "B", offsetMs: 7900, downFromMs: 13 * HOUR_MS + 30 * MINUTE_MS, downToMs: 14 * HOUR_MS + 5 * MINUTE_MS },
];

const RESTART_MS = 16 * HOUR_MS + 20 * MINUTE_MS;
const GONE_FROM_MS = 20 * HOUR_MS;
const GONE_TO_MS = 20 * HOUR_MS + 30 * MINUTE_MS;

type Random = () => number;

/** Makes the day. */
export function makeSeededDay(): StoredPair {
  const random = seedRandom(SEED);
  const queue = makeWalk(random, { first: 12, step: 2, chance: 0.02, min: 0, max: 40 });
  const temperature = makeWalk(random, { first: 21, step: 0.5, chance: 0.03, min: 15, max: 30 });
  const requests = makeCounter(random);
  return {
    title: "Seeded: a day of a pair, scraped every 15 s",
    name: "day",
    story: [
      "A was down for 42 min, B for 35 min, each missed one scrape in two hundred.",
      "The counter was reset at 16:20, the worker was gone from 20:00 to 20:30.",
    ],
    intervalMs: INTERVAL_MS,
    clock: "time-of-day",
    selector: '{job=~"sensor|shop|worker"}',
    servers: SERVERS.map((server) => {
      return [
        makeSeries("batch_queue_length", "worker", server, scrape(server, random), queue, { goesAway: true }),
        makeSeries("http_requests_total", "shop", server, scrape(server, random), requests),
        makeSeries("room_temperature_celsius", "sensor", server, scrape(server, random), temperature),
      ];
    }),
  };
}

/** The times at which a server scrapes one target, in milliseconds since midnight. */
function scrape(server: Server, random: Random): number[] {
  const times: number[] = [];
  for (let dueMs = server.offsetMs; dueMs < DAY_MS; dueMs += INTERVAL_MS) {
    const isMissed = random() < MISSED_SHARE;
    const lateMs = random() < LATE_SHARE ? Math.floor(random() * LATE_MS_MAX) : 0;
    const isDown = dueMs >= server.downFromMs && dueMs < server.downToMs;
    if (!isMissed && !isDown) {
      times.push(dueMs + lateMs);
    }
  }
  return times;
}

/** What a server holds of a metric whose value at second s of the day is `bySecond[s]`. */
function makeSeries(
  metric: string,
  job: string,
  server: Server,
  times: readonly number[],
  bySecond: Float64Array,
  { goesAway = false } = {},
): Series {
  const isGone = (timeMs: number): boolean => goesAway && timeMs >= GONE_FROM_MS && timeMs < GONE_TO_MS;
  // The first scrape that does not find the target is where the marker stands; the ones after it leave nothing.
  const kept = times.filter((timeMs, index) => !isGone(timeMs) || (index > 0 && !isGone(times[index - 1]!)));
  const values = new Float64Array(kept.length);
  const bits = new BigUint64Array(values.buffer);
  for (const [row, timeMs] of kept.entries()) {
    if (isGone(timeMs)) {
      bits[row] = STALE_MARKER_BITS;
    } else {
      values[row] = bySecond[Math.floor(timeMs / SECOND_MS)]!;
    }
  }
  const timestamps = Float64Array.from(kept, (timeMs) => START_MS + timeMs);
  return {
    labels: ["__name__", metric, "job", job, "replica", server.name],
    blocks: [columnsBlock({ timestamps, values })],
  };
}

/** A counter of requests, by the second of the day: more by day than by night, and from zero again after the restart. */
function makeCounter(random: Random): Float64Array {
  let total = 0;
  return Float64Array.from({ length: DAY_MS / SECOND_MS + 1 }, (_, second) => {
    const timeMs = second * SECOND_MS;
    const perSecond = 40 - 30 * Math.cos((2 * Math.PI * timeMs) / DAY_MS);
    total = timeMs === RESTART_MS ? 0 : total + Math.floor(random() * 2 * perSecond);
    return total;
  });
}

interface Walk {
  readonly first: number;
  readonly step: number;
  /** Chance of a step, by the second. */
  readonly chance: number;
  readonly min: number;
  readonly max: number;
}

/** A gauge, by the second of the day: now and then a step up or down. */
function makeWalk(random: Random, walk: Walk): Float64Array {
  let value = walk.first;
  return Float64Array.from({ length: DAY_MS / SECOND_MS + 1 }, () => {
    if (random() < walk.chance) {
      value = Math.min(walk.max, Math.max(walk.min, value + (random() < 0.5 ? -walk.step : walk.step)));
    }
    return value;
  });
}

/** Numbers in [0, 1): the generator mulberry32 (Tommy Ettinger), good enough for shapes and the same everywhere. */
function seedRandom(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
