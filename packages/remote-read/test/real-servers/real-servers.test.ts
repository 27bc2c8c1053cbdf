/**
 * End to end, against real servers: one target, pairs of Prometheus replicas that are each stopped and started again, our
 * handler over them, and empty Prometheus servers whose only source it is. What the naive twin makes of the replicas' dumped
 * data is what PromQL must see.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { ResponseType } from "../../src/read-exchange.ts";
import { queryOf, requestBody, requestOf, SAMPLES, STREAMED } from "../read-exchange.ts";
import { bySeries, newest, select, spliceDumps, visible, withoutName } from "./expected-samples.ts";
import { checkFunctions, checkIncreases, hiddenResets, type Window } from "./histogram-checks.ts";
import { naiveIncrease } from "./naive-promql.ts";
import {
  findNewPrometheus,
  findPackagedPrometheus,
  type PrometheusProgram,
  type PrometheusServer,
} from "./prometheus.ts";
import { type PairOfServers, RealPairs } from "./real-pairs.ts";
import { HITS_PER_SECOND } from "./scrape-target.ts";
import { answerWithSamples, type HandleRequest, spliceServers } from "./spliced-servers.ts";
import { type HeldRow, seriesKey } from "./tsdb-dump.ts";

const packaged = findPackagedPrometheus();
const newer = findNewPrometheus();
if (packaged === undefined && process.env["CI"] === "true") {
  throw new Error("there is no prometheus on PATH, and under CI=true this test must not be skipped");
}
if (packaged === undefined) {
  console.log("skipped: no prometheus on PATH, so nothing is tested against real servers");
}
if (newer === undefined) {
  console.log("skipped: PROMSPLICE_PROMETHEUS_NEW names no Prometheus >= 2.55, so none is tested");
}
const programs = [packaged, newer].filter((program) => program !== undefined);

const LOOKBACK_MS = 300_000;
const REPETITIONS = 100;
const AT_A_TIME = 5;
const RESPONSE_TYPES: readonly ResponseType[] = ["STREAMED_XOR_CHUNKS", "SAMPLES"];

const world = new RealPairs();
const { target, handler, traffic, pairs, askers } = world;
let endMs = 0;
let windowSeconds = 0;

beforeAll(async () => {
  await world.start(programs);
  ({ endMs, windowSeconds } = world);
}, 240_000);

afterAll(() => world.stop());

function rangeStart(program: PrometheusProgram, seconds: number): number {
  return endMs - seconds * 1000 + (program.isLeftOpen ? 1 : 0);
}

const CASES = programs.flatMap((_, pair) =>
  RESPONSE_TYPES.flatMap((responseType) =>
    programs.map((__, asker) => ({
      name: `${programs[asker]!.version} reads a pair of ${programs[pair]!.version} that answer with ${responseType}`,
      pair,
      asker,
      responseType,
    })),
  ),
);

const SELECTORS = ['{job="t"}', "hits_total", "up", "vanishing", "changing"];
const HISTOGRAM_SELECTORS = ["latency_seconds", "latency_float_seconds", "sizes_bytes", "vanishing_seconds"];

function wantedOf(selector: string): Record<string, string> {
  return selector.startsWith("{") ? { job: "t" } : { __name__: selector };
}

/** The rows of one of a replica's series of a name. */
function rowsOf({ dumps }: PairOfServers, name: string, replica: number): readonly HeldRow[] {
  return [...select(dumps[replica]!, { __name__: name }).values()][0] ?? [];
}

test.runIf(programs.length > 0)("the replicas' data is what the test is about", () => {
  expect(target.bodies.length).toBeGreaterThan(pairs.length * 2 * 10);
  expect(target.bodies.filter((body) => /nan/iu.test(body))).toEqual([]);
  for (const pair of pairs) {
    for (const replica of [0, 1]) {
      const times = rowsOf(pair, "up", replica).map(({ t }) => t);
      const longest = Math.max(...times.slice(1).map((t, index) => t - times[index]!));
      expect(longest, "the time for which the replica was stopped").toBeGreaterThan(2500);
      for (const name of pair.program.hasHistograms ? ["vanishing", "vanishing_seconds"] : ["vanishing"]) {
        const hidden = rowsOf(pair, name, replica).filter(({ shown }) => shown === undefined);
        expect(hidden, `stale markers of ${name}`).not.toEqual([]);
      }
    }
  }
});

