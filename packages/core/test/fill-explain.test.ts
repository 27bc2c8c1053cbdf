/** `explainer` over `fill`: why each span begins, with the I and J of its hole; and what was left out. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { explainer, type Span, splice } from "../src/index.ts";
import { drawFillCase, type FillCase, seeds, strategyOf } from "./fill-generators.ts";
import { cut } from "./samples.ts";
import { type Filled, fillTwin } from "./twins/fill.ts";

/** The spans of a case, its blocks cut at random and spliced as a whole, and what the twin makes of it. */
function explainCase({ replicas, options, random }: FillCase): { why: ReturnType<typeof explainer>; filled: Filled } {
  const { startMs = -Infinity, endMs = Infinity } = options;
  const why = explainer();
  const blocks = replicas.map((rows) => cut(rows, () => 1 + random() * 9));
  for (const run of splice(blocks, strategyOf(options), { startMs, endMs, explain: why })) {
    expect(run.end).toBeGreaterThan(run.start);
  }
  return { why, filled: fillTwin(replicas, options) };
}

/** Spans of the twin's samples, without their reasons. */
function spansOf({ samples }: Filled): Partial<Span>[] {
  const starts = samples.flatMap(({ replica }, row) =>
    row === 0 || samples[row - 1]!.replica !== replica ? [row] : [],
  );
  return starts.map((start, index) => {
    const end = starts[index + 1] ?? samples.length;
    return {
      replica: samples[start]!.replica,
      firstMs: samples[start]!.t,
      lastMs: samples[end - 1]!.t,
      samples: end - start,
    };
  });
}

test("spans are the twin's, and a hole has the I and J that the twin used", () => {
  const kinds = new Map<string, number>();
  fc.assert(
    fc.property(seeds, (seed) => {
      const { why, filled } = explainCase(drawFillCase(seed));
      expect(why.spans).toMatchObject(spansOf(filled));
      const staleTimes = new Set(filled.samples.filter(({ isStale }) => isStale).map(({ t }) => t));
      for (const [index, { replica, firstMs, reason }] of why.spans.entries()) {
        kinds.set(reason.kind, (kinds.get(reason.kind) ?? 0) + 1);
        expect(reason.kind === "first").toBe(index === 0);
        if (reason.kind === "hole") {
          const { intervalMs, spacingMs } = reason;
          const isIts = filled.holes.some(
            (hole) =>
              hole.replica === replica &&
              hole.fromMs < firstMs &&
              hole.toMs > firstMs &&
              hole.intervalMs === intervalMs &&
              hole.spacingMs === spacingMs,
          );
          expect(isIts, `replica ${replica} at ${firstMs}: I ${intervalMs}, J ${spacingMs}`).toBe(true);
        }
        if (reason.kind === "stale-marker") {
          expect(staleTimes.has(firstMs)).toBe(true);
        }
      }
      expect(why.leftOut.falseResets).toBe(filled.falseResets);
    }),
    { numRuns: 800 },
  );
  expect(kinds.get("hole")).toBeGreaterThan(800);
  expect(kinds.get("preferred")).toBeGreaterThan(800);
  expect(kinds.get("stale-marker")).toBeGreaterThan(40);
});

test("samples of different replicas are never closer than half of the J that was told", () => {
  let judged = 0;
  fc.assert(
    fc.property(seeds, (seed) => {
      const { replicas, options, random } = drawFillCase(seed, 0);
      const { why } = explainCase({
        replicas,
        options: { ...options, intervalMs: undefined, staleMarkers: "drop", counter: false },
        random,
      });
      for (const [index, span] of why.spans.entries()) {
        const before = why.spans[index - 1];
        // Of two replicas the lower one came into the hole of the other.
        const lower = before === undefined || before.replica < span.replica ? span : before;
        if (before !== undefined && lower.reason.kind === "hole") {
          judged++;
          expect(span.firstMs - before.lastMs).toBeGreaterThanOrEqual(0.5 * lower.reason.spacingMs);
        }
      }
    }),
    { numRuns: 800 },
  );
  expect(judged).toBeGreaterThan(2000);
});
