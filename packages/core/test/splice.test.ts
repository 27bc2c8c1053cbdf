/** The calls at the door: what they take, what they give, what they refuse. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Block,
  checkColumns,
  columnsBlock,
  dedup,
  histogramBlock,
  interval,
  penalty,
  slice,
  splice,
  spliceAsync,
  spliceBlocks,
} from "../src/index.ts";
import { scenes } from "./generators.ts";
import { columnsOf, cut, floatRow, formatRow, formatRuns, rowsOf, rowsOfColumns } from "./samples.ts";

function columns(...times: number[]) {
  return { timestamps: Float64Array.from(times), values: Float64Array.from(times, (t) => t / 1000) };
}

function rowsBetween(startMs: number, endMs: number, stepMs: number) {
  const times: number[] = [];
  for (let t = startMs; t < endMs; t += stepMs) {
    times.push(t);
  }
  return times;
}

function ids(times: readonly number[]): Block {
  return histogramBlock(Float64Array.from(times), times);
}

/** A block that is a plain object, so that a test can change what it says of itself. */
function readThrough(block: Block): Block {
  const { kind, firstMs, lastMs, count, detached } = block;
  return {
    kind,
    firstMs,
    lastMs,
    count,
    detached,
    timestamps: () => block.timestamps(),
    values: () => block.values(),
    histograms: () => block.histograms(),
    valueAt: (row) => block.valueAt(row),
    staleRows: () => block.staleRows(),
  };
}

test("gives empty columns for no replica and for empty ones", () => {
  expect(dedup([], penalty())).toEqual(columns());
  expect(dedup([columns(), columns()], penalty())).toEqual(columns());
  expect([...splice([], penalty())]).toEqual([]);
  expect([...splice([[], []], penalty({ counter: true }))]).toEqual([]);
});

test("gives a copy of a lone replica", () => {
  const only = columns(1000, 2000, 50_000);
  const copy = dedup([only], penalty());
  expect(copy).toEqual(only);
  expect(copy.timestamps.buffer).not.toBe(only.timestamps.buffer);
  expect(copy.values.buffer).not.toBe(only.values.buffer);
});

test("gives columns of the exact size, which share nothing with the input", () => {
  const a = columns(...rowsBetween(0, 600_000, 15_000));
  const spliced = dedup([a, columns(...rowsBetween(2000, 1_200_000, 15_000))], penalty());
  expect(spliced.timestamps.buffer.byteLength).toBe(8 * spliced.timestamps.length);
  expect(spliced.values.buffer.byteLength).toBe(8 * spliced.values.length);
  spliced.values.fill(-1);
  expect(a.values[0]).toBe(0);
});

test("splices columns that are parts of larger buffers", () => {
  const buffer = Float64Array.from([9, 9, 0, 15_000, 30_000, 9]);
  const replica = { timestamps: buffer.subarray(2, 5), values: Float64Array.from([7, 1, 2, 3, 7]).subarray(1, 4) };
  expect(dedup([replica, columns(100_000)], penalty())).toEqual({
    timestamps: Float64Array.of(0, 15_000, 30_000, 100_000),
    values: Float64Array.of(1, 2, 3, 100),
  });
});

test("spliceBlocks gives the rows of splice, with whole blocks of floats untouched", () => {
  const seen = { whole: 0, slice: 0, gathered: 0 };
  fc.assert(
    fc.property(scenes, ({ scene: { replicas, counter }, random }) => {
      const blocks = replicas.map((rows) => cut(rows, () => 1 + random() * 20));
      const all = new Set<Block>(blocks.flat());
      const runs = formatRuns(splice(blocks, penalty({ counter })), counter).map((line) => line.replace(/ r\d+/, ""));
      const given = [...spliceBlocks(blocks, penalty({ counter }))];
      expect(given.flatMap((block) => rowsOf(block).map((row) => `${row.t} ${formatRow(row, counter)}`))).toEqual(runs);
      const untouched = new Set<Block>();
      for (const { block, start, end, add } of splice(blocks, penalty({ counter }))) {
        if (start === 0 && end === block.count && add === 0 && block.kind === "float") {
          untouched.add(block);
        }
      }
      expect(new Set(given.filter((block) => all.has(block) && block.kind === "float"))).toEqual(untouched);
      for (const block of given) {
        expect(block.firstMs).toBe(block.timestamps()[0]);
        expect(block.lastMs).toBe(block.timestamps().at(-1));
        expect(block.timestamps()).toHaveLength(block.count);
        seen[all.has(block) ? "whole" : block.count < 8 ? "gathered" : "slice"]++;
      }
    }),
    { numRuns: 1000 },
  );
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(100);
});

