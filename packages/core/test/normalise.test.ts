/** A replica's own blocks that overlap, repeat or come out of order, against a twin that sorts and lets the first block win. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Block } from "../src/block.ts";
import { columnsBlock, penalty, type Run, SpliceError, splice, spliceAsync, spliceBlocks } from "../src/index.ts";
import { seededRandom } from "./random.ts";
import { addTo, blockOf, floatRow, formatRow, formatRun, formatRuns, histogramRow, rowsOf } from "./samples.ts";
import { penaltyTwin, type Row } from "./twins/penalty.ts";

/** The rows of each block of one replica, in the order in which the blocks are given. */
type Pieces = readonly (readonly Row[])[];

interface Overlaps {
  readonly replicas: readonly Pieces[];
  readonly counter: boolean;
  readonly unitMs: number;
}

function byFirstTime(pieces: Pieces): Pieces {
  return pieces.toSorted((one, other) => one[0]!.t - other[0]!.t);
}

/** The twin: blocks by first time (those that begin together as they stand), then rows by time, the first block winning. */
function unite(pieces: Pieces): Row[] {
  const rows = new Map<number, Row>();
  for (const row of byFirstTime(pieces).flat()) {
    rows.set(row.t, rows.get(row.t) ?? row);
  }
  return [...rows.values()].toSorted((one, other) => one.t - other.t);
}

/** The most blocks that cover one instant. */
function openMax(pieces: Pieces): number {
  const open = (t: number) => pieces.filter((rows) => rows[0]!.t <= t && rows.at(-1)!.t >= t).length;
  return Math.max(...pieces.map((rows) => open(rows[0]!.t)));
}

function drawPiece(block: number, unitMs: number, random: () => number): Row[] {
  const first = Math.floor(random() * 60);
  const steps = 1 + Math.floor(random() * (random() < 0.2 ? 40 : 8));
  const share = random();
  const row = random() < 0.3 ? histogramRow : floatRow;
  return Array.from({ length: steps }, (_, step) => first + step)
    .filter((step) => step === first || random() < share)
    .map((step) => row(step * unitMs, block * 1000 + step));
}

/** Up to ten blocks of one replica over few times, of both kinds, so that they overlap, nest, repeat and begin together. */
function drawPieces(unitMs: number, random: () => number): Pieces {
  for (;;) {
    const blocks = 1 + Math.floor(random() * 10);
    const pieces = Array.from({ length: blocks }, (_, block) => drawPiece(block, unitMs, random));
    if (openMax(pieces) <= 8) {
      return pieces;
    }
  }
}

const overlaps: fc.Arbitrary<Overlaps> = fc.integer({ min: 0, max: 2 ** 31 - 1 }).map((seed) => {
  const random = seededRandom(seed);
  const unitMs = [1, 1000, 15_000][Math.floor(random() * 3)]!;
  const count = 1 + Math.floor(random() * 3);
  const replicas = Array.from({ length: count }, () => drawPieces(unitMs, random));
  return { replicas, counter: random() < 0.5, unitMs };
});

/** One line a sample: the twin of `penalty` over the united replicas. */
function expectedLines({ replicas, counter }: Overlaps, startMs = -Infinity, endMs = Infinity): string[] {
  const united = replicas.map((pieces) => unite(pieces).filter(({ t }) => t >= startMs && t <= endMs));
  return penaltyTwin(united, counter).map(
    ({ t, replica, row, add }) => `${t} r${replica} ${formatRow(addTo(united[replica]![row]!, add), counter)}`,
  );
}

function blocksOf(pieces: Pieces): Block[] {
  return pieces.map((rows) => blockOf(rows));
}

async function* asynchronous<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) {
    await Promise.resolve();
    yield item;
  }
}

test("arrays of blocks in any order are spliced as their unions, the first block winning", () => {
  fc.assert(
    fc.property(overlaps, (scene) => {
      const blocks = scene.replicas.map((pieces) => blocksOf(pieces));
      const runs = splice(blocks, penalty({ counter: scene.counter }));
      expect(formatRuns(runs, scene.counter)).toEqual(expectedLines(scene));
    }),
    { numRuns: 1500 },
  );
});

