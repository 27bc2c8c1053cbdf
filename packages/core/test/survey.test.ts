/** The survey of the replicas, `coverage` at level replicas, against a naive computation over whole lists. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { chain, coverage, dedup, type Hole, penalty, splice, spliceAsync } from "../src/index.ts";
import { scenes } from "./generators.ts";
import { columnsOf, cut, floatRow, formatRuns } from "./samples.ts";
import type { Row } from "./twins/penalty.ts";
import { surveyTwin } from "./twins/survey.ts";

function withTotals<T extends { readonly holes: readonly Hole[] }>(counted: T) {
  return {
    ...counted,
    holeCount: counted.holes.length,
    holesMs: counted.holes.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0),
  };
}

test("agrees with the twin, however blocks are cut, and the splice is the same as without it", () => {
  const seen = { holes: 0, left: 0, compared: 0, disagreements: 0 };
  fc.assert(
    fc.property(scenes, ({ scene, random }) => {
      const replicas = scene.replicas.map((rows) => (random() < 0.1 ? rows.slice(0, 3 * random()) : rows));
      const times = replicas.flat().map(({ t }) => t);
      const pick = () => (times[Math.floor(random() * times.length)] ?? 0) + Math.floor(random() * 3) - 1;
      const [startMs, endMs] = random() < 0.5 ? [-Infinity, Infinity] : [pick(), pick()];
      const given = random() < 0.3 ? { intervalMs: [15_000, 2500.5, 30_000][Math.floor(random() * 3)]! } : {};
      const collected = coverage({ level: "replicas", holesMax: 1e6, ...given });
      const blocks = replicas.map((rows) => cut(rows, () => 1 + random() * 12));
      const lines = formatRuns(
        splice(
          blocks.map((list) => list.values()),
          penalty(),
          { startMs, endMs, coverage: collected },
        ),
        false,
      );
      expect(lines).toEqual(formatRuns(splice(blocks, penalty(), { startMs, endMs }), false));
      expect(collected.samples).toBe(lines.length);
      const inside = replicas.map((rows) => rows.filter(({ t }) => t >= startMs && t <= endMs));
      const expected = surveyTwin(inside, startMs, given.intervalMs);
      expect(collected.survey).toEqual({
        ...expected,
        union: withTotals(expected.union),
        replicas: expected.replicas.map((replica) => withTotals(replica)),
      });
      seen.holes += expected.replicas.reduce((sum, { holes }) => sum + holes.length, 0);
      seen.left += expected.union.holes.length;
      seen.compared += expected.replicas.reduce((sum, { compared }) => sum + compared, 0);
      seen.disagreements += expected.replicas.reduce((sum, { disagreements }) => sum + disagreements, 0);
    }),
    { numRuns: 300 },
  );
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(300);
});

/** A counter scraped every 15 s that gains one a second. */
function scrapes(count: number, offsetMs: number, isMissed: (scrape: number) => boolean = () => false): Row[] {
  return Array.from({ length: count }, (_, scrape) => scrape)
    .filter((scrape) => !isMissed(scrape))
    .map((scrape) => floatRow(scrape * 15_000 + offsetMs, scrape * 15 + offsetMs / 1000));
}

test("a hole that another replica could fill is a hole of its replica, one of both is left", () => {
  const replicas = [
    scrapes(100, 0, (scrape) => scrape === 20 || (scrape >= 50 && scrape < 54)),
    scrapes(100, 2000, (scrape) => scrape >= 50 && scrape < 54),
  ].map((rows) => columnsOf(rows));
  const collected = coverage({ level: "replicas" });
  dedup(replicas, penalty(), { coverage: collected });
  const { fromMs, toMs, replicas: surveyed, union } = collected.survey!;
  expect([fromMs, toMs]).toEqual([0, 1_487_000]);
  expect(
    surveyed.map(({ samples, holeCount, intervalMs, jitterMs }) => [samples, holeCount, intervalMs, jitterMs]),
  ).toEqual([
    [95, 2, 15_000, 0],
    [96, 1, 15_000, 0],
  ]);
  expect(union.holes).toEqual([{ fromMs: 49 * 15_000 + 2000, toMs: 54 * 15_000 }]);
  expect(surveyed[0]!.uncoveredMs).toBe(30_000 + 75_000 - 2 * 18_750);
  expect(union.uncoveredMs).toBe(73_000 - 18_750);
});

test("replicas of one counter do not disagree, unless one has other values", () => {
  const disagreements = (b: readonly Row[]) => {
    const collected = coverage({ level: "replicas" });
    const blocks = [scrapes(100, 0), b].map((rows) => cut(rows, () => 9));
    splice(blocks, chain(), { coverage: collected });
    return collected.survey!.replicas.map((replica) => [replica.compared, replica.disagreements]);
  };
  expect(disagreements(scrapes(100, 2000))).toEqual([
    [99, 0],
    [99, 0],
  ]);
  const other = scrapes(100, 2000).map((row, scrape) => (scrape === 50 ? floatRow(row.t, 5000) : row));
  // Once between two of the first replica's; of its own pairs the one after it falls and is not compared.
  expect(disagreements(other)).toEqual([
    [99, 1],
    [98, 0],
  ]);
});

test("an asynchronous splice refuses it, and a block that is none is refused before the first step", () => {
  const collected = coverage({ level: "replicas" });
  expect(() => spliceAsync([], penalty(), { coverage: collected })).toThrow(
    /coverage of the replicas needs all blocks/,
  );
  // @ts-expect-error: wrong on purpose
  expect(() => splice([[null]], penalty(), { coverage: collected })).toThrow(/replica 0: expected a block/);
});
