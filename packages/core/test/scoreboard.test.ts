/** The Thanos column of the scoreboard, scenario by scenario: what `penalty` costs, as the original costs it. */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { columnsBlock, penalty, splice } from "../src/index.ts";
import { readLines } from "./vectors.ts";

interface Score {
  readonly samples?: number;
  readonly switches?: number;
  readonly nearDuplicates?: number;
  readonly holes?: number;
  readonly largestGapMs?: number;
  readonly uncoveredMs?: number;
  readonly flips?: number;
}

interface Scenario {
  readonly id: string;
  readonly intervalMs: number;
  readonly replicas: readonly {
    readonly t: readonly number[];
    readonly count: number;
    readonly firstMs: number;
    readonly lastMs: number;
    readonly sha256: string;
  }[];
  readonly generator?: { readonly js: string };
  readonly coverage?: { readonly fromMs: number; readonly toMs: number; readonly reachMs: number };
  readonly window?: {
    readonly startMs: number;
    readonly stepMs: number;
    readonly count: number;
    readonly lengthMs: number;
    readonly marginLeftMs: number;
    readonly marginRightMs: number;
  };
  readonly expect: { readonly thanos: Score };
}

interface Sample {
  readonly t: number;
  readonly replica: number;
}

function spliced(replicas: readonly (readonly number[])[], startMs = -Infinity, endMs = Infinity): Sample[] {
  const blocks = replicas.map((times) => [
    columnsBlock({ timestamps: Float64Array.from(times), values: new Float64Array(times.length) }),
  ]);
  const samples: Sample[] = [];
  for (const { replica, block, start, end } of splice(blocks, penalty(), { startMs, endMs })) {
    block
      .timestamps()
      .subarray(start, end)
      .forEach((t) => samples.push({ t, replica }));
  }
  return samples;
}

function score(samples: readonly Sample[], { intervalMs, coverage }: Scenario): Score {
  const pairs = samples.slice(1).map((sample, index) => ({ before: samples[index]!, sample }));
  const gaps = pairs.map(({ before, sample }) => sample.t - before.t);
  const result = {
    samples: samples.length,
    switches: pairs.filter(({ before, sample }) => before.replica !== sample.replica).length,
    nearDuplicates: gaps.filter((gap) => gap < 0.45 * intervalMs).length,
    holes: gaps.filter((gap) => gap > 1.5 * intervalMs).length,
    largestGapMs: Math.max(...gaps),
  };
  return coverage === undefined ? result : { ...result, uncoveredMs: uncovered(samples, coverage) };
}

function uncovered(samples: readonly Sample[], { fromMs, toMs, reachMs }: NonNullable<Scenario["coverage"]>): number {
  let coveredToMs = fromMs;
  let total = 0;
  for (const { t } of samples) {
    if (t > toMs) {
      break;
    }
    total += Math.max(0, t - coveredToMs);
    coveredToMs = Math.max(coveredToMs, t + reachMs);
  }
  return total + Math.max(0, toMs - coveredToMs);
}

function countFlips(replicas: readonly (readonly number[])[], window: NonNullable<Scenario["window"]>): number {
  const windows = Array.from({ length: window.count }, (_, index) => {
    const startMs = window.startMs + index * window.stepMs;
    return {
      startMs,
      endMs: startMs + window.lengthMs,
      samples: spliced(replicas, startMs, startMs + window.lengthMs),
    };
  });
  return windows.slice(1).filter((now, index) => {
    const before = windows[index]!;
    const inside = ({ t }: Sample) =>
      t >= now.startMs + window.marginLeftMs && t <= before.endMs - window.marginRightMs;
    return JSON.stringify(before.samples.filter(inside)) !== JSON.stringify(now.samples.filter(inside));
  }).length;
}

const scenarios = readLines<Scenario>("scoreboard");

test("there are 22 scenarios", () => {
  expect(scenarios).toHaveLength(22);
});

test.each(scenarios.map((scenario) => [scenario.id, scenario] as const))(
  "penalty scores as Thanos on %s",
  (_, scenario) => {
    const { generator, window } = scenario;
    // The generator is recorded with the scenario.
    // oxlint-disable-next-line typescript/no-implied-eval
    const make = generator === undefined ? undefined : (new Function("g", generator.js) as (g: unknown) => number[][]);
    const replicas = make?.(generator) ?? scenario.replicas.map(({ t }) => t);
    if (make !== undefined) {
      scenario.replicas.forEach(({ count, sha256 }, replica) => {
        expect(replicas[replica]).toHaveLength(count);
        expect(createHash("sha256").update(replicas[replica]!.join(",")).digest("hex")).toBe(sha256);
      });
    }
    const thanos = scenario.expect.thanos;
    expect(window === undefined ? score(spliced(replicas), scenario) : { flips: countFlips(replicas, window) }).toEqual(
      thanos,
    );
  },
);
