/** What a splice keeps alive, asks for, decodes and allocates. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { type Block, columnsBlock, penalty, splice, spliceAsync } from "../src/index.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const INTERVAL_MS = 15_000;

function blockAt(index: number, rows: number, offsetMs: number): Block {
  const timestamps = Float64Array.from({ length: rows }, (_, row) => (index * rows + row) * INTERVAL_MS + offsetMs);
  return columnsBlock({ timestamps, values: new Float64Array(rows) });
}

/** A block that counts how often its columns are asked for. */
function counted(block: Block, onDecode: () => void): Block {
  const { kind, firstMs, lastMs, count, detached } = block;
  const decode = <T>(column: () => T): T => {
    onDecode();
    return column();
  };
  return {
    kind,
    firstMs,
    lastMs,
    count,
    detached,
    timestamps: () => decode(() => block.timestamps()),
    values: () => decode(() => block.values()),
    histograms: () => decode(() => block.histograms()),
    valueAt: (row) => decode(() => block.valueAt(row)),
    staleRows: () => decode(() => block.staleRows()),
  };
}

test.each([false, true])("at most three blocks of a replica are alive at once (counter: %s)", async (counter) => {
  const BLOCKS = 200;
  const alive: WeakRef<Block>[][] = [[], []];
  let aliveMax = 0;
  // A plain iterator: an async generator would keep the block that it yielded last.
  const source = (replica: number): AsyncIterable<Block> => ({
    [Symbol.asyncIterator]: () => {
      let index = 0;
      return {
        next: async () => {
          if (index === BLOCKS) {
            return { done: true, value: undefined };
          }
          // References are let go of at the end of a turn of the event loop.
          await new Promise((resolve) => {
            setImmediate(resolve);
          });
          const block = blockAt(index++, 10, replica * 2000);
          alive[replica]!.push(new WeakRef(block));
          if (index % 5 === 0) {
            collectGarbage();
            aliveMax = Math.max(
              aliveMax,
              ...alive.map((list) => list.filter((ref) => ref.deref() !== undefined).length),
            );
          }
          return { done: false, value: block };
        },
      };
    },
  });
  let rows = 0;
  for await (const run of spliceAsync([source(0), source(1)], penalty({ counter }))) {
    rows += run.end - run.start;
  }
  expect(rows).toBeGreaterThan(1990);
  expect(alive.map((list) => list.length)).toEqual([BLOCKS, BLOCKS]);
  expect(aliveMax).toBeGreaterThan(0);
  expect(aliveMax).toBeLessThanOrEqual(3);
});

test("a block is asked for only when it is needed", () => {
  const asked = [0, 0];
  const source = function* (replica: number): Generator<Block> {
    for (let index = 0; index < 100; index++) {
      asked[replica]!++;
      yield blockAt(index, 10, replica * 2000);
    }
  };
  let runs = 0;
  for (const run of splice([source(0), source(1)], penalty())) {
    runs++;
    expect(run.replica).toBe(0);
    // One in use, one held back. Of the idle replica those that its first row needs.
    expect(asked[0]).toBeLessThanOrEqual(runs + 1);
    expect(asked[1]).toBe(2);
    if (runs === 90) {
      break;
    }
  }
  expect(runs).toBe(90);
});

test.each([
  ["two", 2],
  ["three", 3],
])("of %s whole replicas of 2,500 blocks at most 2 idle ones are decoded each", (_, replicas) => {
  const decoded = Array.from({ length: replicas }, () => new Set<number>());
  const blocks = decoded.map((set, replica) =>
    Array.from({ length: 2500 }, (_ignored, index) =>
      counted(blockAt(index, 120, replica * 2000), () => set.add(index)),
    ),
  );
  let rows = 0;
  for (const run of splice(blocks, penalty())) {
    expect(run.replica).toBe(0);
    rows += run.end - run.start;
  }
  expect(rows).toBe(2500 * 120);
  expect(decoded[0]!.size).toBe(2500);
  for (const set of decoded.slice(1)) {
    expect(set.size).toBeLessThanOrEqual(2);
  }
});

test("a lone replica is not decoded at all", () => {
  let decoded = 0;
  const blocks = Array.from({ length: 50 }, (_, index) => counted(blockAt(index, 120, 0), () => decoded++));
  expect([...splice([blocks], penalty())]).toHaveLength(50);
  expect(decoded).toBe(0);
});

test("a splice of a million rows allocates less than 64 KiB, as one of ten thousand", () => {
  const script = fileURLToPath(new URL("allocations.mjs", import.meta.url));
  const { stdout, stderr, status } = spawnSync(process.execPath, ["--expose-gc", script], { encoding: "utf8" });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  const bytes = JSON.parse(stdout) as Record<string, number>;
  expect(Object.keys(bytes)).toHaveLength(4);
  for (const [title, allocated] of Object.entries(bytes)) {
    expect(allocated, title).toBeLessThan(64 * 1024);
  }
});
