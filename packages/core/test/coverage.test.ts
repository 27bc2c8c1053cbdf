/** `coverage` of the spliced series against a naive computation over all of it. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Block } from "../src/block.ts";
import { chain, coverage, type Coverage, dedup, interval, penalty, splice, spliceAsync } from "../src/index.ts";
import { drawCase, type Replicas } from "./cases.ts";
import { scenes } from "./generators.ts";
import { seededRandom } from "./random.ts";
import { columnsOf, cut, floatRow } from "./samples.ts";
import { coverageTwin } from "./twins/coverage.ts";
import type { Row } from "./twins/penalty.ts";

const holesMax = 1e6;

/** What a collector says, in the words of the twin. */
function told({ samples, switches, nearDuplicates, holes }: Coverage): ReturnType<typeof coverageTwin> {
  return { samples, switches, nearDuplicates, holes };
}

/** Replicas as scrapes look: interval, jitter, drift to another interval, misses, outages, all drawn. */
function drawLong(random: () => number): Replicas {
  const intervals = [random() < 0.5 ? 15_000 : 1000, 30_000, 7000];
  return Array.from({ length: 1 + Math.floor(random() * 3) }, () => {
    const jitter = random() < 0.3 ? 0 : 0.4 * random();
    const missed = random() < 0.4 ? 0 : 0.6 * random() ** 2;
    const changeAt = random() < 0.3 ? Math.floor(150 * random()) : Infinity;
    const rows: Row[] = [];
    let timeMs = Math.floor(random() * 15_000);
    for (let scrape = 0; scrape < 150; scrape++) {
      timeMs += intervals[scrape < changeAt ? 0 : 1 + (changeAt % 2)]! + (random() < 0.01 ? 300_000 : 0);
      if (random() >= missed) {
        rows.push(floatRow(timeMs + Math.floor(random() * jitter * intervals[0]!), scrape));
      }
    }
    return rows.filter(({ t }, row) => row === 0 || t > rows[row - 1]!.t);
  });
}

test("agrees with the twin under every strategy, with the interval given and estimated, however blocks are cut", () => {
  const seen = { nearDuplicates: 0, holes: 0, switches: 0 };
  fc.assert(
    fc.property(scenes, ({ scene, random }) => {
      const replicas = random() < 0.5 ? scene.replicas : drawLong(random);
      const { strategy, twin } = drawCase(scene.counter, random);
      const given = random() < 0.3 ? { intervalMs: [15_000, 2500.5, 30_000][Math.floor(random() * 3)]! } : {};
      const expected = coverageTwin(twin(replicas), given.intervalMs);
      for (const rowsMax of [1, 12, Infinity]) {
        const collected = coverage({ level: "splice", holesMax, ...given });
        const runs = splice(
          replicas.map((rows) => cut(rows, () => (rowsMax === 12 ? 1 + random() * 12 : rowsMax))),
          strategy,
          { coverage: collected },
        );
        let samples = 0;
        for (const { start, end } of runs) {
          samples += end - start;
          expect(collected.samples).toBe(samples);
        }
        expect(told(collected)).toEqual(expected);
        expect(collected.holeCount).toBe(expected.holes.length);
        expect(collected.holesMs).toBe(expected.holes.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0));
        replicas.forEach((rows, replica) => {
          const shown = twin(replicas).filter((sample) => sample.replica === replica).length;
          expect(collected.replicas[replica]!.samples).toBe(shown);
          expect(collected.replicas[replica]!.rowsGiven).toBeGreaterThanOrEqual(shown);
          expect(collected.replicas[replica]!.rowsGiven).toBeLessThanOrEqual(rows.length);
        });
      }
      seen.nearDuplicates += expected.nearDuplicates > 0 ? 1 : 0;
      seen.holes += expected.holes.length > 0 ? 1 : 0;
      seen.switches += expected.switches > 0 ? 1 : 0;
    }),
    { numRuns: 250 },
  );
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(50);
});

function scrapes(count: number, offsetMs: number, isMissed: (scrape: number) => boolean = () => false) {
  return Array.from({ length: count }, (_, scrape) => floatRow(scrape * 15_000 + offsetMs, scrape)).filter(
    (_, scrape) => !isMissed(scrape),
  );
}