describe.each(CASES)("$name", ({ pair: pairIndex, asker: askerIndex, responseType }) => {
  let pair: PairOfServers;
  let asker: PrometheusServer;

  beforeAll(() => {
    pair = pairs[pairIndex]!;
    asker = askers[askerIndex]!;
    handler.handle = spliceServers(pair.servers, responseType, traffic);
  });

  const hasHistograms = programs[pairIndex]!.hasHistograms && programs[askerIndex]!.hasHistograms;
  const selectors = [
    ...SELECTORS,
    ...(hasHistograms ? HISTOGRAM_SELECTORS : []),
    ...(hasHistograms && programs[pairIndex]!.hasCustomBuckets ? ["classic_seconds"] : []),
  ];

  test.each(selectors)("%s over a range gives the samples of the twin", async (selector) => {
    for (const seconds of [windowSeconds, 7]) {
      const startMs = rangeStart(asker.program, seconds);
      const answer = await asker.query(`${selector}[${seconds}s]`, endMs);
      expect(answer).toMatchObject({ status: "success" });
      expect(answer.warnings).toBeUndefined();
      expect(traffic.queries.at(-1)).toMatchObject({ startMs, endMs });
      const expected = new Map(
        [...select(spliceDumps(pair.dumps, startMs, endMs), wantedOf(selector))]
          .map(([key, rows]) => [key, visible(rows, hasHistograms)] as const)
          .filter(([, rows]) => rows.length > 0),
      );
      // What changes its kind has no floats any more in the shorter one.
      expect(expected.size).toBeGreaterThan(selector === "changing" && seconds < windowSeconds ? -1 : 0);
      expect(bySeries(answer.data!.result)).toEqual(expected);
    }
  });

  test.each(selectors)("%s at an instant gives the newest sample of the twin", async (selector) => {
    const startMs = endMs - LOOKBACK_MS + (asker.program.isLeftOpen ? 1 : 0);
    const answer = await asker.query(selector, endMs);
    expect(answer.warnings).toBeUndefined();
    expect(traffic.queries.at(-1)).toMatchObject({ startMs, endMs });
    const expected = [...select(spliceDumps(pair.dumps, startMs, endMs), wantedOf(selector))]
      .map(([key, rows]) => [key, newest(rows, hasHistograms)] as const)
      .filter(([, shown]) => shown !== undefined)
      .map(([key, shown]) => [key, [[endMs, shown]]] as const);
    expect(bySeries(answer.data!.result)).toEqual(new Map(expected));
  });

  test("the series API shows the label sets of both replicas as one", async () => {
    const labelSets = await asker.series('{job="t"}', endMs - windowSeconds * 1000, endMs);
    const expected = spliceDumps(pair.dumps, endMs - windowSeconds * 1000, endMs);
    expect(labelSets.map((labels) => seriesKey(labels)).toSorted()).toEqual([...expected.keys()].toSorted());
  });

  test("count, sum and increase are the twin's, and the increase is the truth within two scrapes", async () => {
    const ask = async (expression: string): Promise<Map<string, number>> => {
      const answer = await asker.query(expression, endMs);
      expect(answer.warnings).toBeUndefined();
      return new Map([...bySeries(answer.data!.result)].map(([key, [sample]]) => [key, Number(sample![1])]));
    };
    const range = `${windowSeconds}s`;
    const startMs = rangeStart(asker.program, windowSeconds);
    const expected = [...select(spliceDumps(pair.dumps, startMs, endMs), { __name__: "hits_total" })].map(
      ([key, rows]) => [withoutName(key), rows.map(({ t, shown }) => [t, Number(shown)] as const)] as const,
    );
    const perSeries = (reduce: (rows: (readonly [number, number])[]) => number): Map<string, number> =>
      new Map(expected.map(([key, rows]) => [key, reduce(rows)]));
    expect(await ask(`count_over_time(hits_total[${range}])`)).toEqual(perSeries((rows) => rows.length));
    expect(await ask(`sum_over_time(hits_total[${range}])`)).toEqual(
      perSeries((rows) => rows.reduce((sum, [, value]) => sum + value, 0)),
    );
    const naive = perSeries((rows) =>
      naiveIncrease(
        rows.map(([t]) => t),
        rows.map(([, value]) => value),
        endMs - windowSeconds * 1000,
        endMs,
      ),
    );
    const truth = target.hitsAt(endMs) - target.hitsAt(endMs - windowSeconds * 1000);
    for (const [key, increase] of await ask(`increase(hits_total[${range}])`)) {
      expect(increase).toBeCloseTo(naive.get(key)!, 6);
      const factor = key.includes("/ä") ? 2 : 1;
      expect(Math.abs(increase / factor - truth)).toBeLessThanOrEqual(2 * HITS_PER_SECOND);
    }
  });

  test(`a closed window that is asked for ${REPETITIONS} times gives the same bytes`, async () => {
    const texts = await repeat(() => asker.queryText(`{job="t"}[${windowSeconds}s]`, endMs));
    expect(texts.size).toBe(1);
    expect([...texts][0]).toContain('"status":"success"');
  });
});

const HISTOGRAM_CASES = CASES.filter(
  ({ pair, asker }) => programs[pair]!.hasHistograms && programs[asker]!.hasHistograms,
).flatMap((one) => [
  { ...one, form: "frames", answer: (handle: HandleRequest) => handle },
  // It does not ask for that itself, but there every histogram says whether the counter was reset, and is believed.
  { ...one, form: "samples", answer: answerWithSamples },
]);

