/** Saved splices: going on from any place, over blocks that are cut differently, changes no sample. */
import { setImmediate } from "node:timers/promises";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Block } from "../src/block.ts";
import { open, save } from "../src/checkpoint.ts";
import { chain, interval, penalty, splice, spliceAsync, type Splicing } from "../src/index.ts";
import { drawCase, expectedLines, type Replicas, type StrategyCase } from "./cases.ts";
import { scenes } from "./generators.ts";
import { cut, floatRow, formatRun, formatRuns } from "./samples.ts";
import type { Row } from "./twins/penalty.ts";

type Window = { readonly startMs?: number; readonly endMs?: number };

/** A checkpoint, and how many samples had been handed out when it was saved. */
interface Saved {
  readonly bytes: Uint8Array;
  readonly samples: number;
  readonly at: "step" | "need";
}

/** Hands blocks over one by one; `onNeed` is called while the kernel waits for the next one, and for the end. */
function* handOver(blocks: readonly Block[], onNeed: () => void): Generator<Block> {
  for (const block of blocks) {
    onNeed();
    yield block;
  }
  onNeed();
}

/** Splices to the end, one line a sample; `pause` is called before the first step, after each, and at each need. */
function spliceAndPause(
  replicas: readonly (readonly Block[])[],
  start: (replicas: Iterable<Block>[]) => Splicing,
  isLoose: boolean,
  pause: (splicing: Splicing, samples: number, at: Saved["at"]) => void,
): string[] {
  const lines: string[] = [];
  const splicing = start(replicas.map((blocks) => handOver(blocks, () => pause(splicing, lines.length, "need"))));
  pause(splicing, 0, "step");
  for (const run of splicing) {
    lines.push(...formatRun(run, isLoose));
    pause(splicing, lines.length, "step");
  }
  pause(splicing, lines.length, "step");
  return lines;
}

/** Cuts rows into blocks, at times twice in different ways: a replica whose blocks overlap. */
function cutAnyhow(rows: readonly Row[], random: () => number): Block[] {
  const rowsMax = [1, 3, 10, Infinity][Math.floor(random() * 4)]!;
  const length = () => (rowsMax === Infinity ? Infinity : 1 + random() * rowsMax);
  const blocks = cut(rows, length);
  return random() < 0.8
    ? blocks
    : [...blocks, ...cut(rows, length)].toSorted((one, other) => one.firstMs - other.firstMs);
}

/** The rows that are read again, from `resumeFromMs` on; or from some rows earlier, as where a chunk begins earlier. */
function readAgain(
  replicas: Replicas,
  resumeFromMs: readonly number[],
  earlierMax: number,
  random: () => number,
): Row[][] {
  return replicas.map((rows, replica) => {
    const needed = rows.filter(({ t }) => t >= resumeFromMs[replica]!).length;
    return rows.slice(Math.max(0, rows.length - needed - Math.floor(random() * (earlierMax + 1))));
  });
}

/** Saves at every place, goes on from each, and from one place of each of those once more. Answers how many places. */
function checkEveryPlace(replicas: Replicas, strategyCase: StrategyCase, random: () => number, window: Window): number {
  const { strategy, isLoose } = strategyCase;
  const expected = expectedLines(strategyCase, replicas, window);
  const places: Saved[] = [];
  const blocksOf = (rows: Replicas) => rows.map((replica) => cutAnyhow(replica, random));
  const lines = spliceAndPause(
    blocksOf(replicas),
    (blocks) => splice(blocks, strategy, window),
    isLoose,
    (splicing, samples, at) => places.push({ bytes: save(splicing), samples, at }),
  );
  expect(lines).toEqual(expected);
  for (const { bytes, samples, at } of places) {
    const resume = open(bytes);
    const again = readAgain(replicas, resume.resumeFromMs, samples % 3, random);
    let second: Saved = { bytes, samples: 0, at };
    const rest = spliceAndPause(
      blocksOf(again),
      (blocks) => splice(blocks, resume.strategy, { ...window, resume }),
      isLoose,
      (splicing, more, where) => {
        second = random() < 0.2 ? { bytes: save(splicing), samples: more, at: where } : second;
      },
    );
    expectSame([...lines.slice(0, samples), ...rest], expected, `saved at a ${at} after ${samples} samples`);
    const resumeSecond = open(second.bytes);
    const last = splice(blocksOf(readAgain(again, resumeSecond.resumeFromMs, 0, random)), resumeSecond.strategy, {
      ...window,
      resume: resumeSecond,
    });
    expectSame(
      [...lines.slice(0, samples), ...rest.slice(0, second.samples), ...formatRuns(last, isLoose)],
      expected,
      `saved at a ${at} after ${samples} samples, and at a ${second.at} after ${second.samples} more`,
    );
  }
  return places.length;
}

/** As `expect`, at a fraction of its cost where they are the same. */
function expectSame(lines: readonly string[], expected: readonly string[], place: string): void {
  if (lines.join() !== expected.join()) {
    expect(lines, place).toEqual(expected);
  }
}

