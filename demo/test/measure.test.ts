import { columnsBlock } from "@promsplice/core";
import { describe, expect, it } from "vitest";
import { compareRefreshes, readPoints } from "../src/flicker.ts";
import {
  formatBytes,
  formatDuration,
  formatInstant,
  formatLabels,
  formatShare,
  wrapLabels,
  wrapText,
} from "../src/format.ts";
import {
  countNearDuplicates,
  countSwitches,
  estimateInterval,
  findHoles,
  findUncovered,
  measureCoverage,
  spanColumns,
} from "../src/measure.ts";
import { cutBlocks, joinBlocks } from "../src/splice-pair.ts";
import { STALE_MARKER_BITS, viewBits } from "../src/stale-marker.ts";

describe("measures of a series", () => {
  const timestamps = Float64Array.of(0, 10, 20, 40, 43, 53);
  const window = { fromMs: 0, toMs: 53 };

  it("finds a hole where neighbours are further apart than 1.5 intervals, not where they are just as far", () => {
    expect(findHoles(timestamps, 10)).toEqual([2]);
    expect(findHoles(Float64Array.of(0, 15, 31), 10)).toEqual([1]);
  });

  it("counts as near-duplicates only neighbours closer than 0.45 intervals", () => {
    expect(countNearDuplicates(timestamps, 10)).toBe(1);
    expect(countNearDuplicates(Float64Array.of(0, 45, 89), 100)).toBe(1);
  });

  it("takes as uncovered what is later than 1.25 intervals after a sample, edges of the window included", () => {
    expect(findUncovered(timestamps, window, 10)).toEqual([{ fromMs: 32.5, toMs: 40 }]);
    expect(findUncovered(Float64Array.of(20, 30), { fromMs: 0, toMs: 50 }, 10)).toEqual([
      { fromMs: 0, toMs: 20 },
      { fromMs: 42.5, toMs: 50 },
    ]);
    expect(measureCoverage([{ fromMs: 32.5, toMs: 40 }], window)).toBeCloseTo(1 - 7.5 / 53, 12);
  });

  it("estimates the interval as the median step of all replicas", () => {
    expect(estimateInterval([timestamps, Float64Array.of(1, 12, 23), Float64Array.of()])).toBe(10);
    expect(estimateInterval([Float64Array.of(5), Float64Array.of()])).toBeUndefined();
  });

  it("spans what there is where a replica has nothing", () => {
    expect(spanColumns([timestamps, Float64Array.of()])).toEqual(window);
  });

  it("counts a switch wherever neighbours come from different replicas", () => {
    expect(countSwitches(Uint8Array.of(0, 0, 1, 1, 0))).toBe(2);
  });
});

describe("flicker", () => {
  it("shows the newest sample of five minutes, and nothing before the first one, after a marker or when it is too old", () => {
    const columns = { timestamps: Float64Array.of(1000, 2000, 3000), values: Float64Array.of(1, 0, 1) };
    viewBits(columns)[1] = STALE_MARKER_BITS;
    const one = viewBits(columns)[0];
    expect(readPoints(columns, { fromMs: 0, toMs: 4000 }, 1000)).toEqual([undefined, one, undefined, one, one]);
    expect(readPoints(columns, { fromMs: 302_999, toMs: 303_000 }, 1)).toEqual([one, undefined]);
  });

  it("counts the points that differ", () => {
    expect(compareRefreshes([5n, 7n, 7n, undefined, 2n], [5n, 6n, 7n, 4n, 2n])).toEqual([1, 3]);
  });
});

describe("cutting blocks", () => {
  it("keeps every row and its bits", () => {
    const columns = { timestamps: Float64Array.of(1, 2, 3, 4, 5), values: Float64Array.of(1, 0, 3, 4, 5) };
    viewBits(columns)[1] = STALE_MARKER_BITS;
    const blocks = cutBlocks([columnsBlock(columns)], 2);
    expect(blocks.map(({ count }) => count)).toEqual([2, 2, 1]);
    expect(viewBits(joinBlocks(blocks))).toEqual(viewBits(columns));
  });
});

describe("numbers as text", () => {
  it("never rounds a share up to what it is not", () => {
    expect(formatShare(0.99999)).toBe("99.99 %");
    expect(formatShare(1)).toBe("100.00 %");
  });

  it("prints short times in seconds and long ones in minutes", () => {
    expect(formatDuration(2239)).toBe("2.2 s");
    expect(formatDuration(2_530_000)).toBe("42.2 min");
  });

  it("prints an instant by the pair's clock", () => {
    expect(formatInstant(5000, 3000, "elapsed")).toBe("2.0 s");
    expect(formatInstant(Date.UTC(2026, 0, 15, 5, 10, 3), 0, "time-of-day")).toBe("05:10:03");
  });

  it("prints bytes in powers of 1000", () => {
    expect([0, 999, 1000, 66_849, 999_949, 999_950, 12_345_678].map(formatBytes)).toEqual([
      "0 B",
      "999 B",
      "1.0 kB",
      "66.8 kB",
      "999.9 kB",
      "1.0 MB",
      "12.3 MB",
    ]);
  });

  it("breaks labels into lines, between them where that is possible", () => {
    const labels = ["__name__", "up", "instance", "host-1.example:9100", "job", "node", "rack", "r"];
    expect(wrapLabels(labels, 34)).toEqual(['up{instance="host-1.example:9100",', '  job="node",rack="r"}']);
    expect(wrapLabels(labels, 20).every(({ length }) => length <= 20)).toBe(true);
    expect(wrapLabels(["__name__", "up"], 80)).toEqual(["up{}"]);
    expect(wrapLabels(["__name__", "http.requests", "le bel", "x"], 80)).toEqual(['{"http.requests","le bel"="x"}']);
    expect(wrapLabels(["job", "x"], 80)).toEqual(['{job="x"}']);
  });

  it("prints labels as PromQL has them", () => {
    expect(formatLabels(["__name__", "up", "job", "t"])).toBe('up{job="t"}');
  });

  it("breaks a text between words only", () => {
    expect(wrapText("one two three", 7, "  ")).toEqual(["one two", "  three"]);
  });
});
