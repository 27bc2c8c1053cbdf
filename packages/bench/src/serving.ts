/**
 * A part of the benchmark: the handler under load, each end in a process of its own. `node dist/serving.js [--smoke] [--write]`.
 *
 *     replica a ─┐ HTTP                      HTTP
 *     replica b ─┴──────▶ the handler ──────────────▶ clients that throw away what they get (this process)
 *
 * Memory: how far the handler's process grows above what it holds at rest, while answers of few series go through and while
 * answers of ten times as many do: it must hang on the largest series, not on the answer. A handler starts anew for each
 * of the two, and as many bytes go through it, since an engine collects its garbage by the bytes that were asked for.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { parseArgs } from "node:util";
import type { Query } from "@promsplice/remote-read";
import { matchMetric, queryOf, REPLICA_NAMES } from "./answer-fixtures.ts";
import { printRatios } from "./bench.ts";
import { CHUNK_ROWS } from "./chunk-fixtures.ts";
import { atLeast, type Ratio } from "./goals.ts";
import { describeCircumstances, type ServingCaseResult, writeResults } from "./results.ts";
import { hangUp, inspect, load } from "./serving-client.ts";
import { encodeRequest } from "./spliced-answer.ts";

interface Extent {
  readonly fewSeries: number;
  readonly manySeries: number;
  readonly chunksOfSeries: number;
  /** How often the answer of many series is asked for. */
  readonly manyRequests: number;
  readonly smallRequests: number;
  readonly warmUpRequests: number;
  /** How often the peak of memory is taken, each time of a new process; the median counts. */
  readonly peaks: number;
  /** How long the engine gets to hand memory back before it is watched. */
  readonly settleMs: number;
}

/** 48 chunks are a day at 15 s. */
const FULL: Extent = {
  fewSeries: 100,
  manySeries: 1_000,
  chunksOfSeries: 48,
  manyRequests: 10,
  smallRequests: 2_000,
  warmUpRequests: 200,
  peaks: 3,
  settleMs: 500,
};
const SMOKE: Extent = {
  fewSeries: 5,
  manySeries: 20,
  chunksOfSeries: 4,
  manyRequests: 2,
  smallRequests: 20,
  warmUpRequests: 5,
  peaks: 1,
  settleMs: 10,
};

/** An hour at 15 s. */
const SMALL_CHUNKS = 2;
const SMALL_CLIENTS = [1, 8];
const PEAK_LIMIT = 1.3;

const { values } = parseArgs({ options: { smoke: { type: "boolean" }, write: { type: "boolean" } } });
await run(values.smoke === true ? SMOKE : FULL);

/** What is asked for, and how many series that are. */
interface Question {
  readonly name: string;
  readonly query: Query;
  readonly series: number;
  readonly chunks: number;
}

/** A question that is asked again and again, by so many clients at a time. */
interface Task {
  readonly question: Question;
  readonly requests: number;
  readonly clients: number;
}

/** A server process and the port that it listens on. */
interface Server {
  readonly child: ChildProcess;
  readonly port: number;
}

async function run(extent: Extent): Promise<void> {
  const { fewSeries, manySeries, chunksOfSeries, manyRequests } = extent;
  const counts = [manySeries, chunksOfSeries, fewSeries].map(String);
  const replicas = await Promise.all(REPLICA_NAMES.map((name) => start("replica-process", [name, ...counts])));
  const small = askSmall();
  const few: Question = {
    name: `${fewSeries} series × 24 h`,
    query: queryOf(chunksOfSeries, [matchMetric(), { type: "=", name: "group", value: "few" }]),
    series: fewSeries,
    chunks: chunksOfSeries,
  };
  const many: Question = {
    name: `${manySeries} series × 24 h`,
    query: queryOf(chunksOfSeries),
    series: manySeries,
    chunks: chunksOfSeries,
  };
  const urls = replicas.map(({ port }) => `http://127.0.0.1:${port}/api/v1/read`);
  const fewRequests = (manyRequests * manySeries) / fewSeries;
  const cases = await measureSpeed(urls, extent, [
    ...SMALL_CLIENTS.map((clients) => ({ question: small, requests: extent.smallRequests, clients })),
    { question: few, requests: fewRequests, clients: 1 },
    { question: many, requests: manyRequests, clients: 1 },
  ]);
  const fewPeaks: number[] = [];
  const manyPeaks: number[] = [];
  for (let time = 0; time < extent.peaks; time++) {
    fewPeaks.push(await measurePeak(urls, extent, { question: few, requests: fewRequests, clients: 1 }));
    manyPeaks.push(await measurePeak(urls, extent, { question: many, requests: manyRequests, clients: 1 }));
  }
  hangUp();
  replicas.forEach(({ child }) => child.disconnect());
  if (extent === SMOKE) {
    console.log(`smoke: ${cases.length} cases of serving gave what they must; their times and memory mean nothing`);
    return;
  }
  const ratios = makeRatios(cases, median(fewPeaks), median(manyPeaks), extent);
  printCases(cases);
  printRatios(ratios);
  if (values.write === true) {
    const amount = `${manySeries} series of ${chunksOfSeries * CHUNK_ROWS} samples a replica, ${extent.smallRequests} small requests`;
    const circumstances = describeCircumstances(`Node ${process.version}`, manyRequests, amount);
    writeResults({ serving: { circumstances, ratios, cases } });
  }
}

