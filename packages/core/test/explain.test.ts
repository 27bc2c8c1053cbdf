/** `explainer`: its spans are the samples that are shown, and its reasons those of a naive computation. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { open, save } from "../src/checkpoint.ts";
import {
  chain,
  dedup,
  explainer,
  interval,
  penalty,
  type Reason,
  type Run,
  type Span,
  splice,
  spliceAsync,
  spliceBlocks,
} from "../src/index.ts";
import { drawCase } from "./cases.ts";
import { scenes } from "./generators.ts";
import { columnsOf, cut, floatRow, rowsOf } from "./samples.ts";
import { explainPenalty } from "./twins/explain.ts";

interface Shown {
  readonly t: number;
  readonly replica: number;
  readonly reason?: Reason | undefined;
}

/** Spans over samples, with the reason of the first sample of each. */
function spansOf(shown: readonly Shown[]): Partial<Span>[] {
  const spans: Shown[][] = [];
  for (const sample of shown) {
    if (spans.at(-1)?.[0]!.replica === sample.replica) {
      spans.at(-1)!.push(sample);
    } else {
      spans.push([sample]);
    }
  }
  return spans.map((span, index) => ({
    replica: span[0]!.replica,
    firstMs: span[0]!.t,
    lastMs: span.at(-1)!.t,
    samples: span.length,
    reason: index === 0 ? { kind: "first" } : span[0]!.reason!,
  }));
}

/** A span without its reason. */
function formatSpan({ replica, firstMs, lastMs, samples }: Partial<Span>): string {
  return `${replica} ${firstMs} ${lastMs} ${samples}`;
}

test("under penalty spans and reasons are those of the twin, however blocks are cut and folds nest", () => {
  const kinds = new Map<string, number>();
  fc.assert(
    fc.property(scenes, ({ scene, random }) => {
      const { counter } = scene;
      const replicas = scene.replicas.map((rows) => (random() < 0.5 ? rows : rows.slice(0, random() * rows.length)));
      const why = explainer();
      const blocks = replicas.map((rows) => cut(rows, () => 1 + random() * 9));
      for (const run of splice(
        blocks.map((list) => list.values()),
        penalty({ counter }),
        { explain: why },
      )) {
        expect(run.end).toBeGreaterThan(run.start);
      }
      expect(why.spans).toEqual(spansOf(explainPenalty(replicas)));
      why.spans.forEach(({ reason }) => kinds.set(reason.kind, (kinds.get(reason.kind) ?? 0) + 1));
    }),
    { numRuns: 2000 },
  );
  expect(kinds.get("first")).toBeGreaterThan(1500);
  expect(kinds.get("exhausted")).toBeGreaterThan(200);
  expect(kinds.get("penalty")).toBeGreaterThan(1000);
  expect(kinds.size).toBe(3);
});

test("under every strategy spans are what is shown, at any time of reading, and each has a reason", () => {
  fc.assert(
    fc.property(scenes, ({ scene: { replicas, counter }, random }) => {
      const { strategy, twin } = drawCase(counter, random);
      const why = explainer();
      let samples = 0;
      for (const { start, end } of splice(
        replicas.map((rows) => cut(rows, () => 1 + random() * 9)),
        strategy,
        { explain: why },
      )) {
        samples += end - start;
        expect(why.spans.reduce((sum, span) => sum + span.samples, 0)).toBe(samples);
      }
      expect(why.spans.map((span) => formatSpan(span))).toEqual(
        spansOf(twin(replicas)).map((span) => formatSpan(span)),
      );
      const reasons = {
        penalty: ["penalty", "exhausted"],
        interval: ["last-in-bucket", "tie"],
        chain: ["next-in-time"],
      };
      for (const { reason } of why.spans.slice(1)) {
        expect(reasons[strategy.name as keyof typeof reasons]).toContain(reason.kind);
      }
    }),
    { numRuns: 500 },
  );
});

