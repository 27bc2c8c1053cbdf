/** `interval` and `chain` against their naive twins: at random, and exhaustively over tiny universes. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Block } from "../src/block.ts";
import { chain, columnsBlock, dedup, interval, type Run, splice, spliceAsync, spliceBlocks } from "../src/index.ts";
import { chainCase, drawIntervalCase, expectedLines, intervalCase, type Replicas, type StrategyCase } from "./cases.ts";
import { type Scene, scenes } from "./generators.ts";
import { onNeed, onNeedAsync } from "./on-need.ts";
import {
  columnsOf,
  cut,
  floatRow,
  formatRow,
  formatRun,
  formatRuns,
  histogramRow,
  rowsOf,
  rowsOfColumns,
  STALE,
} from "./samples.ts";
import type { Row } from "./twins/penalty.ts";

/** One to five replicas of a scene, and one of the two strategies. */
function draw({ replicas }: Scene, random: () => number): { replicas: Replicas; strategyCase: StrategyCase } {
  const some = random() < 0.1 ? replicas.slice(0, 1) : replicas;
  return {
    replicas: some,
    strategyCase: random() < 0.35 ? chainCase() : drawIntervalCase(random),
  };
}

function format(rows: readonly Row[]): string[] {
  return rows.map((row) => `${row.t} ${formatRow(row, false)}`);
}

function formatBlocks(blocks: readonly Block[]): string[] {
  return format(blocks.flatMap((block) => rowsOf(block)));
}

/** A replica that misses nothing, every 15 s. */
function scrapes(count: number, offsetMs: number): Row[] {
  return Array.from({ length: count }, (_, scrape) => floatRow(scrape * 15_000 + offsetMs, scrape));
}

test("both agree with their twins, however the replicas are cut into blocks, handed over on need", () => {
  fc.assert(
    fc.property(scenes, ({ scene, random }) => {
      const { replicas, strategyCase } = draw(scene, random);
      const expected = expectedLines(strategyCase, replicas);
      for (const rowsMax of [1, 2, 8, Infinity]) {
        const blocks = replicas.map((rows) => cut(rows, () => (rowsMax === 8 ? 1 + random() * 8 : rowsMax)));
        const asked = replicas.map(() => 0);
        const runs = splice(
          blocks.map((list, replica) => onNeed(list, asked, replica)),
          strategyCase.strategy,
        );
        expect(formatRuns(runs, false)).toEqual(expected);
        blocks.forEach((list, replica) => expect(asked[replica]).toBeLessThanOrEqual(list.length));
      }
    }),
    { numRuns: 2000 },
  );
});

test("both agree with their twins inside a window, as runs, as blocks and as columns", () => {
  fc.assert(
    fc.property(scenes, ({ scene, random }) => {
      const { replicas, strategyCase } = draw(scene, random);
      const times = replicas.flatMap((rows) => rows.map(({ t }) => t));
      const pick = () => (times[Math.floor(random() * times.length)] ?? 0) + Math.floor(random() * 3) - 1;
      const window = { startMs: pick(), endMs: pick() };
      const expected = expectedLines(strategyCase, replicas, window);
      const blocks = replicas.map((rows) => cut(rows, () => 1 + random() * 9));
      expect(formatRuns(splice(blocks, strategyCase.strategy, window), false)).toEqual(expected);
      const withoutReplica = expected.map((line) => line.replace(/ r\d+/, ""));
      const spliced = [...spliceBlocks(blocks, strategyCase.strategy, window)];
      expect(formatBlocks(spliced)).toEqual(withoutReplica);
      if (replicas.flat().every(({ histogram }) => histogram === undefined)) {
        const columns = dedup(
          replicas.map((rows) => columnsOf(rows)),
          strategyCase.strategy,
          window,
        );
        expect(format(rowsOfColumns(columns))).toEqual(withoutReplica);
      }
    }),
    { numRuns: 1500 },
  );
});

