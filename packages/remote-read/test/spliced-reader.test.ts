/** What comes out of several replicas, and what of a replica that fails: from the start, in a series, between two. */
import { type Block, columnsBlock, penalty, type Series } from "@promsplice/core";
import { expect, test } from "vitest";
import { type Row, penaltyTwin } from "../../core/test/twins/penalty.ts";
import { chunkBlock, encodeBlock } from "../src/chunk/chunk-block.ts";
import type { Query, Reading } from "../src/reader.ts";
import { RemoteReadError } from "../src/remote-read-error.ts";
import { splicedReader, type SplicedReaderOptions } from "../src/spliced-reader.ts";
import { type ScriptedReader, scriptedReader, type Step } from "./scripted-reader.ts";

const QUERY: Query = { startMs: -1e15, endMs: 1e15, matchers: [{ type: "=", name: "__name__", value: "up" }] };
const OPTIONS: SplicedReaderOptions = { replicaLabels: ["replica"], strategy: penalty() };

function rows(offsetMs: number, scrapes: readonly number[]): Row[] {
  return scrapes.map((scrape) => ({
    t: scrape * 15_000 + offsetMs,
    high: 0x3ff00000,
    low: scrape,
    histogram: undefined,
  }));
}

function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, index) => start + index);
}

/** Rows as encoded chunks of so many rows. */
function chunks(list: readonly Row[], rowsMax = 120): Block[] {
  const blocks: Block[] = [];
  for (let start = 0; start < list.length; start += rowsMax) {
    const part = list.slice(start, start + rowsMax);
    const values = new Float64Array(part.length);
    const words = new Uint32Array(values.buffer);
    part.forEach(({ high, low }, row) => words.set([low, high], 2 * row));
    const timestamps = Float64Array.from(part, ({ t }) => t);
    blocks.push(...encodeBlock(columnsBlock({ timestamps, values })).map((chunk) => chunkBlock(chunk)));
  }
  return blocks;
}

function series(name: string, replica: string | undefined, blocks: Iterable<Block>): Series {
  return { labels: ["__name__", name, "job", "j", ...(replica === undefined ? [] : ["replica", replica])], blocks };
}

/** A chunk whose bytes break off: its header is right, so that it is noticed when it is decoded. */
function broken(block: Block): Block {
  const bytes = block.bytes!;
  return chunkBlock({
    minMs: block.firstMs,
    maxMs: block.lastMs,
    type: 1,
    data: bytes.slice(0, Math.floor(bytes.length / 2)),
  });
}

const boom = new RemoteReadError("body-truncated", "cut");

async function gather(reading: Reading): Promise<string[]> {
  const lines: string[] = [];
  for await (const { labels, blocks } of reading) {
    for (const block of blocks) {
      const values = block.values();
      const words = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length);
      block.timestamps().forEach((t, row) => lines.push(`${labels.join(",")} ${t} ${words[2 * row]!}`));
    }
  }
  return lines;
}

function expectedLines(name: string, replicas: readonly (readonly Row[])[]): string[] {
  return penaltyTwin(replicas, false).map(
    ({ t, replica, row }) => `__name__,${name},job,j ${t} ${replicas[replica]![row]!.low}`,
  );
}

const A = rows(0, [...range(0, 300), ...range(340, 600)]);
const B = rows(2000, [...range(0, 100), ...range(150, 600)]);

function pair(stepsA: readonly Step[], stepsB: readonly Step[]): ScriptedReader[] {
  return [scriptedReader("a", stepsA), scriptedReader("b", stepsB)];
}

test("splices the replicas of each series, whatever readers they come from", async () => {
  const readers = pair(
    [series("one", "A", chunks(A)), series("three", "A", chunks(A)), series("three", "B", chunks(B))],
    [series("one", "B", chunks(B)), series("two", "B", chunks(B))],
  );
  const reading = splicedReader(readers, OPTIONS).read(QUERY);
  expect(await gather(reading)).toEqual([
    ...expectedLines("one", [A, B]),
    ...expectedLines("three", [A, B]),
    ...expectedLines("two", [B]),
  ]);
  expect(reading.report().series).toBe(3);
  expect(reading.report().replicas).toEqual([
    { name: "a", isUnverifiable: false, error: undefined, leftOutFrom: undefined },
    { name: "b", isUnverifiable: false, error: undefined, leftOutFrom: undefined },
  ]);
});

