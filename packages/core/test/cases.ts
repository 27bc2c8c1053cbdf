/** The strategies under one roof for tests that hold for all of them: each with its twin. */
import { chain, interval, penalty, type Strategy } from "../src/index.ts";
import { addTo, formatRow } from "./samples.ts";
import { chainTwin } from "./twins/chain.ts";
import { intervalTwin } from "./twins/interval.ts";
import { penaltyTwin, type Row, type Shown } from "./twins/penalty.ts";

export type Replicas = readonly (readonly Row[])[];

export interface StrategyCase {
  readonly strategy: Strategy;
  readonly twin: (replicas: Replicas) => Shown[];
  /** Whether values are compared with all NaNs equal and −0 as 0, since the strategy adds to them. */
  readonly isLoose: boolean;
}

export function penaltyCase(counter: boolean): StrategyCase {
  return {
    strategy: penalty({ counter }),
    twin: (replicas) => penaltyTwin(replicas, counter),
    isLoose: counter,
  };
}

export function intervalCase(intervalMs: number): StrategyCase {
  return {
    strategy: interval({ intervalMs }),
    twin: (replicas) => intervalTwin(replicas, intervalMs),
    isLoose: false,
  };
}

export function chainCase(): StrategyCase {
  return { strategy: chain(), twin: chainTwin, isLoose: false };
}

/** An interval shorter, as long and longer than those of scenes. */
export function drawIntervalCase(random: () => number): StrategyCase {
  const intervals = [1, 3, 7, 1000, 2500, 5000, 15_000, 40_000, 1e7];
  return intervalCase(intervals[Math.floor(random() * intervals.length)]!);
}

/** One of all the strategies for a scene. */
export function drawCase(counter: boolean, random: () => number): StrategyCase {
  const choice = random();
  if (choice < 0.5) {
    return penaltyCase(counter);
  }
  return choice < 0.7 ? chainCase() : drawIntervalCase(random);
}

/** What the twin shows of the samples inside a window, one line a sample as `formatRuns` writes them. */
export function expectedLines(
  { twin, isLoose }: StrategyCase,
  replicas: Replicas,
  { startMs = -Infinity, endMs = Infinity }: { readonly startMs?: number; readonly endMs?: number } = {},
): string[] {
  const inside = replicas.map((rows) => rows.filter(({ t }) => t >= startMs && t <= endMs));
  return twin(inside).map(
    ({ t, replica, row, add }) => `${t} r${replica} ${formatRow(addTo(inside[replica]![row]!, add), isLoose)}`,
  );
}