test("both agree with their twins through the asynchronous driver", async () => {
  await fc.assert(
    fc.asyncProperty(scenes, async ({ scene, random }) => {
      const { replicas, strategyCase } = draw(scene, random);
      const blocks = replicas.map((rows) => cut(rows, () => 1 + random() * 9));
      const lines: string[] = [];
      const runs = spliceAsync(
        blocks.map((list) => onNeedAsync(list)),
        strategyCase.strategy,
      );
      for await (const run of runs) {
        lines.push(...formatRun(run, false));
      }
      expect(lines).toEqual(expectedLines(strategyCase, replicas));
    }),
    { numRuns: 500 },
  );
});

test("both give maximal runs", () => {
  fc.assert(
    fc.property(scenes, ({ scene, random }) => {
      const { replicas, strategyCase } = draw(scene, random);
      const blocks = replicas.map((rows) => cut(rows, () => 1 + random() * 6));
      let before: Run | undefined;
      for (const run of splice(
        blocks.map((list) => onNeed(list, [0], 0)),
        strategyCase.strategy,
      )) {
        expect(run.start).toBeLessThan(run.end);
        expect(before?.replica === run.replica && before.block === run.block && before.end === run.start).toBe(false);
        before = { ...run };
      }
    }),
    { numRuns: 500 },
  );
});

test("interval of its own output and chain of its own output are that output", () => {
  fc.assert(
    fc.property(scenes, ({ scene, random }) => {
      const { replicas, strategyCase } = draw(scene, random);
      const once = [
        ...spliceBlocks(
          replicas.map((rows) => cut(rows, () => 10)),
          strategyCase.strategy,
        ),
      ];
      const twice = [...spliceBlocks([once, once], strategyCase.strategy)];
      expect(formatBlocks(twice)).toEqual(formatBlocks(once));
    }),
    { numRuns: 500 },
  );
});

/** Every replica over `steps` times with one of some values, or none, at each. */
function* universe(steps: number, values: readonly ((t: number) => Row)[]): Generator<Row[]> {
  for (let code = 0; code < (values.length + 1) ** steps; code++) {
    const rows: Row[] = [];
    for (let step = 0, rest = code; step < steps; step++, rest = Math.floor(rest / (values.length + 1))) {
      const value = values[(rest % (values.length + 1)) - 1];
      if (value !== undefined) {
        rows.push(value(step - 2));
      }
    }
    yield rows;
  }
}

test("both agree with their twins on all triples at one time with a tie of every kind", () => {
  const values = [STALE, [0x7ff80000, 1], [0xfff80000, 7], -Infinity, Infinity, -0, 0, 1, 2] as const;
  const makers = [
    ...values.map((value) => (t: number) => floatRow(t, value)),
    (t: number) => histogramRow(t, 1),
    (t: number) => histogramRow(t, 2),
  ];
  const choices = [...universe(1, makers)];
  const kinds = [chainCase(), intervalCase(1), intervalCase(5)];
  let cases = 0;
  for (const a of choices) {
    for (const b of choices) {
      for (const c of choices) {
        const strategyCase = kinds[cases % 3]!;
        const lines = formatRuns(
          splice(
            [a, b, c].map((rows) => cut(rows, () => 1)),
            strategyCase.strategy,
          ),
          false,
        );
        expect(lines.join()).toBe(expectedLines(strategyCase, [a, b, c]).join());
        cases++;
      }
    }
  }
  expect(cases).toBe(12 ** 3);
});

test("both agree with their twins on all pairs over six times around zero", () => {
  const choices = [...universe(6, [(t) => floatRow(t, t)])];
  const kinds = [chainCase(), intervalCase(1), intervalCase(2), intervalCase(3), intervalCase(4)];
  let cases = 0;
  for (const a of choices) {
    for (const b of choices) {
      for (const strategyCase of kinds) {
        const lines = formatRuns(
          splice(
            [a, b].map((rows) => cut(rows, () => 1 + (cases % 3))),
            strategyCase.strategy,
          ),
          false,
        );
        expect(lines.join()).toBe(expectedLines(strategyCase, [a, b]).join());
        cases++;
      }
    }
  }
  expect(cases).toBe(5 * 64 * 64);
});

