/** Replicas for property tests: small dense universes, in which every tie and gap happens, and what scrapes look like. */
import * as fc from "fast-check";
import { seededRandom } from "./random.ts";
import { floatRow, histogramRow, STALE } from "./samples.ts";
import type { Row } from "./twins/penalty.ts";

export interface Scene {
  readonly replicas: readonly (readonly Row[])[];
  readonly counter: boolean;
}

/** Values that break things that are handled carelessly, and small numbers that rise and fall. */
const VALUES: readonly (number | readonly [number, number])[] = [
  STALE,
  [0x7ff80000, 1],
  [0xfff80000, 7],
  [0x7ff00000, 1],
  Infinity,
  -Infinity,
  -0,
  0,
  0.1,
  1e300,
  5e-324,
];

/** Kind and value of one sample, drawn: mostly a number that tends to rise, at times a special value or a histogram. */
function drawRow(t: number, level: number, histograms: number, random: () => number): Row {
  const choice = random();
  if (choice < histograms) {
    return histogramRow(t, Math.floor(random() * 1e6));
  }
  return choice > 0.93 ? floatRow(t, VALUES[Math.floor(random() * VALUES.length)]!) : floatRow(t, level);
}

/** A replica over the times 0 … 40 × `unitMs`, at times a millisecond late: penalties end a millisecond after a multiple. */
function drawDense(unitMs: number, histograms: number, random: () => number): Row[] {
  const share = 0.15 + 0.8 * random();
  const rows: Row[] = [];
  let level = Math.floor(random() * 20);
  for (let step = 0; step <= 40; step++) {
    level = random() < 0.1 ? 0 : level + Math.floor(random() * 4);
    if (random() < share) {
      rows.push(drawRow((step - 5) * unitMs + (random() < 0.3 ? 1 : 0), level, histograms, random));
    }
  }
  return rows;
}

/** A replica as scrapes look: an interval, an offset, jitter, missed scrapes and an outage. */
function drawScrapes(intervalMs: number, histograms: number, random: () => number): Row[] {
  const offsetMs = Math.floor(random() * intervalMs);
  const jitterMs = random() < 0.5 ? 0 : Math.floor((random() * intervalMs) / 4);
  const missed = random() < 0.3 ? 0 : random() * 0.5;
  const outageStart = Math.floor(random() * 80);
  const outageEnd = outageStart + Math.floor(random() * 20);
  const rows: Row[] = [];
  let level = 0;
  for (let scrape = 0; scrape < 60; scrape++) {
    level = random() < 0.03 ? 0 : level + Math.floor(random() * 10);
    if (random() >= missed && (scrape < outageStart || scrape >= outageEnd)) {
      const t = 1_700_000_000_000 + offsetMs + scrape * intervalMs + Math.floor(random() * jitterMs);
      rows.push(drawRow(t, level, histograms, random));
    }
  }
  return rows;
}

/** Two to five replicas, or as many as asked for; half of the scenes without histograms. */
function drawScene(random: () => number, replicasMax = 5): Scene {
  const replicas = 2 + Math.floor(random() * (replicasMax - 1));
  const histograms = random() < 0.5 ? 0 : random() * 0.5;
  const unitMs = [3, 1000, 2500, 5000][Math.floor(random() * 4)]!;
  const isDense = random() < 0.6;
  return {
    counter: random() < 0.5,
    replicas: Array.from({ length: replicas }, () =>
      isDense ? drawDense(unitMs, histograms, random) : drawScrapes(15_000, histograms, random),
    ),
  };
}

/** A scene and a source of further draws, from one seed, which fast-check shrinks and reports. */
export const scenes: fc.Arbitrary<{ readonly scene: Scene; readonly random: () => number; readonly seed: number }> = fc
  .integer({ min: 0, max: 2 ** 31 - 1 })
  .map((seed) => {
    const random = seededRandom(seed);
    return { scene: drawScene(random), random, seed };
  });