test("going on from any place changes no sample, however the blocks are cut when they are read again", () => {
  let places = 0;
  fc.assert(
    fc.property(scenes, ({ scene: { replicas, counter }, random }) => {
      const rowsMax = random() < 0.03 ? 24 : 2 + Math.floor(random() * 6);
      const short = replicas.map((rows) => rows.slice(0, rowsMax));
      places += checkEveryPlace(short, drawCase(counter, random), random, {});
    }),
    { numRuns: 2000 },
  );
  expect(places).toBeGreaterThan(10_000);
});

test("going on inside a window changes no sample", () => {
  fc.assert(
    fc.property(scenes, ({ scene: { replicas, counter }, random }) => {
      const short = replicas.map((rows) => rows.slice(0, 14));
      const times = short.flatMap((rows) => rows.map(({ t }) => t));
      const pick = () => (times[Math.floor(random() * times.length)] ?? 0) + Math.floor(random() * 3) - 1;
      const [one, other] = [pick(), pick()];
      checkEveryPlace(short, drawCase(counter, random), random, {
        startMs: Math.min(one, other),
        endMs: Math.max(one, other),
      });
    }),
    { numRuns: 300 },
  );
});

/** What has come so far, and then nothing for ever. */
async function* stalled(blocks: readonly Block[], onWait: () => unknown): AsyncGenerator<Block> {
  yield* blocks;
  onWait();
  await new Promise(() => {});
}

test("a live splice that is saved while it waits and then cancelled goes on when more has come", async () => {
  await fc.assert(
    fc.asyncProperty(scenes, async ({ scene: { replicas, counter }, random }) => {
      const strategyCase = drawCase(counter, random);
      const { strategy, isLoose } = strategyCase;
      const times = replicas.flatMap((rows) => rows.map(({ t }) => t));
      const soFarMs = times[Math.floor(random() * times.length)] ?? 0;
      const waiting = new Set<number>();
      const soFar = replicas.map((rows) =>
        cut(
          rows.filter(({ t }) => t <= soFarMs),
          () => 1 + random() * 5,
        ),
      );
      const splicing = spliceAsync(
        soFar.map((blocks, replica) => stalled(blocks, () => waiting.add(replica))),
        strategy,
      );
      const lines: string[] = [];
      const reading = (async () => {
        for await (const run of splicing) {
          lines.push(...formatRun(run, isLoose));
        }
      })();
      while (waiting.size === 0) {
        await setImmediate();
      }
      const bytes = save(splicing);
      await splicing.return();
      const resume = open(bytes);
      const again = readAgain(replicas, resume.resumeFromMs, 0, random).map((rows) =>
        cut(rows, () => 1 + random() * 9),
      );
      lines.push(...formatRuns(splice(again, resume.strategy, { resume }), isLoose));
      expect(lines).toEqual(expectedLines(strategyCase, replicas));
      void reading;
    }),
    { numRuns: 400 },
  );
});

test("the times to read again from move on with the splice, those of an idle replica too", () => {
  const replicas = [0, 2000, 4000].map((offsetMs) =>
    Array.from({ length: 1000 }, (_, scrape) => floatRow(scrape * 15_000 + offsetMs, scrape)),
  );
  const strategies = [penalty(), penalty({ counter: true }), interval({ intervalMs: 15_000 }), chain()];
  for (const strategy of strategies) {
    const splicing = splice(
      replicas.map((rows) => cut(rows, () => 10)),
      strategy,
    );
    let lastMs = 0;
    while (lastMs < 499 * 15_000) {
      const { block, end } = splicing.next().value!;
      lastMs = block.timestamps()[end - 1]!;
    }
    for (const fromMs of open(save(splicing)).resumeFromMs) {
      expect(fromMs).toBeGreaterThan(499 * 15_000 - 30_000);
    }
  }
});

test("a save changes nothing, and saves the same twice", () => {
  const replicas = [0, 2000].map((offsetMs) => cut([floatRow(offsetMs, 1), floatRow(60_000 + offsetMs, 2)], () => 1));
  for (const strategy of [penalty({ counter: true }), interval({ intervalMs: 15_000 }), chain()]) {
    const splicing = splice(replicas, strategy);
    let steps = 0;
    do {
      expect(save(splicing)).toEqual(save(splicing));
      steps++;
    } while (splicing.next().done !== true);
    expect(steps).toBeGreaterThan(2);
  }
});

test("a splice of no replica or of one can be saved and gone on with", () => {
  for (const strategy of [penalty(), interval({ intervalMs: 1 }), chain()]) {
    for (const count of [0, 1]) {
      const replicas = Array.from({ length: count }, () => cut([floatRow(1, 1), floatRow(2, 2)], () => Infinity));
      const splicing = splice(replicas, strategy);
      const before = save(splicing);
      splicing.next();
      const after = save(splicing);
      expect([...splice(replicas, strategy, { resume: open(before) })]).toHaveLength(count);
      expect([...splice(replicas, strategy, { resume: open(after) })]).toHaveLength(0);
    }
  }
});