test("dedup, spliceBlocks and spliceAsync explain alike", async () => {
  const replicas = [0, 2000].map((offsetMs, replica) =>
    Array.from({ length: 40 }, (_, scrape) => floatRow(scrape * 15_000 + offsetMs, scrape)).filter(
      (_, scrape) => (scrape + 5 * replica) % 10 < 6,
    ),
  );
  const [one, two, three] = [explainer(), explainer(), explainer()];
  dedup(
    replicas.map((rows) => columnsOf(rows)),
    penalty(),
    { explain: one },
  );
  const blocks = replicas.map((rows) => cut(rows, () => 7));
  const spliced = [...spliceBlocks(blocks, penalty(), { explain: two })];
  expect(spliced.flatMap((block) => rowsOf(block)).length).toBe(one.spans.reduce((sum, span) => sum + span.samples, 0));
  const runs: Run[] = [];
  for await (const run of spliceAsync(
    blocks.map(async function* (list) {
      yield* list;
    }),
    penalty(),
    { explain: three },
  )) {
    runs.push({ ...run });
  }
  expect(runs.length).toBeGreaterThan(3);
  expect(one.spans.length).toBeGreaterThan(3);
  expect(two.spans).toEqual(one.spans);
  expect(three.spans).toEqual(one.spans);
});

test("spans beyond the limit are counted only", () => {
  const replicas = [0, 2000].map((offsetMs) =>
    columnsOf(Array.from({ length: 50 }, (_, scrape) => floatRow(scrape * 15_000 + offsetMs, scrape))),
  );
  for (const spansMax of [0, 1, 10, 99, 100, 101]) {
    const why = explainer({ spansMax });
    dedup(replicas, chain(), { explain: why });
    expect(why.spans).toHaveLength(Math.min(100, spansMax));
    expect(why.spansLeftOut).toBe(Math.max(0, 100 - spansMax));
    expect(why.spans.every(({ samples }) => samples === 1)).toBe(true);
  }
});

test("a splice that goes on from a checkpoint says so, and adds to what was collected before", () => {
  const rows = Array.from({ length: 4 }, (_, scrape) => floatRow(scrape * 15_000, scrape));
  const splicing = splice([cut(rows, () => 2), cut(rows, () => 2)], interval({ intervalMs: 1000 }));
  splicing.next();
  const resume = open(save(splicing));
  const why = explainer();
  const blocks = [cut(rows, () => 3), cut(rows, () => 3)];
  expect([...splice(blocks, resume.strategy, { resume, explain: why })].length).toBeGreaterThan(0);
  expect([...splice(blocks, penalty(), { explain: why })].length).toBeGreaterThan(0);
  expect(why.spans.map(({ samples, reason }) => `${samples} ${reason.kind}`)).toEqual(["2 resumed", "4 first"]);
});

test("over lanes the replica is the true one, and a lane that goes on with another's block is a reason", () => {
  const [a, b] = [
    [0, 15, 30],
    [5, 45, 60],
  ].map((times) => times.map((t) => floatRow(1000 * t, t)));
  const why = explainer();
  const blocks = [cut(a!, () => 3), [...cut(b!.slice(0, 1), () => 1), ...cut(b!.slice(1), () => 2)]];
  expect([...splice(blocks, penalty(), { explain: why, lanes: "thanos" })]).toHaveLength(2);
  expect(why.spans).toEqual([
    { replica: 0, firstMs: 0, lastMs: 30_000, samples: 3, reason: { kind: "first" } },
    { replica: 1, firstMs: 45_000, lastMs: 60_000, samples: 2, reason: { kind: "lane" } },
  ]);
});

test("what is no collector and what is no limit is refused", () => {
  // @ts-expect-error: wrong on purpose
  expect(() => splice([], penalty(), { explain: {} })).toThrow(/explain must be made by explainer\(\)/);
  // @ts-expect-error: wrong on purpose
  expect(() => explainer({ spansMax: "many" })).toThrow(TypeError);
  for (const spansMax of [-1, 0.5, NaN, Infinity]) {
    expect(() => explainer({ spansMax })).toThrow(/spansMax must be a whole number from 0 on/);
  }
});
