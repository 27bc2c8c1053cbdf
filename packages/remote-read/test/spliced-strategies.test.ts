/** Every strategy through `splicedReader`: windows and margins, lanes, and what is collected about each series. */
import {
  type Block,
  chain,
  columnsBlock,
  coverage,
  dedup,
  explainer,
  fill,
  interval,
  penalty,
  splice,
  type Strategy,
} from "@promsplice/core";
import { describe, expect, test } from "vitest";

import { seededRandom } from "../../core/test/random.ts";
import { countFlips, readScenarios, replicasOf, type Sample } from "../../core/test/scoreboard.ts";
import { memoryReader } from "../src/memory-reader.ts";
import type { Reader } from "../src/reader.ts";
import { splicedReader, type SplicedReaderOptions, type SplicedSeries } from "../src/spliced-reader.ts";

/** Values say which replica a sample is of. */
const VALUES_A_REPLICA = 1_000_000;

function blockOfReplica(times: readonly number[], replica: number): Block[] {
  if (times.length === 0) {
    return [];
  }
  const values = Float64Array.from(times, (_, row) => replica * VALUES_A_REPLICA + row);
  return [columnsBlock({ timestamps: Float64Array.from(times), values })];
}

/** A reader over replicas of one series, each with a reader of its own. */
function readerOver(
  replicas: readonly (readonly number[])[],
  strategy: Strategy,
  options: Partial<SplicedReaderOptions> = {},
): Reader {
  const readers = replicas.map((times, replica) =>
    memoryReader([{ labels: ["__name__", "m", "replica", String(replica)], blocks: blockOfReplica(times, replica) }]),
  );
  return splicedReader(readers, { replicaLabels: ["replica"], strategy, ...options });
}

async function samplesOf(reader: Reader, startMs: number, endMs: number): Promise<Sample[]> {
  const samples: Sample[] = [];
  const matchers = [{ type: "=", name: "__name__", value: "m" }] as const;
  for await (const { blocks } of reader.read({ startMs, endMs, matchers })) {
    for (const block of blocks) {
      const values = block.values();
      block.timestamps().forEach((t, row) => samples.push({ t, replica: Math.floor(values[row]! / VALUES_A_REPLICA) }));
    }
  }
  return samples;
}

const sliding = readScenarios().flatMap((scenario) =>
  scenario.window === undefined ? [] : [{ id: scenario.id, scenario, window: scenario.window }],
);

describe.each([
  ["estimated", () => fill()],
  ["given", (intervalMs: number) => fill({ intervalMs })],
] as const)("fill, its interval %s", (_, make) => {
  test.each(sliding)("never flips while the window slides: $id", async ({ scenario, window }) => {
    const replicas = replicasOf(scenario);
    const answers = new Map<number, Sample[]>();
    for (let index = 0; index < window.count; index++) {
      const startMs = window.startMs + index * window.stepMs;
      const endMs = startMs + window.lengthMs;
      // The live edge: nothing newer than the window's end is there yet.
      const soFar = replicas.map((times) => times.filter((t) => t <= endMs));
      answers.set(startMs, await samplesOf(readerOver(soFar, make(scenario.intervalMs)), startMs, endMs));
    }
    const flips = countFlips((startMs) => answers.get(startMs)!, { ...window, marginLeftMs: 0 });
    expect(flips).toBe(0);
  });
});

/** Replicas that miss scrapes, over an hour. */
function missingReplicas(seed: number): number[][] {
  const random = seededRandom(seed);
  return [0, 4000].map((offset) =>
    Array.from({ length: 240 }, (_, scrape) => offset + 15_000 * scrape).filter(() => random() > 0.1),
  );
}

test.each([
  ["penalty", penalty(), 0],
  ["interval", interval({ intervalMs: 15_000 }), 0],
  ["chain", chain(), 0],
  ["fill", fill(), 300_000],
] as const)("%s sees the window, widened by the margin where it needs context", async (_, strategy, marginMs) => {
  const [startMs, endMs] = [1_200_000, 2_400_000];
  for (let seed = 1; seed <= 20; seed++) {
    const replicas = missingReplicas(seed);
    const columns = replicas.map((times, replica) => ({
      timestamps: Float64Array.from(times),
      values: Float64Array.from(times, (__, row) => replica * VALUES_A_REPLICA + row),
    }));
    const window = { startMs: startMs - marginMs, endMs: endMs + marginMs };
    const { timestamps, values } = dedup(columns, strategy, window);
    const expected = Array.from(timestamps, (t, row) => ({ t, replica: Math.floor(values[row]! / VALUES_A_REPLICA) }));
    expect(await samplesOf(readerOver(replicas, strategy), startMs, endMs)).toEqual(
      expected.filter(({ t }) => t >= startMs && t <= endMs),
    );
  }
});

test("the margin is an option, and none that is not a whole number", async () => {
  const replicas = missingReplicas(7);
  const asked: number[] = [];
  const inner = memoryReader([{ labels: ["__name__", "m"], blocks: blockOfReplica(replicas[0]!, 0) }]);
  const reader = splicedReader(
    [
      {
        read: (query, options) => {
          asked.push(query.startMs, query.endMs);
          return inner.read(query, options);
        },
      },
    ],
    { replicaLabels: ["replica"], strategy: fill(), marginMs: 60_000 },
  );
  await samplesOf(reader, 600_000, 900_000);
  expect(asked).toEqual([540_000, 960_000]);
  expect(() => splicedReader([inner], { replicaLabels: [], strategy: fill(), marginMs: -1 })).toThrow(
    "marginMs is -1, expected a whole number of ms from 0 on",
  );
});

test("lanes are dealt as splice deals them", async () => {
  const replicas = missingReplicas(3);
  const columns = replicas.map((times, replica) => {
    const [block] = blockOfReplica(times, replica);
    return [block!];
  });
  const expected: Sample[] = [];
  for (const { replica, block, start, end } of splice(columns, penalty(), { lanes: "thanos" })) {
    block
      .timestamps()
      .subarray(start, end)
      .forEach((t) => expected.push({ t, replica }));
  }
  expect(await samplesOf(readerOver(replicas, penalty(), { lanes: "thanos" }), -1e9, 1e9)).toEqual(expected);
});

test("each series is told of with its replicas, its spans and its coverage", async () => {
  const told: SplicedSeries[] = [];
  const replicas = missingReplicas(5);
  const reader = readerOver(replicas, fill(), {
    explain: () => explainer(),
    coverage: () => coverage({ level: "splice", intervalMs: 15_000 }),
    onSpliced: (series) => told.push(series),
  });
  const samples = await samplesOf(reader, 0, 3_600_000);
  expect(told).toHaveLength(1);
  const { labels, replicas: sent, explain, coverage: covered } = told[0]!;
  expect(labels).toEqual(["__name__", "m"]);
  expect(sent).toEqual([
    ["__name__", "m", "replica", "0"],
    ["__name__", "m", "replica", "1"],
  ]);
  expect(explain!.spans.flatMap(({ replica, samples: count }) => Array.from({ length: count }, () => replica))).toEqual(
    samples.map(({ replica }) => replica),
  );
  expect(covered!.samples).toBe(samples.length);
  expect(covered!.switches).toBe(explain!.spans.length - 1);
});
