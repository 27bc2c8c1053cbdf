import { type Block, columnsBlock, penalty } from "@promsplice/core";
import { describe, expect, it } from "vitest";
import { explainHole, type Hole } from "../src/hole.ts";
import { findHoles } from "../src/measure.ts";
import { joinBlocks, splicePair } from "../src/splice-pair.ts";

function blocksOf(times: readonly number[]): Block[] {
  return [columnsBlock({ timestamps: Float64Array.from(times), values: new Float64Array(times.length) })];
}

/** The holes of two replicas scraped once a second. */
function explain(timesOfA: readonly number[], timesOfB: readonly number[]): Hole[] {
  const blocks = [timesOfA, timesOfB].map(blocksOf);
  const spliced = splicePair(blocks, [0, 1], penalty());
  const replicas = blocks.map(joinBlocks);
  return findHoles(spliced.timestamps, 1000).map((row) => explainHole(spliced, replicas, row, 1000));
}

function seconds(first: number, last: number, offsetMs: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * 1000 + offsetMs);
}

describe("a hole", () => {
  it("at the start lasts for 5 s after the first sample, in which the other replica is not looked at", () => {
    const holes = explain(seconds(0, 2, 0), seconds(0, 20, 300));
    expect(holes).toMatchObject([
      {
        fromMs: 2000,
        toMs: 5300,
        cause: "set-aside",
        replica: 0,
        waitMs: 3000,
        waitStep: undefined,
        samplesLeftOut: 3,
      },
    ]);
  });

  it("later lasts for twice the last step", () => {
    const holes = explain(seconds(0, 10, 0), seconds(0, 20, 300));
    expect(holes).toMatchObject([
      { fromMs: 10_000, toMs: 12_300, cause: "stopped", waitMs: 2000, waitStep: { fromMs: 9000, toMs: 10_000 } },
    ]);
  });
});
