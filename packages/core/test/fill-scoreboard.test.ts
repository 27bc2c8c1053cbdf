/** The `fill` columns of the scoreboard: the naive twin and the streaming form, with the interval estimated and given. */
import { expect, test } from "vitest";
import { columnsBlock, splice } from "../src/index.ts";
import { strategyOf } from "./fill-generators.ts";
import { floatRow } from "./samples.ts";
import {
  countFlips,
  expectWithin,
  readScenarios,
  replicasOf,
  type Sample,
  type Scenario,
  score,
} from "./scoreboard.ts";
import { fillTwin } from "./twins/fill.ts";

type Replicas = readonly (readonly number[])[];
type Splice = (replicas: Replicas, intervalMs: number | undefined, startMs: number, endMs: number) => Sample[];

function spliceWithTwin(replicas: Replicas, intervalMs: number | undefined, startMs: number, endMs: number): Sample[] {
  const rows = replicas.map((times) => times.map((t) => floatRow(t, 1)));
  return fillTwin(rows, { intervalMs, startMs, endMs }).samples.map(({ t, replica }) => ({ t, replica }));
}

function spliceWithFill(replicas: Replicas, intervalMs: number | undefined, startMs: number, endMs: number): Sample[] {
  const blocks = replicas.map((times) => [
    columnsBlock({ timestamps: Float64Array.from(times), values: new Float64Array(times.length) }),
  ]);
  const samples: Sample[] = [];
  for (const { replica, block, start, end } of splice(blocks, strategyOf({ intervalMs }), { startMs, endMs })) {
    for (const t of block.timestamps().subarray(start, end)) {
      samples.push({ t, replica });
    }
  }
  return samples;
}

function expectAsGood(scenario: Scenario, spliceAll: Splice, intervalMs: number | undefined): void {
  const replicas = replicasOf(scenario);
  const { window } = scenario;
  const scored =
    window === undefined
      ? score(spliceAll(replicas, intervalMs, -Infinity, Infinity), scenario)
      : { flips: countFlips((startMs, endMs) => spliceAll(replicas, intervalMs, startMs, endMs), window) };
  expectWithin(scored, intervalMs === undefined ? scenario.fill : scenario.fillGivenInterval);
  if (window !== undefined) {
    // Told the window's edges, it needs no margins.
    const bare = { ...window, marginLeftMs: 0, marginRightMs: 0 };
    expect(countFlips((startMs, endMs) => spliceAll(replicas, intervalMs, startMs, endMs), bare)).toBe(0);
  }
}

const scenarios = readScenarios().map((scenario) => [scenario.id, scenario] as const);

test.each(scenarios)("fill is as good as its limits on %s", (_, scenario) => {
  expectAsGood(scenario, spliceWithFill, undefined);
  expectAsGood(scenario, spliceWithFill, scenario.intervalMs);
});

test.each(scenarios.filter(([, { window }]) => window === undefined))(
  "the twin is as good as its limits on %s",
  (_, scenario) => {
    expectAsGood(scenario, spliceWithTwin, undefined);
    expectAsGood(scenario, spliceWithTwin, scenario.intervalMs);
  },
);