test("takes the window of the query as the input of the strategy", async () => {
  const readers = pair([series("one", "A", chunks(A))], [series("one", "B", chunks(B))]);
  const query = { ...QUERY, startMs: 200 * 15_000 + 1, endMs: 400 * 15_000 };
  const inside = [A, B].map((list) => list.filter(({ t }) => t >= query.startMs && t <= query.endMs));
  expect(await gather(splicedReader(readers, OPTIONS).read(query))).toEqual(expectedLines("one", inside));
});

test("drops matchers on replica labels, and asks for the order without them", async () => {
  const readers = pair([], []);
  const matchers = (["=", "!=", "=~", "!~"] as const).map((type) => ({ type, name: "replica", value: "A" }));
  const reader = splicedReader(readers, OPTIONS);
  await gather(reader.read({ ...QUERY, matchers: [...matchers, ...QUERY.matchers] }, { orderWithout: ["cluster"] }));
  for (const { asked } of readers) {
    expect(asked[0]!.query.matchers).toEqual(QUERY.matchers);
    expect(asked[0]!.options).toMatchObject({ orderWithout: ["replica", "cluster"], isAlone: false });
  }
  await expect(gather(reader.read({ ...QUERY, matchers }))).rejects.toMatchObject({
    code: "matchers-missing",
    message: "no matchers besides the replica label",
  });
});

test.each<[string, readonly Step[]]>([
  ["from the start", [boom]],
  ["between two series", [series("one", "A", chunks(A)), 1, boom]],
])("a replica that fails %s is left out, and the answer is that of the others from there on", async (_, steps) => {
  const told: unknown[] = [];
  const readers = pair(steps, [series("one", "B", chunks(B)), series("two", "B", chunks(B))]);
  const reading = splicedReader(readers, { ...OPTIONS, onReplicaFailure: (failure) => told.push(failure.name) }).read(
    QUERY,
  );
  const first = steps.length === 1 ? [B] : [A, B];
  expect(await gather(reading)).toEqual([...expectedLines("one", first), ...expectedLines("two", [B])]);
  expect(reading.report().replicas.map(({ name, error, leftOutFrom }) => [name, error, leftOutFrom])).toEqual([
    ["a", boom, steps.length === 1 ? undefined : 'two{job="j"}'],
    ["b", undefined, undefined],
  ]);
  expect(told).toEqual(["a"]);
});

test("a chunk that does not decode leaves its replica out from that series on, and the series is spliced without it", async () => {
  for (const bad of [0, 2]) {
    const damaged = chunks(A).map((block, index) => (index === bad ? broken(block) : block));
    const readers = pair(
      [series("one", "A", chunks(A)), series("three", "A", damaged), series("two", "A", chunks(A))],
      [series("one", "B", chunks(B)), series("three", "B", chunks(B)), series("two", "B", chunks(B))],
    );
    const reading = splicedReader(readers, OPTIONS).read(QUERY);
    expect(await gather(reading)).toEqual([
      ...expectedLines("one", [A, B]),
      ...expectedLines("three", [B]),
      ...expectedLines("two", [B]),
    ]);
    const [a, b] = reading.report().replicas;
    expect(a).toMatchObject({
      name: "a",
      error: { code: "chunk-malformed" },
      leftOutFrom: 'three{job="j"}',
    });
    expect(b!.error).toBeUndefined();
    expect(readers[0]!.asked[0]!.options?.signal?.aborted).toBe(true);
  }
});