test("times at the ends of the range are bucketed and joined exactly", () => {
  const max = 2 ** 53;
  const replicas = [
    [-max, -max + 1, -1, 0, max - 2, max],
    [-max + 1, -max + 3, 0, 1, max - 1, max],
  ].map((times) => times.map((t) => floatRow(t, t)));
  for (const strategyCase of [chainCase(), ...[1, 2, 1000, 15_000, 2 ** 52, 2 ** 53].map((ms) => intervalCase(ms))]) {
    for (const rowsMax of [1, Infinity]) {
      const runs = splice(
        replicas.map((rows) => cut(rows, () => rowsMax)),
        strategyCase.strategy,
      );
      expect(formatRuns(runs, false)).toEqual(expectedLines(strategyCase, replicas));
    }
  }
});

/** A block that counts how often its columns are asked for. */
function counting(rows: readonly Row[], asked: { timestamps: number; values: number }): Block {
  const block = columnsBlock(columnsOf(rows));
  return {
    kind: "float",
    firstMs: block.firstMs,
    lastMs: block.lastMs,
    count: block.count,
    detached: false,
    timestamps: () => (asked.timestamps++, block.timestamps()),
    values: () => (asked.values++, block.values()),
    histograms: () => block.histograms(),
    valueAt: (row) => (asked.values++, block.valueAt(row)),
    staleRows: () => block.staleRows(),
  };
}

function countDecoded(replicas: Replicas, strategy: ReturnType<typeof chain>): { timestamps: number; values: number } {
  const asked = { timestamps: 0, values: 0 };
  const blocks = replicas.map((rows) =>
    Array.from({ length: rows.length / 10 }, (_, at) => counting(rows.slice(10 * at, 10 * at + 10), asked)),
  );
  for (const run of splice(blocks, strategy)) {
    expect(run.end).toBeGreaterThan(0);
  }
  return asked;
}

test("blocks that lie in one bucket, or overlap no other replica's, are not decoded; values are read on ties only", () => {
  const hour = 3_600_000;
  expect(countDecoded([scrapes(240, 1000), scrapes(240, 3000)], interval({ intervalMs: hour }))).toEqual({
    timestamps: 0,
    values: 0,
  });
  expect(countDecoded([scrapes(240, 0), scrapes(240, hour)], chain())).toEqual({ timestamps: 0, values: 0 });
  const overlapping = [scrapes(240, 1000), scrapes(240, 3000)];
  expect(countDecoded(overlapping, chain())).toEqual({ timestamps: 48, values: 0 });
  expect(countDecoded(overlapping, interval({ intervalMs: 15_000 }))).toEqual({ timestamps: 48, values: 0 });
  expect(countDecoded([scrapes(240, 0), scrapes(240, 0)], chain()).values).toBe(0);
  expect(
    countDecoded([scrapes(240, 0), scrapes(240, 0)], interval({ intervalMs: 15_000 })).values,
  ).toBeGreaterThanOrEqual(480);
});

test("a time that is out of order or no whole number is refused where it is read, with its replica and row", () => {
  for (const strategy of [chain(), interval({ intervalMs: 10 })]) {
    for (const times of [
      [0, 30, 20, 40],
      [0, 10.5, 20, 40],
      [0, 20, 20, 40],
    ]) {
      const bad = columnsBlock({ timestamps: Float64Array.from(times), values: new Float64Array(4) });
      const good = columnsBlock({ timestamps: Float64Array.of(1, 11, 21, 31, 41), values: new Float64Array(5) });
      expect(() => [...splice([[good], [bad]], strategy)]).toThrow(/replica 1, row [12]: timestamp/);
    }
  }
});

test("interval refuses an interval that is none", () => {
  // @ts-expect-error: it is required
  expect(() => interval()).toThrow(/interval: intervalMs must be a number of milliseconds, got undefined/);
  // @ts-expect-error: a string is no number
  expect(() => interval({ intervalMs: "15s" })).toThrow(TypeError);
  for (const intervalMs of [0, -1, 1.5, NaN, Infinity, 2 ** 54]) {
    expect(() => interval({ intervalMs })).toThrow(/interval: intervalMs must be a positive whole number inside 2\^53/);
  }
});