test("spliceBlocks gathers short runs of floats into blocks of at most 120 rows and slices longer ones", () => {
  // After a long run of A each misses two scrapes in eleven, so that penalty changes sides all the time.
  const a = rowsBetween(0, 60_000_000, 15_000).filter((_, scrape) => scrape < 100 || scrape % 11 > 1);
  const b = rowsBetween(1000, 60_000_000, 15_000).filter((_, scrape) => scrape % 11 < 4 || scrape % 11 > 5);
  const blocks = [a, b].map((times) => [columnsBlock(columns(...times))]);
  const lengths = Array.from(splice(blocks, penalty()), ({ start, end }) => end - start);
  expect(lengths.filter((length) => length < 8).length).toBeGreaterThan(500);
  const given = [...spliceBlocks(blocks, penalty())];
  const counts = given.map(({ count }) => count);
  expect(Math.max(...counts.slice(1))).toBeLessThanOrEqual(120);
  expect(counts.filter((count) => count >= 114).length).toBeGreaterThan(10);
});

test("a block is detached exactly where its first row does not follow its true predecessor", () => {
  const a = [ids([0, 15_000]), ids([30_000, 45_000]), ids([200_000, 215_000])];
  const b = [ids([1000, 16_000, 31_000, 46_000, 61_000, 76_000, 91_000, 106_000, 121_000])];
  const given = [...spliceBlocks([a, b], penalty())].map((block) => [[...block.timestamps()], block.detached]);
  expect(given).toEqual([
    [[0, 15_000], false],
    [[30_000, 45_000], false],
    [[76_000, 91_000, 106_000, 121_000], true],
    [[200_000, 215_000], true],
  ]);
  const later = [...spliceBlocks([a], penalty(), { startMs: 15_000 })].map(({ detached }) => detached);
  expect(later).toEqual([true, false, false]);
  // Of a lone replica too, where rows are left out.
  const thinned = [...spliceBlocks([[ids([15_000, 30_000, 31_000, 45_000])]], interval({ intervalMs: 15_000 }))];
  expect(thinned.map((block) => [[...block.timestamps()], block.detached])).toEqual([
    [[15_000, 30_000], false],
    [[45_000], true],
  ]);
});

test("a slice is a view, and the whole of a block is the block itself", () => {
  const block = columnsBlock(columns(10, 20, 30, 40));
  expect(slice(block, 0, 4)).toBe(block);
  const part = slice(slice(block, 1, 4), 1, 3);
  expect([part.firstMs, part.lastMs, part.count, part.detached]).toEqual([30, 40, 2, true]);
  expect(part.timestamps().buffer).toBe(block.timestamps().buffer);
  expect(part.values().buffer).toBe(block.values().buffer);
  const raised = slice(block, 1, 3, { add: 5, detached: false });
  expect([...raised.values()]).toEqual([5.02, 5.03]);
  expect(raised.valueAt(1)).toBe(5.03);
  expect(raised.values()).not.toBe(raised.values());
  expect(raised.detached).toBe(false);
  expect(() => slice(block, 2, 2)).toThrow(RangeError);
  expect(() => slice(block, 0, 5)).toThrow(/rows 0 to 5 are not a range inside a block of 4 rows/);
});

test("a slice keeps the encoded form only where it is the whole block with nothing added", () => {
  const encoded: Block = { ...readThrough(columnsBlock(columns(1, 2))), bytes: Uint8Array.of(1) };
  expect(slice(encoded, 0, 2, { detached: true }).bytes).toEqual(Uint8Array.of(1));
  expect(slice(encoded, 0, 1).bytes).toBeUndefined();
  expect(slice(encoded, 0, 2, { add: 1 }).bytes).toBeUndefined();
});

test("a block of one kind has no column of the other", () => {
  expect(() => columnsBlock(columns(1)).histograms()).toThrow(/a block of floats has no histograms/);
  expect(() => histogramBlock(Float64Array.of(1), [1]).values()).toThrow(/a block of histograms has no values/);
});

const GOOD = columns(0, 15_000, 30_000, 45_000);

