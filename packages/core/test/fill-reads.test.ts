/** What `fill` reads: the blocks that it decodes, and what it makes of a recorded pair. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type Block, columnsBlock, dedup, fill, splice } from "../src/index.ts";
import { columnsOf, floatRow } from "./samples.ts";
import type { Row } from "./twins/penalty.ts";

const BLOCKS = 50;
const BLOCK_ROWS = 120;

/** The blocks of a replica; those of which a column was asked for are noted in `decoded`. */
function watched(times: readonly number[], decoded: Set<number>): Block[] {
  return Array.from({ length: Math.ceil(times.length / BLOCK_ROWS) }, (_, index) => {
    const timestamps = Float64Array.from(times.slice(index * BLOCK_ROWS, (index + 1) * BLOCK_ROWS));
    const block = columnsBlock({ timestamps, values: new Float64Array(timestamps.length) });
    const decode = <Column>(column: Column): Column => {
      decoded.add(index);
      return column;
    };
    const { kind, firstMs, lastMs, count, detached } = block;
    return {
      kind,
      firstMs,
      lastMs,
      count,
      detached,
      timestamps: () => decode(block.timestamps()),
      values: () => decode(block.values()),
      histograms: () => decode(block.histograms()),
      valueAt: (row) => decode(block.valueAt(row)),
      staleRows: () => decode(block.staleRows()),
    };
  });
}

const scrapes = Array.from({ length: BLOCKS * BLOCK_ROWS }, (_, scrape) => scrape * 15_000);

test.each([
  ["a whole pair", () => true, 2],
  ["one miss in a thousand", (_: number, scrape: number) => scrape % 1000 !== 500, 8],
])("of %s few idle blocks are decoded", (_, isScraped, most) => {
  for (const options of [{}, { intervalMs: 15_000 }]) {
    const decoded = new Set<number>();
    const followed = scrapes.filter(isScraped);
    const idle = watched(
      scrapes.map((t) => t + 2000),
      decoded,
    );
    let rows = 0;
    for (const { start, end } of splice([watched(followed, new Set()), idle], fill(options))) {
      rows += end - start;
    }
    expect(rows).toBe(scrapes.length);
    expect(decoded.size).toBeLessThanOrEqual(most);
  }
});

interface Recording {
  readonly replicas: readonly { readonly samples: readonly (readonly [number, string])[] }[];
}

function readRecording(metric: string): Row[][] {
  const path = new URL(`../../../demo/recordings/${metric}.json`, import.meta.url);
  const { replicas } = JSON.parse(readFileSync(path, "utf8")) as Recording;
  return replicas.map(({ samples }) =>
    samples.map(([t, bits]) =>
      floatRow(t, [Number.parseInt(bits.slice(0, 8), 16), Number.parseInt(bits.slice(8), 16)]),
    ),
  );
}

test.each([
  ["up", 0, 1500],
  ["t_requests_total", 0, 1500],
  ["t_temp", 0, 1500],
  // The target itself did not have it for 15 s.
  ["t_vanishing", 1, 16_100],
])("a recorded pair has no hole on %s that a replica could have filled", (metric, holes, largestMs) => {
  const replicas = readRecording(metric);
  const { timestamps } = dedup(
    replicas.map((rows) => columnsOf(rows)),
    fill({ staleMarkers: "drop" }),
  );
  const gaps = timestamps.slice(1).map((t, row) => t - timestamps[row]!);
  expect(gaps.filter((gap) => gap > 1500)).toHaveLength(holes);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(largestMs);
  expect(Math.min(...gaps)).toBeGreaterThan(450);
});
