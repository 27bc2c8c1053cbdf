/**
 * End to end, against real servers: one target, pairs of Prometheus replicas that are each stopped and started again, our
 * handler over them, and empty Prometheus servers whose only source it is. What the naive twin makes of the replicas' dumped
 * data is what PromQL must see.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { ResponseType } from "../../src/read-exchange.ts";
import { queryOf, requestBody, requestOf, SAMPLES, STREAMED } from "../read-exchange.ts";
import { bySeries, select, spliceDumps, valueOf, visible, withoutName } from "./expected-samples.ts";
import { naiveIncrease } from "./naive-increase.ts";
import { findNewPrometheus, findPackagedPrometheus, type PrometheusProgram, PrometheusServer } from "./prometheus.ts";
import { HITS_PER_SECOND, ScrapeTarget } from "./scrape-target.ts";
import { HandlerServer, spliceServers, type Traffic } from "./spliced-servers.ts";
import { type Dump, dumpServer, isStale, seriesKey } from "./tsdb-dump.ts";

const packaged = findPackagedPrometheus();
const newer = findNewPrometheus();
if (packaged === undefined && process.env["CI"] === "true") {
  throw new Error("there is no prometheus on PATH, and under CI=true this test must not be skipped");
}
if (packaged === undefined) {
  console.log("skipped: no prometheus on PATH, so nothing is tested against real servers");
}
if (newer === undefined) {
  console.log("skipped: PROMSPLICE_PROMETHEUS_NEW names no Prometheus >= 3.5, so none is tested");
}
const programs = [packaged, newer].filter((program) => program !== undefined);

const LOOKBACK_MS = 300_000;
const REPETITIONS = 100;
const RESPONSE_TYPES: readonly ResponseType[] = ["STREAMED_XOR_CHUNKS", "SAMPLES"];

interface PairOfServers {
  readonly program: PrometheusProgram;
  readonly servers: readonly PrometheusServer[];
  /** What each of the two holds. */
  dumps: readonly Dump[];
}

const directory = mkdtempSync(join(tmpdir(), "promsplice-real-servers-"));
const target = new ScrapeTarget();
const handler = new HandlerServer();
const traffic: Traffic = { queries: [], reports: [], errors: [] };
const pairs: PairOfServers[] = [];
const askers: PrometheusServer[] = [];
/** The closed window, in which both replicas of each pair were away once: its end, and its length in s. */
let endMs = 0;
let windowSeconds = 0;

/** The first or the second replica of each pair. */
function replicasOf(index: number): PrometheusServer[] {
  return pairs.map(({ servers }) => servers[index]!);
}

beforeAll(async () => {
  const targetAddress = await target.start();
  const handlerUrl = await handler.start();
  for (const program of programs) {
    const servers = await Promise.all(
      ["A", "B"].map((replica) =>
        PrometheusServer.prepare(
          program,
          join(directory, `${program.version}-${replica}`),
          `global: {scrape_interval: 1s, external_labels: {replica: ${replica}}}\n` +
            `scrape_configs: [{job_name: t, static_configs: [{targets: ["${targetAddress}"]}]}]\n`,
        ),
      ),
    );
    pairs.push({ program, servers, dumps: [] });
    askers.push(
      await PrometheusServer.prepare(
        program,
        join(directory, `${program.version}-asker`),
        `global: {external_labels: {replica: asker}}\n` +
          `remote_read: [{url: "${handlerUrl}", read_recent: true, remote_timeout: 20s}]\n`,
      ),
    );
  }
  const replicas = [...replicasOf(0), ...replicasOf(1)];
  await Promise.all([...askers, ...replicas].map((server) => server.start()));
  await Promise.all(replicas.map((server) => server.waitForScrape()));
  const startMs = Date.now();
  for (const index of [0, 1]) {
    await sleep(3000);
    await Promise.all(replicasOf(index).map((server) => server.stop()));
    await Promise.all(replicasOf(index).map((server) => server.start()));
    await Promise.all(replicasOf(index).map((server) => server.waitForScrape()));
  }
  await sleep(2000);
  target.hasVanishing = false;
  await sleep(3000);
  target.hasVanishing = true;
  await sleep(Math.max(3000, startMs + 21_000 - Date.now()));
  endMs = Date.now();
  windowSeconds = Math.ceil((endMs - startMs) / 1000);
  // Scrapes that began inside the window are written down by then.
  await sleep(1500);
  for (const pair of pairs) {
    pair.dumps = await Promise.all(pair.servers.map((server) => dumpServer(server, directory)));
  }
}, 240_000);

afterAll(async () => {
  await Promise.all([...askers, ...pairs.flatMap(({ servers }) => servers)].map((server) => server.stop()));
  await handler.stop();
  await target.stop();
  rmSync(directory, { recursive: true, force: true });
});

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

const SELECTORS = [
  { selector: '{job="t"}', wanted: { job: "t" } },
  { selector: "hits_total", wanted: { __name__: "hits_total" } },
  { selector: "up", wanted: { __name__: "up" } },
  { selector: "vanishing", wanted: { __name__: "vanishing" } },
];

