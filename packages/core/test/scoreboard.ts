/** The scoreboard: its scenarios, and how a splice is scored; see vectors/README.md. */
import { createHash } from "node:crypto";
import { expect } from "vitest";
import { readLines } from "./vectors.ts";

export interface Score {
  readonly samples?: number;
  readonly switches?: number;
  readonly nearDuplicates?: number;
  readonly holes?: number;
  readonly largestGapMs?: number;
  readonly uncoveredMs?: number;
  readonly flips?: number;
}

/** What `fill` must not be worse than. */
export interface FillLimits {
  readonly samplesMin?: number;
  readonly samplesMax?: number;
  readonly switchesMax?: number;
  readonly nearDuplicatesMax?: number;
  readonly holesMax?: number;
  readonly largestGapMsMax?: number;
  readonly uncoveredMsMax?: number;
  readonly flipsMax?: number;
}

export interface Scenario {
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
  readonly expect: Readonly<Record<"thanos" | "victoriametrics" | "union", Score>>;
  readonly fill: FillLimits;
  readonly fillGivenInterval: FillLimits;
}

export interface Sample {
  readonly t: number;
  readonly replica: number;
}

export function readScenarios(): Scenario[] {
  return readLines<Scenario>("scoreboard");
}

/** The timestamps of a scenario's replicas: recorded, or made by the generator that is recorded with it. */
export function replicasOf({ generator, replicas: recorded }: Scenario): readonly (readonly number[])[] {
  if (generator === undefined) {
    return recorded.map(({ t }) => t);
  }
  // The generator is recorded with the scenario.
  // oxlint-disable-next-line typescript/no-implied-eval
  const make = new Function("g", generator.js) as (g: unknown) => number[][];
  const replicas = make(generator);
  recorded.forEach(({ count, sha256 }, replica) => {
    expect(replicas[replica]).toHaveLength(count);
    expect(createHash("sha256").update(replicas[replica]!.join(",")).digest("hex")).toBe(sha256);
  });
  return replicas;
}

/** Fails where a score is worse than its limits. */
export function expectWithin(scored: Score, limits: FillLimits): void {
  for (const [name, limit] of Object.entries(limits) as [string, number][]) {
    const value = scored[name.slice(0, -3) as keyof Score]!;
    expect(value, name).toBeTypeOf("number");
    if (name.endsWith("Min")) {
      expect(value, name).toBeGreaterThanOrEqual(limit);
    } else {
      expect(value, name).toBeLessThanOrEqual(limit);
    }
  }
}

/** Counts of a splice, those of the window lines apart. */
export function score(samples: readonly Sample[], { intervalMs, coverage }: Scenario): Score {
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

/** Splices the same replicas in a sliding window and counts the steps at which neighbours disagree inside the margins. */
export function countFlips(
  splice: (startMs: number, endMs: number) => readonly Sample[],
  window: NonNullable<Scenario["window"]>,
): number {
  const windows = Array.from({ length: window.count }, (_, index) => {
    const startMs = window.startMs + index * window.stepMs;
    return {
      startMs,
      endMs: startMs + window.lengthMs,
      samples: splice(startMs, startMs + window.lengthMs),
    };
  });
  return windows.slice(1).filter((now, index) => {
    const before = windows[index]!;
    const inside = ({ t }: Sample) =>
      t >= now.startMs + window.marginLeftMs && t <= before.endMs - window.marginRightMs;
    return JSON.stringify(before.samples.filter(inside)) !== JSON.stringify(now.samples.filter(inside));
  }).length;
}
