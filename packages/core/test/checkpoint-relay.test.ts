/** Splices that are handed on again and again: each link saves at some need or step, throws its blocks away, and is gone. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Block } from "../src/block.ts";
import { open, save } from "../src/checkpoint.ts";
import { type AsyncSplicing, type Checkpoint, splice, spliceAsync, type Splicing } from "../src/index.ts";
import { drawCase, expectedLines, type Replicas, type StrategyCase } from "./cases.ts";
import { scenes } from "./generators.ts";
import { cut, formatRun, formatRuns } from "./samples.ts";

/** What a reader throws to end a splice while that waits for a block. */
class Stopped extends Error {}

/** The blocks that are still needed, cut anew. */
function readFrom(replicas: Replicas, resume: Checkpoint | undefined, random: () => number): Block[][] {
  return replicas.map((rows, replica) => {
    const fromMs = resume?.resumeFromMs[replica] ?? -Infinity;
    const rowsMax = random() < 0.5 ? 1 : 12;
    return cut(
      rows.filter(({ t }) => t >= fromMs),
      () => 1 + random() * (rowsMax - 1),
    );
  });
}

function* pausing(blocks: readonly Block[], onNeed: () => void): Generator<Block> {
  for (const block of blocks) {
    onNeed();
    yield block;
  }
  onNeed();
}

async function* pausingAsync(blocks: readonly Block[], onNeed: () => void): AsyncGenerator<Block> {
  for (const block of pausing(blocks, onNeed)) {
    await Promise.resolve();
    yield block;
  }
}

/** Counts down a link's needs and steps; at the last it saves. */
class Link {
  readonly resume: Checkpoint | undefined;
  saved: Uint8Array | undefined = undefined;
  splicing: Splicing | AsyncSplicing | undefined = undefined;
  #left: number;

  constructor(resume: Checkpoint | undefined, places: number) {
    this.resume = resume;
    this.#left = places;
  }

  isOver(): boolean {
    if (this.#left-- > 0) {
      return false;
    }
    this.saved = save(this.splicing!);
    return true;
  }

  readonly onNeed = (): void => {
    if (this.isOver()) {
      throw new Stopped();
    }
  };
}

/** Splices link by link to the end; answers how many links it took. */
async function relay(
  replicas: Replicas,
  strategyCase: StrategyCase,
  random: () => number,
  start: (blocks: readonly Block[][], link: Link) => Splicing | AsyncSplicing,
): Promise<number> {
  const lines: string[] = [];
  for (let links = 1, resume: Checkpoint | undefined; ; links++) {
    const link = new Link(resume, Math.floor(random() ** 2 * 20));
    link.splicing = start(readFrom(replicas, resume, random), link);
    try {
      for await (const run of link.splicing) {
        lines.push(...formatRun(run, strategyCase.isLoose));
        if (link.isOver()) {
          break;
        }
      }
    } catch (error) {
      if (!(error instanceof Stopped)) {
        throw error;
      }
    }
    if (link.saved === undefined) {
      expect(lines.join("\n")).toBe(expectedLines(strategyCase, replicas).join("\n"));
      return links;
    }
    resume = open(link.saved);
  }
}

test.each(["a synchronous", "an asynchronous"])(
  "%s splice that is handed on at any need or step, any number of times, shows the same samples",
  async (driver) => {
    let links = 0;
    await fc.assert(
      fc.asyncProperty(scenes, async ({ scene: { replicas, counter }, random }) => {
        const strategyCase = drawCase(counter, random);
        links += await relay(replicas, strategyCase, random, (blocks, { onNeed, resume }) => {
          const options = resume === undefined ? {} : { resume };
          return driver === "a synchronous"
            ? splice(
                blocks.map((replica) => pausing(replica, onNeed)),
                strategyCase.strategy,
                options,
              )
            : spliceAsync(
                blocks.map((replica) => pausingAsync(replica, onNeed)),
                strategyCase.strategy,
                options,
              );
        });
      }),
      { numRuns: 150 },
    );
    expect(links).toBeGreaterThan(1000);
  },
);

test("an asynchronous splice can be gone on with from each of its needs", async () => {
  let needs = 0;
  await fc.assert(
    fc.asyncProperty(scenes, async ({ scene, random }) => {
      const strategyCase = drawCase(scene.counter, random);
      const replicas = scene.replicas.map((rows) => rows.slice(0, 6));
      const saved: { readonly bytes: Uint8Array; readonly lines: number }[] = [];
      const lines: string[] = [];
      const onNeed = (): void => void saved.push({ bytes: save(splicing), lines: lines.length });
      const splicing: AsyncSplicing = spliceAsync(
        readFrom(replicas, undefined, random).map((blocks) => pausingAsync(blocks, onNeed)),
        strategyCase.strategy,
      );
      for await (const run of splicing) {
        lines.push(...formatRun(run, strategyCase.isLoose));
      }
      const expected = expectedLines(strategyCase, replicas).join("\n");
      expect(lines.join("\n")).toBe(expected);
      for (const { bytes, lines: before } of saved) {
        const resume = open(bytes);
        const rest = splice(readFrom(replicas, resume, random), resume.strategy, { resume });
        expect([...lines.slice(0, before), ...formatRuns(rest, strategyCase.isLoose)].join("\n")).toBe(expected);
      }
      needs += saved.length;
    }),
    { numRuns: 200 },
  );
  expect(needs).toBeGreaterThan(3000);
});