test("a replica whose stream has failed by then is left out for a chunk that does not decode all the same", async () => {
  const damaged = chunks(A).map((block, index) => (index === 2 ? broken(block) : block));
  const readers = pair(
    [series("one", "A", chunks(A)), series("three", "A", damaged), boom],
    [series("one", "B", chunks(B)), series("three", "B", chunks(B)), series("two", "B", chunks(B))],
  );
  const told: unknown[] = [];
  const options = { ...OPTIONS, onReplicaFailure: ({ error }: { readonly error?: unknown }) => told.push(error) };
  const reading = splicedReader(readers, options).read(QUERY);
  expect(await gather(reading)).toEqual([
    ...expectedLines("one", [A, B]),
    ...expectedLines("three", [B]),
    ...expectedLines("two", [B]),
  ]);
  // What failed first is what is told, and the first series without the replica is the one with the chunk.
  expect(reading.report().replicas[0]).toMatchObject({ error: boom, leftOutFrom: 'three{job="j"}' });
  expect(told).toEqual([boom]);
});

test("a chunk that the strategy never decodes may be broken", async () => {
  const damaged = chunks(B).map((block, index) => (index === 3 ? broken(block) : block));
  const whole = rows(0, range(0, 600));
  const readers = pair([series("one", "A", chunks(whole))], [series("one", "B", damaged)]);
  const reading = splicedReader(readers, OPTIONS).read(QUERY);
  expect(await gather(reading)).toEqual(expectedLines("one", [whole]));
  expect(reading.report().replicas.every(({ error }) => error === undefined)).toBe(true);
});

test("blocks that throw while they are iterated over leave their replica out", async () => {
  const unsupported = new RemoteReadError("chunk-type-unsupported", "chunk is of type 2");
  const blocks: Iterable<Block> = {
    [Symbol.iterator]: () => {
      throw unsupported;
    },
  };
  const readers = pair([series("one", "A", blocks)], [series("one", "B", chunks(B))]);
  const reading = splicedReader(readers, OPTIONS).read(QUERY);
  expect(await gather(reading)).toEqual(expectedLines("one", [B]));
  expect(reading.report().replicas[0]!.error).toBe(unsupported);
});

test("the read fails where no replica is complete, and where any fails under partial: all", async () => {
  const late = new RemoteReadError("frame-checksum", "bad");
  const both = pair(
    [series("one", "A", chunks(A)), boom],
    [series("one", "B", chunks(B)), series("two", "B", chunks(B)), late],
  );
  await expect(gather(splicedReader(both, OPTIONS).read(QUERY))).rejects.toMatchObject({
    code: "all-replicas-failed",
    message: "2 of 2 replicas failed: a: cut; b: bad",
    cause: boom,
  });
  const one = pair([boom], [series("one", "B", chunks(B))]);
  await expect(gather(splicedReader(one, { ...OPTIONS, partial: "all" }).read(QUERY))).rejects.toMatchObject({
    code: "all-replicas-failed",
    message: "1 of 2 replicas failed: a: cut",
  });
});

test("an aborted read says so, and leaves the replicas", async () => {
  const controller = new AbortController();
  const readers = pair(
    [series("one", "A", chunks(A)), 5, series("two", "A", [])],
    [series("one", "B", chunks(B)), 5, boom],
  );
  const reading = splicedReader(readers, OPTIONS).read(QUERY, { signal: controller.signal });
  const read = async () => {
    for await (const _ of reading) {
      controller.abort(new Error("enough"));
    }
  };
  await expect(read()).rejects.toMatchObject({ code: "aborted" });
  for (const { asked } of readers) {
    expect(asked[0]!.options?.signal?.aborted).toBe(true);
  }
});

test("of a whole pair of 2,500 chunks a side at most two idle ones are decoded, and all are passed on", async () => {
  const whole = [0, 2000].map((offset) => chunks(rows(offset, range(0, 2500 * 120))));
  const readers = pair([series("one", "A", whole[0]!)], [series("one", "B", whole[1]!)]);
  const reading = splicedReader(readers, OPTIONS).read(QUERY);
  let count = 0;
  for await (const { blocks } of reading) {
    count = [...blocks].length;
  }
  const { blocksDecoded, blocksPassedOn } = reading.report();
  expect(count).toBe(2500);
  expect(blocksPassedOn).toBe(2500);
  expect(blocksDecoded).toBeGreaterThan(2000);
  expect(blocksDecoded).toBeLessThanOrEqual(2502);
});