describe.each(HISTOGRAM_CASES)(
  "$name, in $form, the histograms",
  ({ pair: pairIndex, asker, responseType, form, answer }) => {
    const isLeftOpen = programs[asker]!.isLeftOpen;
    let pair: PairOfServers;
    let window: Window;

    beforeAll(() => {
      pair = pairs[pairIndex]!;
      window = { startMs: rangeStart(programs[asker]!, windowSeconds), endMs, seconds: windowSeconds };
      handler.handle = answer(spliceServers(pair.servers, responseType, traffic));
    });

    test("are reset at a switch, where a row does not know", () => {
      expect(hiddenResets(pair, "latency_float_seconds", window)).toHaveLength(1);
    });

    test("are those of the twin", async () => {
      // In samples, Prometheus loses the first histogram behind floats (`concreteSeriesIterator.Seek` in
      // storage/remote/codec.go, seen up to 3.16).
      const selector = form === "frames" ? '{job="t"}' : '{job="t",__name__!="changing"}';
      const response = await askers[asker]!.query(`${selector}[${windowSeconds}s]`, endMs);
      const expected = [...spliceDumps(pair.dumps, window.startMs, endMs)]
        .filter(([key]) => form === "frames" || !key.includes('"changing"'))
        .map(([key, rows]) => [key, visible(rows, true)] as const);
      expect(expected.length).toBeGreaterThan(10);
      expect(bySeries(response.data!.result)).toEqual(new Map(expected));
    });

    test("have the functions that their replica gives", async () => {
      await checkFunctions(askers[asker]!, pair, { ...window, startMs: endMs - LOOKBACK_MS + (isLeftOpen ? 1 : 0) });
    });

    test("have the increases and quantiles of the twin's, through resets", async () => {
      await checkIncreases(askers[asker]!, pair, window);
    });
  },
);

/** What comes of asking so often, some at a time. */
async function repeat(ask: () => Promise<string>): Promise<Set<string>> {
  const answers = new Set<string>();
  const askInTurn = async (): Promise<void> => {
    for (let time = 0; time < REPETITIONS / AT_A_TIME; time++) {
      answers.add(await ask());
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, askInTurn));
  return answers;
}

describe.each(programs.flatMap(({ version }, index) => RESPONSE_TYPES.map((type) => ({ version, index, type }))))(
  "the handler over a pair of $version that answer with $type",
  ({ index, type }) => {
    test(`gives the same bytes ${REPETITIONS} times, in both forms`, async () => {
      const handle = spliceServers(pairs[index]!.servers, type, traffic);
      const query = queryOf([["=", "job", "t"]], endMs - windowSeconds * 1000, endMs);
      for (const accepted of [SAMPLES, STREAMED]) {
        const bodies = await repeat(async () => {
          const response = await handle(requestOf(requestBody([query], [accepted])));
          expect(response.status).toBe(200);
          return Buffer.from(await response.arrayBuffer()).toString("base64");
        });
        expect(bodies.size).toBe(1);
        expect([...bodies][0]!.length).toBeGreaterThan(1000);
      }
    });
  },
);

function hitsRequest(): Uint8Array {
  return requestBody([queryOf([["=", "__name__", "hits_total"]], endMs - 10_000, endMs)], [STREAMED]);
}

// The last ones: they leave the replicas stopped.
describe.each(programs.map(({ version }, index) => ({ version, index })))("a pair of $version", ({ index }) => {
  test("is answered for by B alone when A is down, and the report and the header name A", async () => {
    const pair = pairs[index]!;
    handler.handle = spliceServers(pair.servers, "STREAMED_XOR_CHUNKS", traffic);
    await pair.servers[0]!.stop();
    const response = await handler.handle(requestOf(hitsRequest()));
    expect(response.status).toBe(200);
    expect((await response.arrayBuffer()).byteLength).toBeGreaterThan(0);
    expect(response.headers.get("X-Promsplice-Partial")).toBe("A");
    const { replicas } = traffic.reports.at(-1)!;
    expect(replicas.map(({ name, error }) => [name, error?.constructor.name])).toEqual([
      ["A", "RemoteReadError"],
      ["B", undefined],
    ]);
    for (const asker of askers) {
      const answer = await asker.query(`hits_total[10s]`, endMs);
      const startMs = rangeStart(asker.program, 10);
      const held = [...select(pair.dumps[1]!, { __name__: "hits_total" })].map(
        ([key, rows]) =>
          [
            key,
            visible(
              rows.filter(({ t }) => t >= startMs && t <= endMs),
              false,
            ),
          ] as const,
      );
      expect(bySeries(answer.data!.result)).toEqual(new Map(held));
    }
  });

  test("is an error or a warning when both are down, never an empty success", async () => {
    const pair = pairs[index]!;
    handler.handle = spliceServers(pair.servers, "STREAMED_XOR_CHUNKS", traffic);
    await pair.servers[1]!.stop();
    const response = await handler.handle(requestOf(hitsRequest()));
    expect(response.status).toBe(500);
    expect(await response.text()).toMatch(/A.*B/su);
    expect(traffic.errors.at(-1)).toMatchObject({ code: "all-replicas-failed" });
    for (const asker of askers) {
      const answer = await asker.query(`hits_total[10s]`, endMs);
      expect(answer.status === "error" || (answer.warnings ?? []).length > 0, JSON.stringify(answer)).toBe(true);
    }
  });
});
