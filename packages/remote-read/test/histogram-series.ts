/** Series of native histograms: arbitrary ones, and recorded ones with the chunks that Prometheus makes of them. */
import * as fc from "fast-check";

import type { ExactHistogram } from "./exact-histogram.ts";
import { readJson } from "./recording.ts";

export interface HistogramSeries {
  readonly float: boolean;
  readonly rows: readonly ExactHistogram[];
}

/** Random series and the chunks that the appenders of Prometheus put them into, in hexadecimal. */
export const recordedSeries = readJson("vectors/histogram-series.json") as readonly (HistogramSeries & {
  readonly chunks: readonly string[];
})[];

const STALE = "7ff0000000000002";

function hexOf(value: bigint): string {
  return value.toString(16).padStart(16, "0");
}

const anyBits = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(hexOf),
  fc.constantFrom("0000000000000000", "8000000000000000", "7ff8000000000001", "3ff0000000000000", "4008000000000000"),
);

/** Not the stale marker, which makes another row of it. */
const sumBits = anyBits.filter((bits) => bits !== STALE);

const anyInteger = fc.oneof(
  { weight: 4, arbitrary: fc.bigInt({ min: -300n, max: 300n }) },
  { weight: 1, arbitrary: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 62 }).map((power) => 2n ** BigInt(power)) },
);

const anySpans = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 4 })), { maxLength: 3 })
  .chain((spans) =>
    fc
      .integer({ min: -20, max: 20 })
      .map((first) => spans.map(([offset, length], at) => [at === 0 ? first : offset, length] as const)),
  );

/** A layout, of exponential or of custom buckets; the threshold and the bounds are any positive numbers, or none at all. */
const anyLayout = fc.oneof(
  fc.record({
    schema: fc.integer({ min: -9, max: 52 }),
    threshold: fc.oneof(
      fc.constantFrom("0000000000000000", "37f0000000000000", "3f50624dd2f1a9fc"),
      anyBits.filter(isNumber),
    ),
    ps: anySpans,
    ns: anySpans,
  }),
  fc.record({
    schema: fc.constant(-53),
    threshold: fc.constant("0000000000000000"),
    bounds: fc.array(fc.oneof(anyBits.filter(isNumber), fc.constantFrom("3f747ae147ae147b", "40e062cdc28f5c29")), {
      minLength: 1,
      maxLength: 4,
    }),
    ps: anySpans,
    ns: fc.constant([]),
  }),
);

/** Whether bits are a number by which a layout can be compared: none of NaN and −0. */
function isNumber(bits: string): boolean {
  const value = new Float64Array(BigUint64Array.of(BigInt(`0x${bits}`)).buffer)[0]!;
  return !Number.isNaN(value) && bits !== "8000000000000000";
}

function bucketsOf(isFloat: boolean, spans: ExactHistogram["ps"]): fc.Arbitrary<string[]> {
  const count = spans.reduce((sum, [, length]) => sum + length, 0);
  const bucket = isFloat ? anyBits : anyInteger.map(String);
  return fc.array(bucket, { minLength: count, maxLength: count });
}

function anyRow(
  isFloat: boolean,
  layout: Pick<ExactHistogram, "schema" | "threshold" | "bounds" | "ps" | "ns">,
): fc.Arbitrary<Omit<ExactHistogram, "t" | "hint">> {
  const count = isFloat ? anyBits : anyInteger.map((value) => String(BigInt.asUintN(64, value)));
  return fc
    .record({
      count,
      zero: count,
      sum: sumBits,
      pb: bucketsOf(isFloat, layout.ps),
      nb: bucketsOf(isFloat, layout.ns),
    })
    .map((fields) => ({ ...layout, ...fields }));
}

function staleRow(isFloat: boolean): Omit<ExactHistogram, "t" | "hint"> {
  const zero = isFloat ? "0000000000000000" : "0";
  return { schema: 0, threshold: "0000000000000000", ps: [], ns: [], count: zero, zero, sum: STALE, pb: [], nb: [] };
}

const anyTimes = (count: number): fc.Arbitrary<string[]> =>
  fc
    .tuple(
      fc.integer({ min: -(2 ** 40), max: 2 ** 42 }),
      fc.array(fc.oneof(fc.integer({ min: 14_990, max: 15_010 }), fc.integer({ min: 1, max: 2 ** 31 - 1 })), {
        minLength: count,
        maxLength: count,
      }),
    )
    .map(([first, deltas]) => {
      let timeMs = first;
      return deltas.map((deltaMs) => String((timeMs += deltaMs)));
    });

/** Any series: of integers or floats, its layouts changing, stale markers among them; `hints` are what a hint may be. */
export function anyHistogramSeries(hints: readonly number[], layoutsMax: number): fc.Arbitrary<HistogramSeries> {
  return fc
    .record({ float: fc.boolean(), layouts: fc.array(anyLayout, { minLength: 1, maxLength: layoutsMax }) })
    .chain(({ float, layouts }) =>
      fc
        .array(
          fc.oneof(
            { weight: 9, arbitrary: fc.constantFrom(...layouts).chain((layout) => anyRow(float, layout)) },
            { weight: 1, arbitrary: fc.constant(staleRow(float)) },
          ),
          { minLength: 1, maxLength: 12 },
        )
        .chain((rows) =>
          fc
            .tuple(
              anyTimes(rows.length),
              fc.array(fc.constantFrom(...hints), { minLength: rows.length, maxLength: rows.length }),
            )
            .map(([times, chosen]) => ({
              float,
              rows: rows.map((row, at) => ({ t: times[at]!, hint: row.sum === STALE ? 0 : chosen[at]!, ...row })),
            })),
        ),
    );
}
