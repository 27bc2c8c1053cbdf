/** `fill` against its naive twin. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { splice, spliceAsync } from "../src/index.ts";
import { drawFillCase, expectedLines, seeds, strategyOf } from "./fill-generators.ts";
import { onNeed, onNeedAsync } from "./on-need.ts";
import { cut, formatRun, formatRuns } from "./samples.ts";

test("agrees with the twin, however the replicas are cut into blocks, handed over on need", () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const { replicas, options, random } = drawFillCase(seed, 0);
      const expected = expectedLines(replicas, options);
      for (const rowsMax of [1, 8, Infinity]) {
        const blocks = replicas.map((rows) => cut(rows, () => (rowsMax === 8 ? 1 + random() * 8 : rowsMax)));
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
      const { replicas, options, random } = drawFillCase(seed, 1);
      const { startMs = -Infinity, endMs = Infinity } = options;
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
      const { replicas, options, random } = drawFillCase(seed, 0);
      const lines: string[] = [];
      const blocks = replicas.map((rows) => cut(rows, () => 1 + random() * 9));
      for await (const run of spliceAsync(
        blocks.map((list) => onNeedAsync(list)),
        strategyOf(options),
      )) {
        lines.push(...formatRun(run, false));
      }
      expect(lines).toEqual(expectedLines(replicas, options));
    }),
    { numRuns: 500 },
  );
});
