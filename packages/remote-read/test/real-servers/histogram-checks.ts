/** What a Prometheus that reads a pair's native histograms through us must make of them. */
import { expect } from "vitest";

import { bySeries, select, spliceDumps, type VisibleSample, withoutName } from "./expected-samples.ts";
import { naiveHistogramIncrease, naiveQuantile, readHistogram } from "./naive-promql.ts";
import type { JsonHistogram, PrometheusServer } from "./prometheus.ts";
import type { PairOfServers } from "./real-pairs.ts";
import type { HeldRow } from "./tsdb-dump.ts";

/** A window from `startMs` to `endMs`, both inclusive, over which an asker is asked; `seconds` is how it is written. */
export interface Window {
  readonly startMs: number;
  readonly endMs: number;
  readonly seconds: number;
}

/** Whose buckets are custom ones, where a server makes these. */
const CUSTOM = "classic_seconds";
/** The newest rows of all these are histograms. */
const COUNTERS = ["latency_seconds", "latency_float_seconds", CUSTOM];
const GAUGES = ["sizes_bytes", "changing"];

const CALLS = ["histogram_count(", "histogram_sum(", "histogram_quantile(0.9, ", "histogram_fraction(0, 1, "];

async function ask(asker: PrometheusServer, expression: string, timeMs: number): Promise<Map<string, VisibleSample[]>> {
  const answer = await asker.query(expression, timeMs);
  expect(answer).toMatchObject({ status: "success" });
  expect(answer.warnings).toBeUndefined();
  return bySeries(answer.data!.result);
}

function isHeld(servers: readonly PrometheusServer[], name: string): boolean {
  return name !== CUSTOM || servers.every(({ program }) => program.hasCustomBuckets);
}

/** Functions of the newest histogram are what the replica that it is of gives at its time. */
export async function checkFunctions(
  asker: PrometheusServer,
  { servers, dumps }: PairOfServers,
  { startMs, endMs }: Window,
): Promise<void> {
  for (const name of [...COUNTERS, ...GAUGES].filter((one) => isHeld(servers, one))) {
    const spliced = select(spliceDumps(dumps, startMs, endMs), { __name__: name });
    expect(spliced.size).toBeGreaterThan(0);
    for (const call of CALLS) {
      const shown = await ask(asker, `${call}${name})`, endMs);
      expect(shown.size).toBe(spliced.size);
      for (const [key, rows] of spliced) {
        const { replica, t } = rows.at(-1)!;
        const held = await ask(servers[replica]!, `${call}${name})`, t);
        const value = held.get(withoutName(key))![0]![1];
        expect(value).not.toBeNaN();
        expect(shown.get(withoutName(key))).toEqual([[endMs, value]]);
      }
    }
  }
}

/** Increases over a window are those of the twin's histograms, number by number, and quantiles follow from them. */
export async function checkIncreases(
  asker: PrometheusServer,
  { servers, dumps }: PairOfServers,
  window: Window,
): Promise<void> {
  const { startMs, endMs, seconds } = window;
  for (const name of COUNTERS.filter((one) => isHeld(servers, one))) {
    const range = `${name}[${seconds}s]`;
    const increases = await ask(asker, `increase(${range})`, endMs);
    const counts = await ask(asker, `histogram_count(increase(${range}))`, endMs);
    const quantiles = await ask(asker, `histogram_quantile(0.5, rate(${range}))`, endMs);
    const spliced = select(spliceDumps(dumps, startMs, endMs), { __name__: name });
    expect([spliced.size, increases.size]).toEqual([name === "latency_seconds" ? 2 : 1, spliced.size]);
    for (const [key, rows] of spliced) {
      const expected = naiveHistogramIncrease(
        rows.map(({ t }) => t),
        rows.map(({ shown }) => readHistogram(shown as JsonHistogram)),
        endMs - seconds * 1000,
        endMs,
      );
      const shownOf = (answer: Map<string, VisibleSample[]>): VisibleSample[1] => answer.get(withoutName(key))![0]![1];
      const increase = readHistogram(shownOf(increases) as JsonHistogram);
      expect([...increase.buckets.keys()].toSorted()).toEqual([...expected.buckets.keys()].toSorted());
      const ratios = [
        increase.count / expected.count,
        increase.sum / expected.sum,
        Number(shownOf(counts)) / expected.count,
        ...[...expected.buckets].map(([bucket, count]) => increase.buckets.get(bucket)! / count),
        Number(shownOf(quantiles)) / naiveQuantile(0.5, expected, name !== CUSTOM),
      ];
      expect(ratios).toEqual(ratios.map(() => expect.closeTo(1, 9) as number));
    }
  }
}

/**
 * Of a series of counters, the rows at a switch from A to B before which the counter was reset, though B's own row before,
 * which is not shown, is after the reset too: whoever believes what B's chunk says of such a row misses the reset.
 */
export function hiddenResets({ dumps }: PairOfServers, name: string, { startMs, endMs }: Window): HeldRow[] {
  return [...select(spliceDumps(dumps, startMs, endMs), { __name__: name })].flatMap(([key, rows]) =>
    rows.filter((row, index) => {
      const before = rows[index - 1];
      const heldBefore = dumps[1]!.get(key)!.findLast(({ t }) => t < row.t);
      return (
        row.replica === 1 &&
        before?.replica === 0 &&
        heldBefore !== undefined &&
        heldBefore.t > before.t &&
        countOf(before) > countOf(row) &&
        countOf(heldBefore) < countOf(row)
      );
    }),
  );
}

function countOf({ shown }: HeldRow): number {
  return Number((shown as JsonHistogram).count);
}
