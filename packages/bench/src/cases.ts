/**
 * The table of cases: a name, how many input samples it reads, and what to run. A case returns how many rows (or groups) it
 * gave, which is compared at every turn, so that no engine can leave the work out and no wrong answer can be fast.
 */
import {
  type Columns,
  coverage,
  dedup,
  explainer,
  groupSeries,
  penalty,
  type Series,
  splice,
  spliceAsync,
  spliceBlocks,
  type SpliceOptions,
  type Splicing,
} from "@promsplice/core";
import { cutIntoBlocks, makeReplicas, makeSeriesOfThreeReplicas, SHAPES } from "./fixtures.ts";
import { mergeByFold, mergeCounters, mergeWithTimesKept, REFERENCE_LOOPS } from "./reference-loops.ts";

export interface Case {
  readonly name: string;
  /** Input samples of all replicas together, or input series: what the time is divided by. */
  readonly inputs: number;
  /** What `run` must return. */
  readonly expected: number;
  readonly run: () => number | Promise<number>;
}

const PLAIN = penalty();
const COUNTER = penalty({ counter: true });

/**
 * The cases whose times are compared with each other, over replicas of `rows` rows each. Their names begin with what is
 * run and end with the shape of the input: `dedup, jitter`, `dedup of 3, gap`.
 */
export function makeComparedCases(rows: number): Case[] {
  const output = { timestamps: new Float64Array(2 * rows), values: new Float64Array(2 * rows) };
  return SHAPES.flatMap((shape) => {
    const replicas = makeReplicas(shape, shape === "whole" ? 2 : 5, rows);
    return [
      ...casesOfPair(replicas.slice(0, 2), output),
      ...casesOfCounters(replicas.slice(0, 2), output),
      ...casesOfCollectors(replicas.slice(0, 2), output),
      ...[3, 5].flatMap((count) => (replicas.length < count ? [] : casesOfMany(replicas.slice(0, count)))),
    ].map((one) => ({ ...one, name: `${one.name}, ${shape}` }));
  });
}

function casesOfPair(pair: readonly Columns[], output: Columns): Case[] {
  const [a, b] = pair as [Columns, Columns];
  const blocks = pair.map((columns) => cutIntoBlocks(columns));
  const whole = pair.map((columns) => cutIntoOneBlock(columns));
  const inputs = countRows(pair);
  const expected = mergeWithTimesKept(a, b, output);
  return [
    ...REFERENCE_LOOPS.map((loop, index) => ({
      name: `loop ${index + 1}`,
      inputs,
      expected,
      run: () => loop(a, b, output),
    })),
    {
      name: "loop into fresh columns",
      inputs,
      expected,
      run: () => copyRows(output, mergeWithTimesKept(a, b, output)).timestamps.length,
    },
    { name: "copy", inputs, expected: inputs, run: () => countRows(pair.map((columns) => copyRows(columns))) },
    { name: "dedup", inputs, expected, run: () => dedup(pair, PLAIN).timestamps.length },
    { name: "splice", inputs, expected, run: () => countRunRows(splice(whole, PLAIN)) },
    { name: "splice of blocks", inputs, expected, run: () => countRunRows(splice(blocks, PLAIN)) },
  ];
}

function casesOfCounters(pair: readonly Columns[], output: Columns): Case[] {
  const [a, b] = pair as [Columns, Columns];
  const whole = pair.map((columns) => cutIntoOneBlock(columns));
  const inputs = countRows(pair);
  const expected = mergeCounters(a, b, output);
  return [
    { name: "counter loop", inputs, expected, run: () => mergeCounters(a, b, output) },
    { name: "counter dedup", inputs, expected, run: () => dedup(pair, COUNTER).timestamps.length },
    { name: "counter splice", inputs, expected, run: () => countRunRows(splice(whole, COUNTER)) },
  ];
}

/** What is collected beside a splice. */
function casesOfCollectors(pair: readonly Columns[], output: Columns): Case[] {
  const [a, b] = pair as [Columns, Columns];
  const inputs = countRows(pair);
  const expected = mergeWithTimesKept(a, b, output);
  const collected = (options: SpliceOptions): number => dedup(pair, PLAIN, options).timestamps.length;
  return [
    { name: "dedup explained", inputs, expected, run: () => collected({ explain: explainer() }) },
    { name: "dedup covered", inputs, expected, run: () => collected({ coverage: coverage({ level: "splice" }) }) },
    { name: "dedup surveyed", inputs, expected, run: () => collected({ coverage: coverage({ level: "replicas" }) }) },
  ];
}

