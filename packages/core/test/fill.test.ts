/** `fill` against its naive twin. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Block } from "../src/block.ts";
import { fill, splice, spliceAsync } from "../src/index.ts";
import { drawDenseFillScene, drawFillScene, type FillScene, seeds } from "./fill-generators.ts";
import { cut, formatRow, formatRun, formatRuns } from "./samples.ts";
import { fillTwin, type FillTwinOptions } from "./twins/fill.ts";

const STALE_MARKERS = ["live-wins", "keep", "drop"] as const;

function drawScene(seed: number): FillScene {
  return seed % 3 === 0
    ? drawDenseFillScene(seed)
    : drawFillScene(seed, { scrapes: 20 + (seed % 101), replicas: 1 + (seed % 5), isUneven: seed % 2 === 0 });
}

function drawOptions({ random, intervalMs }: FillScene): FillTwinOptions {
  return {
    intervalMs: random() < 0.5 ? undefined : intervalMs,
    staleMarkers: random() < 0.6 ? "live-wins" : STALE_MARKERS[Math.floor(random() * 3)],
  };
}

function strategyOf({ intervalMs, staleMarkers }: FillTwinOptions) {
  return fill({
    ...(intervalMs === undefined ? {} : { intervalMs }),
    ...(staleMarkers === undefined ? {} : { staleMarkers }),
  });
}

function expectedLines(replicas: FillScene["replicas"], options: FillTwinOptions): string[] {
  return fillTwin(replicas, options).samples.map(
    ({ t, replica, row }) => `${t} r${replica} ${formatRow(replicas[replica]![row]!, false)}`,
  );
}

function* onNeed(blocks: readonly Block[]): Generator<Block> {
  yield* blocks;
}

async function* onNeedAsync(blocks: readonly Block[]): AsyncGenerator<Block> {
  for (const block of blocks) {
    await Promise.resolve();
    yield block;
  }
}

test("agrees with the twin, however the replicas are cut into blocks, handed over on need", () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const scene = drawScene(seed);
      const options = drawOptions(scene);
      const expected = expectedLines(scene.replicas, options);
      for (const rowsMax of [1, 8, Infinity]) {
        const blocks = scene.replicas.map((rows) =>
          cut(rows, () => (rowsMax === 8 ? 1 + scene.random() * 8 : rowsMax)),
        );
        const runs = splice(
          blocks.map((list) => onNeed(list)),
          strategyOf(options),
        );
        expect(formatRuns(runs, false)).toEqual(expected);
      }
    }),
    { numRuns: 3000 },
  );
});

test("agrees with the twin inside a window", () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const scene = drawScene(seed);
      const { replicas, random } = scene;
      const times = replicas.flatMap((rows) => rows.map(({ t }) => t));
      const pick = () => (times[Math.floor(random() * times.length)] ?? 0) + Math.floor(random() * 3) - 1;
      const options = { ...drawOptions(scene), startMs: pick(), endMs: pick() };
      const { startMs, endMs } = options;
      const blocks = replicas.map((rows) => cut(rows, () => 1 + random() * 9));
      const runs = splice(blocks, strategyOf(options), { startMs, endMs });
      expect(formatRuns(runs, false)).toEqual(expectedLines(replicas, options));
    }),
    { numRuns: 2000 },
  );
});

test("agrees with the twin through the asynchronous driver", async () => {
  await fc.assert(
    fc.asyncProperty(seeds, async (seed) => {
      const scene = drawScene(seed);
      const options = drawOptions(scene);
      const lines: string[] = [];
      const blocks = scene.replicas.map((rows) => cut(rows, () => 1 + scene.random() * 9));
      for await (const run of spliceAsync(
        blocks.map((list) => onNeedAsync(list)),
        strategyOf(options),
      )) {
        lines.push(...formatRun(run, false));
      }
      expect(lines).toEqual(expectedLines(scene.replicas, options));
    }),
    { numRuns: 500 },
  );
});