test.runIf(programs.length > 0)("the replicas' data is what the test is about", () => {
  expect(target.bodies.length).toBeGreaterThan(2 * 20);
  expect(target.bodies.filter((body) => /nan/iu.test(body))).toEqual([]);
  for (const { dumps } of pairs) {
    for (const dump of dumps) {
      const times = select(dump, { __name__: "up" })
        .values()
        .next()
        .value!.map(({ t }) => t);
      const longest = Math.max(...times.slice(1).map((t, index) => t - times[index]!));
      expect(longest, "the time for which the replica was stopped").toBeGreaterThan(2500);
      const vanishing = [...select(dump, { __name__: "vanishing" }).values()].flat();
      expect(vanishing.filter((row) => isStale(row))).not.toEqual([]);
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

  test.each(SELECTORS)("$selector over a range gives the samples of the twin", async ({ selector, wanted }) => {
    for (const seconds of [windowSeconds, 7]) {
      const startMs = rangeStart(asker.program, seconds);
      const answer = await asker.query(`${selector}[${seconds}s]`, endMs);
      expect(answer).toMatchObject({ status: "success" });
      expect(answer.warnings).toBeUndefined();
      expect(traffic.queries.at(-1)).toMatchObject({ startMs, endMs });
      const expected = new Map(
        [...select(spliceDumps(pair.dumps, startMs, endMs), wanted)]
          .map(([key, rows]) => [key, visible(rows)] as const)
          .filter(([, rows]) => rows.length > 0),
      );
      expect(expected.size).toBeGreaterThan(0);
      expect(bySeries(answer.data!.result)).toEqual(expected);
    }
  });

  test.each(SELECTORS)("$selector at an instant gives the newest sample of the twin", async ({ selector, wanted }) => {
    const startMs = endMs - LOOKBACK_MS + (asker.program.isLeftOpen ? 1 : 0);
    const answer = await asker.query(selector, endMs);
    expect(answer.warnings).toBeUndefined();
    expect(traffic.queries.at(-1)).toMatchObject({ startMs, endMs });
    const newest = [...select(spliceDumps(pair.dumps, startMs, endMs), wanted)]
      .map(([key, rows]) => [key, rows.at(-1)!] as const)
      .filter(([, row]) => !isStale(row))
      .map(([key, row]) => [key, [[endMs, valueOf(row)]]] as const);
    expect(bySeries(answer.data!.result)).toEqual(new Map(newest));
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
      return new Map([...bySeries(answer.data!.result)].map(([key, [sample]]) => [key, sample![1]]));
    };
    const startMs = rangeStart(asker.program, 20);
    const expected = [...select(spliceDumps(pair.dumps, startMs, endMs), { __name__: "hits_total" })].map(
      ([key, rows]) => [withoutName(key), visible(rows)] as const,
    );
    const perSeries = (reduce: (rows: [number, number][]) => number): Map<string, number> =>
      new Map(expected.map(([key, rows]) => [key, reduce(rows)]));
    expect(await ask("count_over_time(hits_total[20s])")).toEqual(perSeries((rows) => rows.length));
    expect(await ask("sum_over_time(hits_total[20s])")).toEqual(
      perSeries((rows) => rows.reduce((sum, [, value]) => sum + value, 0)),
    );
    const naive = perSeries((rows) =>
      naiveIncrease(
        rows.map(([t]) => t),
        rows.map(([, value]) => value),
        endMs - 20_000,
        endMs,
      ),
    );
    const truth = target.hitsAt(endMs) - target.hitsAt(endMs - 20_000);
    for (const [key, increase] of await ask("increase(hits_total[20s])")) {
      expect(increase).toBeCloseTo(naive.get(key)!, 6);
      const factor = key.includes("/ä") ? 2 : 1;
      expect(Math.abs(increase / factor - truth)).toBeLessThanOrEqual(2 * HITS_PER_SECOND);
    }
  });

  test(`a closed window that is asked for ${REPETITIONS} times gives the same bytes`, async () => {
    const texts = new Set<string>();
    for (let time = 0; time < REPETITIONS; time++) {
      texts.add(await asker.queryText(`{job="t"}[${windowSeconds}s]`, endMs));
    }
    expect(texts.size).toBe(1);
    expect([...texts][0]).toContain('"status":"success"');
    const query = queryOf([["=", "job", "t"]], endMs - windowSeconds * 1000, endMs);
    for (const accepted of [SAMPLES, STREAMED]) {
      const bodies = new Set<string>();
      for (let time = 0; time < REPETITIONS; time++) {
        const response = await handler.handle(requestOf(requestBody([query], [accepted])));
        expect(response.status).toBe(200);
        bodies.add(Buffer.from(await response.arrayBuffer()).toString("base64"));
      }
      expect(bodies.size).toBe(1);
    }
  });
});

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
        ([key, rows]) => [key, visible(rows.filter(({ t }) => t >= startMs && t <= endMs))] as const,
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