test.each<[string, unknown, RegExp]>([
  ["replicas that are no array", 5, /replicas must be an array, got 5/],
  ["null for replicas", null, /replicas must be an array, got null/],
  ["a replica that is null", [GOOD, null], /replica 1/],
  ["a replica that is a number", [GOOD, 3], /replica 1/],
  [
    "timestamps in a plain array",
    [{ timestamps: [1], values: Float64Array.of(1) }],
    /replica 0: timestamps must be a Float64Array, got Array/,
  ],
  [
    "values in a plain array",
    [GOOD, { timestamps: Float64Array.of(1), values: [1] }],
    /replica 1: values must be a Float64Array, got Array/,
  ],
  ["timestamps as float32", [{ timestamps: new Float32Array(1), values: new Float64Array(1) }], /got Float32Array/],
  [
    "unequal lengths",
    [GOOD, { timestamps: Float64Array.of(1, 2), values: Float64Array.of(1) }],
    /replica 1, there are 2 timestamps but 1 values/,
  ],
  ["values without timestamps", [GOOD, { timestamps: new Float64Array(), values: Float64Array.of(1) }], /replica 1/],
  ["a first time that is no whole number", [columns(0.5, 1)], /replica 0, row 0: timestamp 0.5 is not a whole number/],
  [
    "a last time outside ±2^53",
    [GOOD, columns(0, 2 ** 53 + 2)],
    /replica 1, row 1: timestamp 9007199254740994 is outside ±2\^53/,
  ],
  ["a last time that is NaN", [columns(0, NaN)], /row 1: timestamp NaN is not a whole number/],
  ["a last time that is infinite", [columns(0, Infinity)], /row 1: timestamp Infinity/],
  ["a last time before the first", [columns(10, 20, 5)], /row 2: timestamp 5 is not later/],
])("dedup refuses %s at the door", (_, replicas, message) => {
  // @ts-expect-error: wrong on purpose
  const call = () => dedup(replicas, penalty());
  expect(call).toThrow(message);
  expect(() => {
    try {
      call();
    } catch (error) {
      throw error instanceof TypeError || error instanceof RangeError ? new Error("as it should be") : error;
    }
  }).toThrow("as it should be");
});

test.each<[string, number[], RegExp]>([
  [
    "a step backwards",
    [0, 15_000, 14_000, 45_000],
    /replica 0, row 2: timestamp 14000 is not later than the one before it, 15000/,
  ],
  ["a repeated time", [0, 15_000, 15_000, 45_000], /replica 0, row 2: timestamp 15000 is not later/],
  ["a fraction", [0, 15_000, 30_000.5, 45_000], /replica 0, row 2: timestamp 30000.5 is not a whole number/],
  ["a NaN", [0, 15_000, NaN, 45_000], /replica 0, row 2: timestamp NaN/],
  ["an infinite time", [0, 15_000, Infinity, 45_000], /replica 0, row 2: timestamp Infinity/],
  ["minus infinity", [0, 15_000, -Infinity, 45_000], /replica 0, row 2: timestamp -Infinity/],
  ["a time far outside", [0, 15_000, 1e300, 45_000], /replica 0, row 2: timestamp 1e\+300 is outside/],
])("dedup and splice refuse %s when they read that row, and checkColumns finds it", (_, times, message) => {
  const bad = columns(...times);
  expect(() => dedup([bad, columns(2000, 17_000, 32_000, 47_000)], penalty())).toThrow(message);
  expect(() => [...splice([[columnsBlock(bad)], [columnsBlock(GOOD)]], penalty())]).toThrow(RangeError);
  expect(() => checkColumns(bad)).toThrow(message.source.includes("row 2") ? /row 2/ : message);
});

test("garbage in any row ends in an error or an answer, and never in a hang", () => {
  const garbage = [NaN, Infinity, -Infinity, 0, -1, 15_000.5, 1e300, -1e300, 2 ** 53, 30_000];
  let refused = 0;
  for (const value of garbage) {
    for (let row = 0; row < 8; row++) {
      for (const replica of [0, 1]) {
        const replicas = [0, 2000].map((offset) => columns(...rowsBetween(offset, 120_000, 15_000)));
        replicas[replica]!.timestamps[row] = value;
        try {
          dedup(replicas, penalty({ counter: true }));
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
          expect(String(error)).toMatch(/replica \d/);
          refused++;
        }
      }
    }
  }
  expect(refused).toBeGreaterThan(80);
});

test.each<[string, unknown, RegExp]>([
  ["a replica that is not iterable", [[], 5], /replica 1: expected an iterable of blocks, got 5/],
  ["a block that is none", [[null]], /replica 0: expected a block .*, got null/],
  [
    "a block without rows",
    [[{ ...columnsBlock(GOOD), count: 0, timestamps: () => GOOD.timestamps }]],
    /replica 0: expected a block/,
  ],
  ["columns for blocks", [[], [GOOD]], /replica 1: expected a block/],
])("splice refuses %s", (_, replicas, message) => {
  // @ts-expect-error: wrong on purpose
  expect(() => [...splice(replicas, penalty())]).toThrow(message);
});

