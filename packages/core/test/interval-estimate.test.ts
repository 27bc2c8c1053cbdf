import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { DELTAS, type Estimate, estimateFromDeltas, estimateInterval } from "../src/strategy/interval-estimate.ts";

/** The rule as it is written: the mean of the deltas up to 1.5 × their 20 % quantile. */
function estimateNaively(deltas: readonly number[]): number {
  const quantile = deltas.toSorted((one, other) => one - other)[Math.floor(0.2 * deltas.length)]!;
  const regular = deltas.filter((delta) => delta <= 1.5 * quantile);
  return regular.reduce((sum, delta) => sum + delta, 0) / regular.length;
}

function estimateOf(deltas: readonly number[]): Estimate {
  const estimate = { intervalMs: -1, leastMs: -1 };
  estimateFromDeltas(Float64Array.from(deltas), deltas.length, estimate);
  return estimate;
}

const jittering = fc.integer({ min: 1, max: 40 }).map((delta) => delta + 14_980);
const missed = fc.integer({ min: 1, max: 5 }).map((scrapes) => scrapes * 15_000);
const edges = fc.constantFrom(1, 2, 3, 2 ** 27 - 1, 2 ** 27, 2 ** 31, 2 ** 40);

describe("the interval", () => {
  test.each([
    ["jittering scrapes", jittering],
    ["missed scrapes", fc.oneof(jittering, missed)],
    ["deltas that do not fit 32 bits", fc.oneof(jittering, edges)],
    ["the shortest and the longest short ones", fc.constantFrom(1, 2, 3, 2 ** 27 - 1)],
    ["deltas that are not whole", fc.oneof(jittering, fc.constantFrom(0.5, 14_999.25))],
  ])("of %s is the mean that the rule says, and the shortest is told", (_, delta) => {
    fc.assert(
      fc.property(fc.array(delta, { minLength: 1, maxLength: DELTAS }), (deltas) => {
        const { intervalMs, leastMs } = estimateOf(deltas);
        expect(intervalMs).toBeCloseTo(estimateNaively(deltas), 6);
        expect(leastMs).toBe(Math.min(...deltas));
      }),
    );
  });

  test("between rows is that of their deltas", () => {
    const estimate = { intervalMs: NaN, leastMs: NaN };
    estimateInterval(Float64Array.of(7, 0, 10, 30, 40, 50, 1), 1, 6, estimate);
    expect(estimate).toEqual({ intervalMs: 10, leastMs: 10 });
  });

  test("is not known of no delta, and a time that does not increase is told", () => {
    expect(estimateOf([])).toEqual({ intervalMs: NaN, leastMs: Infinity });
    for (const wrong of [0, -1, -(2 ** 27), -0.5, NaN]) {
      expect(estimateOf([15, wrong]).leastMs, String(wrong)).toBeNaN();
    }
  });
});
