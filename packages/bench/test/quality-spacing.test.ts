/** The measures of spacing and the bound, against counts of every millisecond and of every subset. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { leastUncoveredMs } from "../src/quality/optimum.ts";
import { countNearDuplicates, countSwitches, uncoveredMs } from "../src/quality/spacing.ts";

const INTERVAL_MS = 20;
const FROM_MS = 10;
const TO_MS = 150;

const timesOf = (maxLength: number) =>
  fc
    .uniqueArray(fc.integer({ min: 0, max: 160 }), { maxLength })
    .map((times) => Float64Array.from(times.toSorted((one, other) => one - other)));

/** Half milliseconds, each asked for by itself whether some sample reaches it. */
function countUncoveredMs(timestamps: readonly number[]): number {
  let count = 0;
  for (let momentMs = FROM_MS + 0.25; momentMs < TO_MS; momentMs += 0.5) {
    const isCovered = [FROM_MS - 25, ...timestamps.filter((time) => time >= FROM_MS && time <= TO_MS)].some(
      (time) => time <= momentMs && momentMs <= time + 1.25 * INTERVAL_MS,
    );
    count += isCovered ? 0 : 0.5;
  }
  return count;
}

test("uncovered time is the time that no sample reaches", () => {
  fc.assert(
    fc.property(timesOf(12), (timestamps) => {
      expect(uncoveredMs(timestamps, INTERVAL_MS, FROM_MS, TO_MS)).toBe(countUncoveredMs([...timestamps]));
    }),
    { numRuns: 2_000 },
  );
});

test("the bound is the least uncovered time of all subsets with neighbours half an interval apart", () => {
  let better = 0;
  fc.assert(
    fc.property(timesOf(10), (timestamps) => {
      const inside = [...timestamps].filter((time) => time >= FROM_MS && time <= TO_MS);
      let least = Infinity;
      for (let subset = 0; subset < 2 ** inside.length; subset++) {
        const chosen = inside.filter((_, index) => (subset >> index) % 2 === 1);
        if (chosen.every((time, index) => index === 0 || time - chosen[index - 1]! >= INTERVAL_MS / 2)) {
          least = Math.min(least, uncoveredMs(Float64Array.from(chosen), INTERVAL_MS, FROM_MS, TO_MS));
        }
      }
      expect(leastUncoveredMs(timestamps, INTERVAL_MS, FROM_MS, TO_MS)).toBe(least);
      better += least > uncoveredMs(timestamps, INTERVAL_MS, FROM_MS, TO_MS) ? 1 : 0;
    }),
    { numRuns: 2_000 },
  );
  // Else the half interval would not have been put to the test.
  expect(better).toBeGreaterThan(100);
});

test("the bound of no sample is the whole time", () => {
  expect(leastUncoveredMs(new Float64Array(), INTERVAL_MS, FROM_MS, TO_MS)).toBe(TO_MS - FROM_MS);
});

test("a near-duplicate comes less than 0.45 intervals after the one before", () => {
  expect(countNearDuplicates(Float64Array.of(0, 8, 17, 26, 60), INTERVAL_MS)).toBe(1);
});

test("a switch is a row of another replica than the one before", () => {
  expect(countSwitches(Uint8Array.of(0, 0, 1, 1, 0, 2))).toBe(3);
});
