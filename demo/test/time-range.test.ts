import { describe, expect, it } from "vitest";
import { parseTimeRange } from "../src/time-range.ts";

const NOW_MS = Date.UTC(2026, 0, 15, 12);
const MINUTE_MS = 60_000;

describe("a range", () => {
  it.each<[string, number]>([
    ["1h", 60 * MINUTE_MS],
    ["1h30m", 90 * MINUTE_MS],
    ["90s", 1.5 * MINUTE_MS],
    ["500ms", 500],
    ["1m5ms", MINUTE_MS + 5],
    ["1y1w1d", (365 + 7 + 1) * 24 * 60 * MINUTE_MS],
  ])("of %s ends now and begins so long before", (text, ms) => {
    expect(parseTimeRange(text, undefined, NOW_MS)).toEqual({ fromMs: NOW_MS - ms, toMs: NOW_MS });
  });

  it.each(["", "1", "h", "1x", "-1h", "1h ", "30m1h", "1h1h", "0s", "1.5h", "99999y"])("of %j is refused", (text) => {
    expect(() => parseTimeRange(text, undefined, NOW_MS)).toThrow("write a duration such as 30m, 1h");
  });

  it.each<[string, number]>([
    ["2026-01-15T13:00:00Z", Date.UTC(2026, 0, 15, 13)],
    ["2026-01-15t13:00:00.25z", Date.UTC(2026, 0, 15, 13) + 250],
    ["2026-01-15T13:00:00+01:00", Date.UTC(2026, 0, 15, 12)],
    ["1768482000", 1_768_482_000_000],
    ["1768482000.123", 1_768_482_000_123],
  ])("ends at %s where that is asked for", (text, toMs) => {
    expect(parseTimeRange("1m", text, NOW_MS)).toEqual({ fromMs: toMs - MINUTE_MS, toMs });
  });

  it.each(["", "now", "2026-01-15", "2026-01-15T13:00:00", "2026-13-15T13:00:00Z", "-5", "1e400", "9".repeat(30)])(
    "cannot end at %j",
    (text) => {
      expect(() => parseTimeRange("1m", text, NOW_MS)).toThrow("write 2026-01-15T13:00:00Z, or Unix time");
    },
  );
});