test("streams of blocks by first time are spliced as their unions, through both drivers", async () => {
  await fc.assert(
    fc.asyncProperty(overlaps, async (scene) => {
      const { counter } = scene;
      const expected = expectedLines(scene);
      const replicas = scene.replicas.map((pieces) => blocksOf(byFirstTime(pieces)));
      const streams = replicas.map((blocks) => blocks.values());
      expect(formatRuns(splice(streams, penalty({ counter })), counter)).toEqual(expected);
      const lines: string[] = [];
      const asyncStreams = replicas.map((blocks) => asynchronous(blocks));
      for await (const run of spliceAsync(asyncStreams, penalty({ counter }))) {
        lines.push(...formatRun(run, counter));
      }
      expect(lines).toEqual(expected);
    }),
    { numRuns: 700 },
  );
});

test("a window cuts the union, wherever its edges fall in the blocks", () => {
  const steps = fc.integer({ min: -1, max: 70 });
  fc.assert(
    fc.property(overlaps, steps, steps, (scene, first, last) => {
      const [startMs, endMs] = [first * scene.unitMs, last * scene.unitMs];
      const blocks = scene.replicas.map((pieces) => blocksOf(pieces));
      const runs = splice(blocks, penalty({ counter: scene.counter }), { startMs, endMs });
      expect(formatRuns(runs, scene.counter)).toEqual(expectedLines(scene, startMs, endMs));
    }),
    { numRuns: 1000 },
  );
});

test("united blocks are whole blocks again, with true first and last times and counts", () => {
  fc.assert(
    fc.property(overlaps, ({ replicas: [pieces] }) => {
      const united: Row[] = [];
      for (const { block, start, end } of splice([blocksOf(pieces!)], penalty())) {
        const rows = rowsOf(block);
        expect([start, end, block.count]).toEqual([0, rows.length, rows.length]);
        expect([block.firstMs, block.lastMs]).toEqual([rows[0]!.t, rows.at(-1)!.t]);
        united.push(...rows);
      }
      expect(united).toEqual(unite(pieces!));
    }),
    { numRuns: 700 },
  );
});

function blockAt(...times: number[]): Block {
  return columnsBlock({ timestamps: Float64Array.from(times), values: Float64Array.from(times) });
}

function timesOf(runs: Iterable<Run>): number[] {
  return Array.from(runs, (run) => [...run.block.timestamps().subarray(run.start, run.end)]).flat();
}

test("blocks that do not overlap are passed on as they are, in time order", () => {
  const blocks = [blockAt(1, 2), blockAt(3), blockAt(4, 9), blockAt(10)];
  const given = Array.from(splice([blocks.toReversed()], penalty()), (run) => run.block);
  expect(given).toHaveLength(4);
  given.forEach((one, index) => expect(one).toBe(blocks[index]));
});

/** Runs `call`, which must be refused, and gives the error. */
function refusal(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}

test("a stream that steps back is refused, and the replica and both times are named", () => {
  const stepping = [blockAt(10, 11), blockAt(9, 12)].values();
  const error = refusal(() => timesOf(splice([[blockAt(1)], stepping], penalty())));
  expect(error).toBeInstanceOf(SpliceError);
  expect(error).toMatchObject({ code: "blocks-out-of-order", replica: 1 });
  expect(String(error)).toMatch(/replica 1.* 9 .* 10/);
});

test("an asynchronous stream that steps back is refused", async () => {
  const splicing = spliceAsync([asynchronous([blockAt(10, 11), blockAt(9)])], penalty());
  const read = async () => {
    for await (const run of splicing) {
      expect(run.replica).toBe(0);
    }
  };
  await expect(read()).rejects.toMatchObject({ name: "SpliceError", code: "blocks-out-of-order", replica: 0 });
});

