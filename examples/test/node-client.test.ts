/** The client prints the splice of what two replicas hold of the last hour. */
import { expect, test } from "vitest";
import { findFreePort, runExample } from "./example.ts";
import { makeDay, spliceDay, startPair } from "./replica-pair.ts";

const HOUR_MS = 3_600_000;
const STALE_MARKER_BITS = 0x7ff0000000000002n;

/** What of the generated day the last hour is: it ends at this hour. */
const hours = [
  { metric: "room_temperature_celsius", happens: "A is down for 42 minutes", endHour: 6, stale: 0 },
  { metric: "batch_queue_length", happens: "the target goes away", endHour: 20.75, stale: 1 },
];

test.each(hours)("prints $metric while $happens", async ({ metric, endHour, stale }) => {
  const dayStartMs = Date.UTC(2026, 0, 15);
  const day = makeDay(Date.now() - (dayStartMs + endHour * HOUR_MS));
  const pair = await startPair(day);
  try {
    const beforeMs = Date.now();
    const output = await runExample([process.execPath], "node-client.mjs", [metric, ...pair.urls]);
    const afterMs = Date.now();
    const [title, ...lines] = output.trimEnd().split("\n");
    expect(title).toMatch(new RegExp(`^${metric}\\{job="[a-z]+"\\}$`, "u"));

    // The client asked at some moment between the two: what lies between the earliest and the latest start may be missing.
    const expected = spliceDay(day)
      .get(metric)!
      .filter(([timeMs]) => timeMs >= beforeMs - HOUR_MS && timeMs <= afterMs)
      .map(([timeMs, bits]) => `  ${new Date(timeMs).toISOString()}  ${show(bits)}`);
    const first = expected.indexOf(lines[0]!);
    const last = expected.indexOf(lines.at(-1)!);
    expect(lines).toEqual(expected.slice(first, last + 1));
    const mustMs = (timeMs: number): boolean => timeMs >= afterMs - HOUR_MS && timeMs <= beforeMs;
    expect(lines.length).toBeGreaterThanOrEqual(
      expected.filter((line) => mustMs(Date.parse(line.slice(2, 26)))).length,
    );
    expect(lines.filter((line) => line.endsWith("stale"))).toHaveLength(stale);
    expect(lines.length).toBeGreaterThan(100);
  } finally {
    await pair.close();
  }
});

function show(bits: bigint): string {
  return bits === STALE_MARKER_BITS ? "stale" : String(new Float64Array(BigUint64Array.of(bits).buffer)[0]);
}

test("says on standard error which replica it has to do without, and prints the other", async () => {
  const day = makeDay(Date.now() - Date.UTC(2026, 0, 15, 12));
  const pair = await startPair(day);
  try {
    const missing = `127.0.0.1:${await findFreePort()}`;
    const words = ["http_requests_total", `http://${missing}`, pair.urls[1]!];
    const output = await runExample([process.execPath], "node-client.mjs", words);
    expect(output).toContain(`without ${missing}: no answer: `);
    expect(output.split("\n").length).toBeGreaterThan(200);
  } finally {
    await pair.close();
  }
});