test("a pair of which one misses a scrape shows what each strategy makes of it", () => {
  const replicas = [scrapes(240, 0, (scrape) => scrape === 100), scrapes(240, 2000)].map((rows) => columnsOf(rows));
  const cover = (strategy: ReturnType<typeof chain>) => {
    const collected = coverage({ level: "splice" });
    dedup(replicas, strategy, { coverage: collected });
    const { samples, switches, nearDuplicates, holeCount, rowsDropped } = collected;
    return { samples, switches, nearDuplicates, holeCount, rowsDropped };
  };
  expect(cover(penalty())).toEqual({ samples: 239, switches: 0, nearDuplicates: 0, holeCount: 1, rowsDropped: 240 });
  expect(cover(interval({ intervalMs: 15_000 }))).toEqual({
    samples: 241,
    switches: 3,
    nearDuplicates: 2,
    holeCount: 1,
    rowsDropped: 238,
  });
  expect(cover(chain())).toEqual({ samples: 479, switches: 477, nearDuplicates: 239, holeCount: 0, rowsDropped: 0 });
});

test("holes beyond the limit are counted only, and a second splice adds to the first", () => {
  const rows = scrapes(100, 0, (scrape) => scrape > 20 && scrape % 5 === 0);
  for (const limit of [0, 3, 100]) {
    const collected = coverage({ level: "splice", holesMax: limit });
    dedup([columnsOf(rows)], penalty(), { coverage: collected });
    dedup([columnsOf(rows)], penalty(), { coverage: collected });
    expect(collected.holeCount).toBe(30);
    expect(collected.holesMs).toBe(30 * 30_000);
    expect(collected.holes).toHaveLength(Math.min(limit, 30));
    expect(collected.switches).toBe(0);
  }
});

test("blocks outside the window are not rows given, and asynchronous splices are covered as well", async () => {
  const blocks = [scrapes(100, 0), scrapes(100, 2000)].map((rows) => cut(rows, () => 10));
  const collected = coverage({ level: "splice" });
  const window = { startMs: 20 * 15_000, endMs: 60 * 15_000 - 1, coverage: collected };
  for await (const run of spliceAsync(
    blocks.map(async function* (list): AsyncGenerator<Block> {
      yield* list;
    }),
    penalty(),
    window,
  )) {
    expect(run.replica).toBe(0);
  }
  expect(collected.samples).toBe(40);
  expect(collected.replicas[0]).toEqual({ samples: 40, rowsGiven: 40 });
  expect(collected.replicas[1]!.samples).toBe(0);
  expect(collected.rowsDropped).toBe(collected.replicas[1]!.rowsGiven);
});

test("over lanes shares are those of the replicas", () => {
  const random = seededRandom(3);
  const blocks = [scrapes(300, 5000), scrapes(300, 2000)].map((rows) => cut(rows, () => 1 + random() * 6));
  const collected = coverage({ level: "splice" });
  const shown = [0, 0];
  for (const { replica, start, end } of splice(blocks, penalty(), { coverage: collected, lanes: "thanos" })) {
    shown[replica]! += end - start;
  }
  expect(Math.min(...shown)).toBeGreaterThan(0);
  expect(collected.replicas).toEqual(shown.map((samples) => ({ samples, rowsGiven: 300 })));
});

test("what is no collector and what is no option is refused", () => {
  // @ts-expect-error: wrong on purpose
  expect(() => splice([], penalty(), { coverage: {} })).toThrow(/coverage must be made by coverage\(\)/);
  // @ts-expect-error: wrong on purpose
  expect(() => coverage({ level: "all" })).toThrow(/level must be "splice" or "replicas", got all/);
  for (const intervalMs of [0, -1, NaN, Infinity]) {
    expect(() => coverage({ level: "splice", intervalMs })).toThrow(/intervalMs must be a positive number/);
  }
  for (const limit of [-1, 0.5, NaN]) {
    expect(() => coverage({ level: "splice", holesMax: limit })).toThrow(/holesMax must be a whole number/);
  }
});