test.each([
  ["an array", (blocks: Block[]): Iterable<Block> => blocks.toReversed()],
  ["a stream", (blocks: Block[]): Iterable<Block> => blocks.values()],
])("in %s eight blocks may be open at once, and a ninth is refused", (_, given) => {
  const covering = (count: number) =>
    given(Array.from({ length: count }, (_ignored, at) => blockAt(at, 100, 200 + at)));
  expect(timesOf(splice([covering(8)], penalty()))).toEqual([
    0, 1, 2, 3, 4, 5, 6, 7, 100, 200, 201, 202, 203, 204, 205, 206, 207,
  ]);
  const error = refusal(() => timesOf(splice([covering(1), covering(9)], penalty())));
  expect(error).toBeInstanceOf(SpliceError);
  expect(error).toMatchObject({ code: "blocks-out-of-order", replica: 1 });
  expect(String(error)).toMatch(/\b8\b/);
});

test("a chain in which each block overlaps only the next may have any length", () => {
  const chain = Array.from({ length: 5000 }, (_, link) => blockAt(10 * link, 10 * link + 5, 10 * link + 12));
  const expected = chain.flatMap((link) => [...link.timestamps()]).toSorted((one, other) => one - other);
  expect(timesOf(splice([chain.values()], penalty()))).toEqual(expected);
});

test("a block may cover any number of others that follow one another", () => {
  const covered = Array.from({ length: 1000 }, (_, at) => blockAt(10 + 10 * at, 15 + 10 * at));
  const times = timesOf(splice([[blockAt(0, 100_000), ...covered].values()], penalty()));
  expect(times).toEqual([0, ...covered.flatMap((one) => [...one.timestamps()]), 100_000]);
});

test("spliceBlocks gives the rows of the union, whichever order the blocks come in", () => {
  fc.assert(
    fc.property(overlaps, ({ replicas: [pieces] }) => {
      const united = Array.from(spliceBlocks([blocksOf(pieces!)], penalty()), (block) => rowsOf(block)).flat();
      expect(united).toEqual(unite(pieces!));
    }),
    { numRuns: 300 },
  );
});

/** A block that knows the bytes that it was received as. */
function encoded(bytes: Uint8Array, ...times: number[]): Block {
  const plain = blockAt(...times);
  return {
    kind: "float",
    firstMs: plain.firstMs,
    lastMs: plain.lastMs,
    count: plain.count,
    detached: false,
    bytes,
    timestamps: () => plain.timestamps(),
    values: () => plain.values(),
    histograms: () => plain.histograms(),
    valueAt: (row) => plain.valueAt(row),
    staleRows: () => plain.staleRows(),
  };
}

test.each([2, 9])("identical bytes sent %d times are one block, passed on untouched", (copies) => {
  const repeat = (bytes: number[], ...times: number[]) =>
    Array.from({ length: copies }, () => encoded(Uint8Array.from(bytes), ...times));
  const first = repeat([1, 2, 3], 1, 2, 3);
  const second = repeat([7, 8], 4, 5);
  const given = Array.from(splice([[...first, ...second].values()], penalty()), (run) => run.block);
  expect(given).toHaveLength(2);
  expect(given[0]).toBe(first[0]);
  expect(given[1]).toBe(second[0]);
});

function undecodable(): never {
  throw new Error("the block was decoded");
}

test("a block that was sent twice is passed on without being decoded", () => {
  const [first, second, next] = [
    [1, 4],
    [1, 4],
    [5, 6],
  ].map(([firstMs, lastMs]) => ({
    ...encoded(Uint8Array.of(firstMs!, lastMs!), firstMs!, lastMs!),
    timestamps: undecodable,
    values: undecodable,
    valueAt: undecodable,
    staleRows: undecodable,
  }));
  const given = [...spliceBlocks([[first!, second!, next!].values()], penalty())];
  expect(given).toHaveLength(2);
  expect(given[0]).toBe(first);
  expect(given[1]).toBe(next);
});

test("blocks with other bytes at the same times are not taken for repeats", () => {
  const blocks = [encoded(Uint8Array.of(1), 1, 3), encoded(Uint8Array.of(2), 1, 2, 3)];
  expect(timesOf(splice([blocks.values()], penalty()))).toEqual([1, 2, 3]);
});
