/** Replicas for the tests of `fill`: scrapes of one target by several servers, with what happens to them. */
import * as fc from "fast-check";
import { fill, type Strategy } from "../src/index.ts";
import { seededRandom } from "./random.ts";
import { floatRow, formatRow, STALE } from "./samples.ts";
import { fillTwin, type FillTwinOptions } from "./twins/fill.ts";
import type { Row } from "./twins/penalty.ts";

interface FillScene {
  readonly replicas: readonly (readonly Row[])[];
  /** The shortest interval of the replicas as they are configured. */
  readonly intervalMs: number;
  readonly random: () => number;
  readonly seed: number;
}

interface Weather {
  readonly scrapes: number;
  readonly replicas: number;
  /** Whether replicas may have different intervals, or a scene changes its own. */
  readonly isUneven: boolean;
}

const START_MS = 1_700_000_000_000;
const INTERVALS_MS = [1000, 5000, 15_000, 30_000, 300_000];

/** From the scrape number on which something begins to the one before which it ends. */
type Span = readonly [number, number];

function drawSpans(count: number, scrapes: number, longest: number, random: () => number): Span[] {
  return Array.from({ length: count }, () => {
    const first = Math.floor(random() * scrapes);
    return [first, first + 1 + Math.floor(random() ** 2 * longest)] as const;
  });
}

function isInside(spans: readonly Span[], at: number): boolean {
  return spans.some(([first, end]) => at >= first && at < end);
}

/** One server: when it scrapes, what it misses, when it is down, and the stale markers that it writes. */
function drawReplica(
  intervalMs: number,
  phaseMs: number,
  { scrapes, isUneven }: Weather,
  vanished: readonly Span[],
  baseMs: number,
  random: () => number,
): Row[] {
  const delayMs = random() < 0.4 ? 0 : Math.floor((random() * intervalMs) / 4);
  const missed = random() < 0.3 ? 0 : random() < 0.7 ? random() * 0.1 : random() * 0.6;
  const outages = drawSpans(Math.floor(random() * 3), scrapes, 40, random);
  const restarts = random() < 0.5 ? 0 : random() * 0.03;
  const rows: Row[] = [];
  let value = Math.floor(random() * 100);
  let wasThere = false;
  let timeMs = START_MS + phaseMs;
  const endMs = START_MS + scrapes * baseMs;
  const changesAt = isUneven && random() < 0.1 ? Math.floor(random() * scrapes) : Infinity;
  for (let scrape = 0; timeMs < endMs; scrape++) {
    const at = (timeMs - START_MS) / baseMs;
    const t = timeMs + Math.floor(random() * delayMs);
    value = random() < 0.02 ? 0 : value + Math.floor(random() * 10);
    const isThere = !isInside(vanished, at);
    if (random() >= missed && !isInside(outages, at)) {
      if (isThere && random() >= restarts) {
        rows.push(floatRow(t, random() < 0.02 ? [0x7ff80000, 1] : value));
      } else if (wasThere || isThere) {
        rows.push(floatRow(t, STALE));
      }
      wasThere = isThere;
    }
    timeMs += scrape >= changesAt ? 4 * intervalMs : intervalMs;
  }
  return rows;
}

export function drawFillScene(seed: number, weather: Weather): FillScene {
  const random = seededRandom(seed);
  const baseMs = INTERVALS_MS[Math.floor(random() * INTERVALS_MS.length)]!;
  const vanished = drawSpans(Math.floor(random() * 3), weather.scrapes, 30, random);
  const common = random() < 0.3 ? drawSpans(1, weather.scrapes, 30, random) : [];
  const replicas = Array.from({ length: weather.replicas }, () => {
    const skewMs = random() < 0.5 ? 0 : Math.floor((random() - 0.5) * baseMs);
    const phaseMs = Math.floor(random() * baseMs) + Math.max(0, skewMs);
    const factor = weather.isUneven && random() < 0.3 ? [2, 3, 10, 1.5][Math.floor(random() * 4)]! : 1;
    const rows = drawReplica(factor * baseMs, phaseMs, weather, vanished, baseMs, random);
    return rows.filter(({ t }) => !isInside(common, (t - START_MS) / baseMs));
  });
  return { replicas, intervalMs: baseMs, random, seed };
}

/** Tiny replicas on a grid, in which every tie happens. */
function drawDenseFillScene(seed: number): FillScene {
  const random = seededRandom(seed);
  const intervalMs = [2, 3, 4, 10][Math.floor(random() * 4)]!;
  const replicas = Array.from({ length: 1 + Math.floor(random() * 4) }, () => {
    const share = 0.1 + 0.9 * random();
    const markers = random() < 0.5 ? 0 : random() * 0.5;
    const length = Math.floor(random() * 60);
    const rows: Row[] = [];
    for (let t = 0; t < length; t++) {
      if (random() < share) {
        rows.push(floatRow(t, random() < markers ? STALE : t));
      }
    }
    return rows;
  });
  return { replicas, intervalMs, random, seed };
}

export const seeds: fc.Arbitrary<number> = fc.integer({ min: 0, max: 2 ** 31 - 1 });

/** Replicas and options, both from one seed; with a window in that share of the cases. */
export interface FillCase {
  readonly replicas: readonly (readonly Row[])[];
  readonly options: FillTwinOptions;
  readonly random: () => number;
}

const STALE_MARKERS = ["live-wins", "keep", "drop"] as const;

export function drawFillCase(seed: number, windows = 0.3): FillCase {
  const { replicas, intervalMs, random } =
    seed % 3 === 0
      ? drawDenseFillScene(seed)
      : drawFillScene(seed, { scrapes: 20 + (seed % 101), replicas: 1 + (seed % 5), isUneven: seed % 2 === 0 });
  const times = replicas.flatMap((rows) => rows.map(({ t }) => t));
  const pick = () => (times[Math.floor(random() * times.length)] ?? 0) + Math.floor(random() * 3) - 1;
  const options: FillTwinOptions = {
    intervalMs: random() < 0.5 ? undefined : intervalMs,
    counter: random() < 0.4,
    staleMarkers: random() < 0.6 ? "live-wins" : STALE_MARKERS[Math.floor(random() * 3)],
    ...(random() < windows ? { startMs: pick(), endMs: pick() } : {}),
  };
  return { replicas, options, random };
}

export function strategyOf({ intervalMs, staleMarkers, counter }: FillTwinOptions): Strategy {
  return fill({
    ...(intervalMs === undefined ? {} : { intervalMs }),
    ...(staleMarkers === undefined ? {} : { staleMarkers }),
    ...(counter === undefined ? {} : { counter }),
  });
}

/** What the twin shows, a line a sample. */
export function expectedLines(replicas: FillScene["replicas"], options: FillTwinOptions): string[] {
  return fillTwin(replicas, options).samples.map(
    ({ t, replica, row }) => `${t} r${replica} ${formatRow(replicas[replica]![row]!, false)}`,
  );
}
