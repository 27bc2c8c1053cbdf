/** The scoreboard's columns of the original programs, scenario by scenario: what they cost, as the originals cost it. */
import { expect, test } from "vitest";
import { chain, columnsBlock, interval, penalty, splice, type Strategy } from "../src/index.ts";
import { countFlips, readScenarios, replicasOf, type Sample, score } from "./scoreboard.ts";

function spliced(
  replicas: readonly (readonly number[])[],
  strategy: Strategy,
  startMs = -Infinity,
  endMs = Infinity,
): Sample[] {
  const blocks = replicas.map((times) => [
    columnsBlock({ timestamps: Float64Array.from(times), values: new Float64Array(times.length) }),
  ]);
  const samples: Sample[] = [];
  for (const { replica, block, start, end } of splice(blocks, strategy, { startMs, endMs })) {
    block
      .timestamps()
      .subarray(start, end)
      .forEach((t) => samples.push({ t, replica }));
  }
  return samples;
}

const scenarios = readScenarios();

test("there are 22 scenarios", () => {
  expect(scenarios).toHaveLength(22);
});

const COLUMNS = [
  ["penalty", "thanos", () => penalty()],
  ["interval", "victoriametrics", (intervalMs: number) => interval({ intervalMs })],
  ["chain", "union", () => chain()],
] as const;

test.each(
  scenarios.flatMap((scenario) => COLUMNS.map((column) => [column[0], scenario.id, scenario, column] as const)),
)("%s scores as its original on %s", (_, __, scenario, [, original, make]) => {
  const replicas = replicasOf(scenario);
  const strategy = make(scenario.intervalMs);
  const { window } = scenario;
  const scored =
    window === undefined
      ? score(spliced(replicas, strategy), scenario)
      : { flips: countFlips((startMs, endMs) => spliced(replicas, strategy, startMs, endMs), window) };
  expect(scored).toEqual(scenario.expect[original]);
});