function casesOfMany(replicas: readonly Columns[]): Case[] {
  const whole = replicas.map((columns) => cutIntoOneBlock(columns));
  const inputs = countRows(replicas);
  const expected = mergeByFold(mergeWithTimesKept, replicas).timestamps.length;
  const name = `of ${replicas.length}`;
  return [
    { name: `dedup ${name}`, inputs, expected, run: () => dedup(replicas, PLAIN).timestamps.length },
    { name: `splice ${name}`, inputs, expected, run: () => countRunRows(splice(whole, PLAIN)) },
    // Counter mode changes values, not which samples are shown.
    { name: `counter splice ${name}`, inputs, expected, run: () => countRunRows(splice(whole, COUNTER)) },
  ];
}

/** The cases that stand by themselves: nothing in the list of goals is compared with them. */
export function makeOtherCases(rows: number, seriesCount: number): Case[] {
  const sources = makeSeriesOfThreeReplicas(seriesCount);
  return [
    ...(["whole", "missed"] as const).flatMap((shape) => {
      const pair = makeReplicas(shape, 2, rows);
      const blocks = pair.map((columns) => cutIntoBlocks(columns));
      const inputs = countRows(pair);
      const expected = mergeByFold(mergeWithTimesKept, pair).timestamps.length;
      return [
        {
          name: `spliceBlocks, ${shape}`,
          inputs,
          expected,
          run: () => countBlockRows(spliceBlocks(blocks, PLAIN)),
        },
        {
          name: `spliceAsync of blocks, ${shape}`,
          inputs,
          expected,
          run: () => countRunRowsAsync(spliceAsync(blocks.map(deliver), PLAIN)),
        },
      ];
    }),
    {
      name: "group series of three replicas",
      inputs: 3 * seriesCount,
      expected: seriesCount,
      run: () => countGroups(sources),
    },
    {
      name: "walk the same series ungrouped",
      inputs: 3 * seriesCount,
      expected: 3 * seriesCount,
      run: () => countSeries(sources),
    },
  ];
}

/** A column as the one block that it is, in the array that `splice` takes. */
export function cutIntoOneBlock(columns: Columns): ReturnType<typeof cutIntoBlocks> {
  return cutIntoBlocks(columns, Math.max(columns.timestamps.length, 1));
}

/** The rows of all runs together. */
export function countRunRows(runs: Splicing): number {
  let rows = 0;
  for (const { start, end } of runs) {
    rows += end - start;
  }
  return rows;
}

async function countRunRowsAsync(runs: ReturnType<typeof spliceAsync>): Promise<number> {
  let rows = 0;
  for await (const { start, end } of runs) {
    rows += end - start;
  }
  return rows;
}

export function countBlockRows(blocks: ReturnType<typeof spliceBlocks>): number {
  let rows = 0;
  for (const { count } of blocks) {
    rows += count;
  }
  return rows;
}

async function countGroups(sources: readonly Series[][]): Promise<number> {
  let groups = 0;
  for await (const group of groupSeries(sources.map(deliver), { replicaLabels: ["replica"] })) {
    groups += group.replicas.length === 3 ? 1 : 0;
  }
  return groups;
}

async function countSeries(sources: readonly Series[][]): Promise<number> {
  let count = 0;
  for (const source of sources) {
    for await (const { labels } of deliver(source)) {
      count += labels.length > 0 ? 1 : 0;
    }
  }
  return count;
}

/** What is at hand, as a source that delivers one after another. */
async function* deliver<Item>(items: readonly Item[]): AsyncGenerator<Item, void, undefined> {
  yield* items;
}

export function countRows(replicas: readonly Columns[]): number {
  return replicas.reduce((total, { timestamps }) => total + timestamps.length, 0);
}

function copyRows({ timestamps, values }: Columns, end: number = timestamps.length): Columns {
  return { timestamps: timestamps.slice(0, end), values: values.slice(0, end) };
}
