/** The lanes of a Thanos Querier: how blocks are dealt, and splices over them. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Block } from "../src/block.ts";
import { save } from "../src/checkpoint.ts";
import { dedup, penalty, splice, spliceAsync, spliceBlocks, thanosLanes } from "../src/index.ts";
import { expectedLines, penaltyCase } from "./cases.ts";
import { scenes } from "./generators.ts";
import { seededRandom } from "./random.ts";
import { blockOf, columnsOf, cut, floatRow, formatRuns, rowsOf, rowsOfColumns } from "./samples.ts";
import { type Chunk, lanesTwin } from "./twins/lanes.ts";

function refuse(): never {
  throw new Error("a lane needs no column");
}

/** A block that must not be decoded. */
function sealed({ firstMs, lastMs, isFloat, digits }: Chunk): Block {
  return {
    kind: isFloat ? "float" : "histogram",
    firstMs,
    lastMs,
    count: 2,
    detached: false,
    bytes: digits === undefined ? undefined : Uint8Array.from(Buffer.from(digits, "hex")),
    timestamps: refuse,
    values: refuse,
    histograms: refuse,
    valueAt: refuse,
    staleRows: refuse,
  };
}

function scraped(...times: readonly number[]): Block {
  return blockOf(times.map((t) => floatRow(t, t)));
}

test("blocks are dealt as the twin deals them, and none is decoded", () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const random = seededRandom(seed);
      const below = (limit: number) => Math.floor(random() * limit);
      const isAllBytes = random() < 0.7;
      let id = 0;
      const replicas = Array.from({ length: below(5) }, () =>
        Array.from({ length: below(9) }, (): Chunk => {
          const firstMs = below(12);
          const length = 1 + below(3);
          const digits = Array.from({ length }, () => ["00", "01", "80", "ff"][below(4)]!).join("");
          return {
            id: id++,
            firstMs,
            lastMs: firstMs + below(6),
            isFloat: random() < 0.8,
            digits: isAllBytes || random() < 0.5 ? digits : undefined,
          };
        }),
      );
      const ids = new Map<Block, number>();
      const blocks = replicas.map((chunks) =>
        chunks.map((chunk) => {
          const block = sealed(chunk);
          ids.set(block, chunk.id);
          return block;
        }),
      );
      const lanes = thanosLanes(blocks.map((list) => list.values()));
      expect(lanes.map((lane) => lane.map((block) => ids.get(block)))).toEqual(lanesTwin(replicas));
    }),
    { numRuns: 3000 },
  );
});

test("a block that replicas hand over twice, as one object or as equal bytes, is dealt once", () => {
  const chunk = { id: 0, firstMs: 1, lastMs: 5, isFloat: true, digits: "0102" };
  const block = sealed(chunk);
  expect(thanosLanes([[block], [block, sealed(chunk)]])).toEqual([[block]]);
  const plain = sealed({ ...chunk, digits: undefined });
  expect(thanosLanes([[plain], [plain, sealed({ ...chunk, digits: undefined })]])).toHaveLength(2);
});

test("a splice over lanes is a splice of the lanes, and its runs name the replicas that the blocks came from", () => {
  let swapped = 0;
  fc.assert(
    fc.property(scenes, ({ scene: { replicas, counter }, random }) => {
      const blocks = replicas.map((rows) => cut(rows, () => 1 + random() * 20));
      const cased = penaltyCase(counter);
      const lanes = thanosLanes(blocks);
      const rows = lanes.map((lane) => lane.flatMap((block) => rowsOf(block)));
      const splicing = splice(
        blocks.map((list) => list.values()),
        cased.strategy,
        { lanes: "thanos" },
      );
      const lines: string[] = [];
      for (const run of splicing) {
        expect(blocks[run.replica]).toContain(run.block);
        swapped += lanes[run.replica]?.includes(run.block) === true ? 0 : 1;
        lines.push(...formatRuns([run], counter).map((line) => line.replace(/ r\d+/, "")));
      }
      expect(lines).toEqual(expectedLines(cased, rows).map((line) => line.replace(/ r\d+/, "")));
    }),
    { numRuns: 500 },
  );
  expect(swapped).toBeGreaterThan(1000);
});

test("a window leaves out whole blocks before they are dealt, and rows after", () => {
  const replicas = [
    [scraped(0, 10), scraped(32, 40, 50)],
    [scraped(5, 15), scraped(30, 45, 55)],
  ];
  const lanes = (startMs: number, endMs: number) =>
    formatRuns(splice(replicas, penalty(), { lanes: "thanos", startMs, endMs }), false).map((line) =>
      line.replace(/ \S+$/, ""),
    );
  // The second replica's second block begins first and goes to lane 0, so its samples are shown.
  expect(lanes(-Infinity, Infinity)).toEqual(["0 r0", "10 r0", "30 r1", "45 r1", "55 r1"]);
  expect(lanes(12, 15)).toEqual(["15 r1"]);
  expect(lanes(31, 60)).toEqual(["32 r0", "40 r0", "50 r0"]);
  expect(lanes(60, 70)).toEqual([]);
});

test("dedup and spliceBlocks take lanes as well", () => {
  const late = [20, 30, 40].map((t) => floatRow(t, 1));
  const early = [10, 25, 35].map((t) => floatRow(t, 2));
  const spliced = dedup([columnsOf(late), columnsOf(early)], penalty(), { lanes: "thanos" });
  expect(rowsOfColumns(spliced)).toEqual(early);
  const blocks = [...spliceBlocks([[blockOf(late)], [blockOf(early)]], penalty(), { lanes: "thanos" })];
  expect(blocks.flatMap((block) => rowsOf(block))).toEqual(early);
});

test("lanes are refused where they cannot be: asynchronously, with a checkpoint, in other words, of what is no block", () => {
  const blocks = [[blockOf([floatRow(1, 1)])]];
  const splicing = splice(blocks, penalty(), { lanes: "thanos" });
  expect(() => save(splicing)).toThrow("a splice over lanes cannot be saved");
  const refused = { strategy: penalty(), resumeFromMs: [], stateFor: refuse } as never;
  expect(() => splice(blocks, penalty(), { lanes: "thanos", resume: refused })).toThrow(/cannot be resumed/);
  expect(() => spliceAsync([], penalty(), { lanes: "thanos" })).toThrow(/lanes need all blocks at hand/);
  // @ts-expect-error: wrong on purpose
  expect(() => splice(blocks, penalty(), { lanes: "cortex" })).toThrow(/lanes must be "thanos", got cortex/);
  // @ts-expect-error: wrong on purpose
  expect(() => thanosLanes([[], [null]])).toThrow(/replica 1: expected a block/);
});