/** Speeds of one handler, which is warm when it begins. */
async function measureSpeed(
  urls: readonly string[],
  extent: Extent,
  tasks: readonly Task[],
): Promise<ServingCaseResult[]> {
  const { child, port } = await startHandler(urls, extent);
  try {
    const cases: ServingCaseResult[] = [];
    for (const { question, requests, clients } of tasks) {
      const body = encodeRequest(question.query);
      await check(port, body, question);
      cases.push({ name: question.name, clients, ...(await load(port, body, requests, clients)) });
    }
    return cases;
  } finally {
    child.disconnect();
  }
}

/** How many bytes a new handler grows above what it holds at rest. */
async function measurePeak(
  urls: readonly string[],
  extent: Extent,
  { question, requests, clients }: Task,
): Promise<number> {
  const { child, port } = await startHandler(urls, extent);
  try {
    const { restBytes } = await tell<{ restBytes: number }>(child, { settleMs: extent.settleMs });
    await load(port, encodeRequest(question.query), requests, clients);
    const { peakBytes } = await tell<{ peakBytes: number }>(child, "peak");
    return peakBytes - restBytes;
  } finally {
    child.disconnect();
  }
}

/** Starts a handler and asks it something small until it is warm. */
async function startHandler(urls: readonly string[], { warmUpRequests }: Extent): Promise<Server> {
  const server = await start("handler-process", urls);
  await load(server.port, encodeRequest(askSmall().query), warmUpRequests, 1);
  return server;
}

function askSmall(): Question {
  return {
    name: "1 series × 1 h",
    query: queryOf(SMALL_CHUNKS, [{ type: "=", name: "instance", value: "10.0.1000.100:9090" }]),
    series: 1,
    chunks: SMALL_CHUNKS,
  };
}

/** Fails unless the answer holds the series and samples that it must: those of one replica, which is whole. */
async function check(port: number, body: Uint8Array, { name, series, chunks }: Question): Promise<void> {
  const got = await inspect(port, body);
  const samples = series * chunks * CHUNK_ROWS;
  if (got.series !== series || got.samples !== samples) {
    throw new Error(`${name}: gave ${got.series} series of ${got.samples} samples, expected ${series} of ${samples}`);
  }
}

async function start(program: string, parameters: readonly string[]): Promise<Server> {
  const child = fork(path.join(import.meta.dirname, `${program}.js`), parameters, { execArgv: ["--expose-gc"] });
  const { port } = await reply<{ port: number }>(child);
  return { child, port };
}

function tell<Reply>(child: ChildProcess, message: string | { readonly settleMs: number }): Promise<Reply> {
  child.send(message);
  return reply<Reply>(child);
}

async function reply<Reply>(child: ChildProcess): Promise<Reply> {
  const ended = new AbortController();
  const exit = once(child, "exit", { signal: ended.signal }).then(([code]) => {
    throw new Error(`a server process ended with code ${code}`);
  });
  try {
    const [message] = (await Promise.race([once(child, "message"), exit])) as [Reply];
    return message;
  } finally {
    ended.abort();
    exit.catch(() => {});
  }
}

function makeRatios(
  cases: readonly ServingCaseResult[],
  fewBytes: number,
  manyBytes: number,
  { fewSeries, manySeries, chunksOfSeries }: Extent,
): Ratio[] {
  const whole = cases.find(({ name }) => name.startsWith(`${manySeries} series`))!;
  const samples = 2 * manySeries * chunksOfSeries * CHUNK_ROWS;
  return [
    atLeast("M samples/s", `${whole.name}: samples of both replicas`, (whole.requestsPerSecond * samples) / 1e6),
    {
      what: `peak memory above rest, ${manySeries} series`,
      against: `${fewSeries} series`,
      measured: manyBytes / fewBytes,
      unit: "times as much",
      limit: PEAK_LIMIT,
    },
    { what: `peak memory above rest, ${fewSeries} series`, against: "–", measured: fewBytes, unit: "bytes" },
    { what: `peak memory above rest, ${manySeries} series`, against: "–", measured: manyBytes, unit: "bytes" },
  ];
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[numbers.length >>> 1]!;
}

function printCases(cases: readonly ServingCaseResult[]): void {
  console.log("\nrequests/s   median ms   99 % ms    body bytes");
  for (const { name, clients, requestsPerSecond, medianMs, percentile99Ms, bodyBytes } of cases) {
    const numbers = [
      requestsPerSecond.toFixed(1).padStart(10),
      medianMs.toFixed(1).padStart(11),
      percentile99Ms.toFixed(1).padStart(9),
      String(bodyBytes).padStart(13),
    ];
    console.log(`${numbers.join(" ")}   ${name}, ${clients} at a time`);
  }
}