test("refuses strategies and windows that are none", async () => {
  // @ts-expect-error: wrong on purpose
  expect(() => dedup([GOOD], { name: "penalty" })).toThrow(/strategy must be made by penalty/);
  // @ts-expect-error: wrong on purpose
  expect(() => dedup([GOOD], undefined)).toThrow(TypeError);
  expect(() => dedup([GOOD], penalty(), { startMs: NaN })).toThrow(/startMs must be a number of milliseconds, got NaN/);
  // @ts-expect-error: wrong on purpose
  expect(() => splice([], penalty(), { endMs: "now" })).toThrow(/endMs must be a number of milliseconds, got now/);
  // @ts-expect-error: wrong on purpose
  expect(() => spliceAsync([[]], penalty())).toThrow(/replica 0: expected an async iterable of blocks, got Array/);
});

test("refuses more replicas than a fold can nest", () => {
  const most = Array.from({ length: 256 }, (_, replica) => columns(replica, 15_000 + replica));
  expect(dedup(most, penalty({ counter: true })).timestamps).toHaveLength(2);
  expect(() => dedup([...most, GOOD], penalty())).toThrow(/there are 257 replicas, limit is 256/);
});

test("refuses a block that claims to end later than it does", () => {
  const lying: Block = { ...readThrough(columnsBlock(columns(6000, 7000))), lastMs: 500_000 };
  expect(() => [...splice([[columnsBlock(columns(0, 5000, 30_000))], [lying]], penalty())]).toThrow(
    /replica 1: a block that should end at 500000 ends at 7000/,
  );
});

test("spliceBlocks names the replica and row of a bad time that it gathers", () => {
  const blocks = [columns(0), columns(0, 30, 25)].map((one) => [columnsBlock(one)]);
  expect(() => [...spliceBlocks(blocks, penalty(), { startMs: 2 })]).toThrow(
    /replica 1, row 2: timestamp 25 is not later than the one before it, 30/,
  );
});

test("a window that ends before it begins is empty", () => {
  expect(dedup([GOOD], penalty(), { startMs: 20_000, endMs: 10_000 })).toEqual(columns());
});

function* failing(): Generator<Block> {
  yield columnsBlock(columns(5));
  throw new Error("disk on fire");
}

test("leaving a loop early closes the replicas, and so does an error", () => {
  const closed: number[] = [];
  function* source(replica: number): Generator<Block> {
    try {
      for (let t = 0; ; t += 15_000) {
        yield columnsBlock(columns(t + replica));
      }
    } finally {
      closed.push(replica);
    }
  }
  for (const run of splice([source(0), source(1)], penalty())) {
    expect(run.replica).toBe(0);
    break;
  }
  expect(closed).toEqual([0, 1]);
  expect(() => [...splice([source(0), failing()], penalty())]).toThrow("disk on fire");
  expect(closed).toEqual([0, 1, 0]);
});

test("the asynchronous driver cancels a replica that never answers, and takes one step at a time", async () => {
  let isReturned = false;
  const stuck: AsyncIterable<Block> = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise<IteratorResult<Block>>(() => {}),
      return: () => {
        isReturned = true;
        return Promise.resolve({ done: true, value: undefined });
      },
    }),
  };
  const splicing = spliceAsync([stuck], penalty());
  const step = splicing.next();
  await expect(splicing.next()).rejects.toThrow(TypeError);
  await splicing.return();
  expect(isReturned).toBe(true);
  expect(await splicing.next()).toEqual({ done: true, value: undefined });
  void step;
});

test("a run is one object, used again at each step", () => {
  const runs = new Set(splice([[columnsBlock(GOOD)], [columnsBlock(columns(1_000_000))]], penalty()));
  expect(runs.size).toBe(1);
});

test("dedup inside a window equals dedup of the rows inside it", () => {
  const rows = [0, 2000].map((offset) => rowsBetween(offset, 300_000, 15_000).map((t) => floatRow(t, t / 7)));
  const inside = (replica: (typeof rows)[number]) => replica.filter(({ t }) => t >= 17_000 && t <= 200_000);
  const whole = dedup(
    rows.map((replica) => columnsOf(replica)),
    penalty(),
    { startMs: 17_000, endMs: 200_000 },
  );
  const cutOut = dedup(
    rows.map((replica) => columnsOf(inside(replica))),
    penalty(),
  );
  expect(rowsOfColumns(whole)).toEqual(rowsOfColumns(cutOut));
});
