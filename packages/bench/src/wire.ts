/**
 * A part of the benchmark: chunks, checksums, frames and messages, and whole answers made of them, all in this process and
 * without a socket. `node dist/wire.js [--smoke] [--write]`.
 */
import { parseArgs } from "node:util";
import { printRatios } from "./bench.ts";
import type { Case } from "./cases.ts";
import { CHUNK_KINDS, CHUNK_SHAPES, type ChunkShape, nameShape } from "./chunk-fixtures.ts";
import { atLeast, type Ratio, slower, timeOf, type Times } from "./goals.ts";
import { ensureGarbageCollector } from "./heap.ts";
import { makeHistogramCases } from "./histogram-cases.ts";
import { HISTOGRAM_KINDS } from "./histogram-fixtures.ts";
import { describeCircumstances, writeResults } from "./results.ts";
import { detachOneBuffer, takeTurns, warmUp } from "./rounds.ts";
import { type AnswerCases, makeAnswerCases } from "./spliced-answer.ts";
import {
  DECODE_COMPRESSED_SAMPLES,
  DECODE_FRAMES,
  DECODE_SAMPLES,
  makeWireCases,
  PARSE_FRAMES,
  SCAN_SNAPPY,
  SUM,
  SUM_BY_8,
  UNCOMPRESS_SNAPPY,
} from "./wire-cases.ts";
import { makeXorCases } from "./xor-cases.ts";

interface Extent {
  readonly rounds: number;
  readonly warmUps: number;
  readonly chunks: number;
  readonly sumBytes: number;
  readonly series: number;
  readonly chunksOfSeries: number;
}

/** 48 chunks are a day at 15 s. */
const FULL: Extent = {
  rounds: 40,
  warmUps: 300,
  chunks: 500,
  sumBytes: 2 ** 20,
  series: 50,
  chunksOfSeries: 48,
};
const SMOKE: Extent = { rounds: 2, warmUps: 1, chunks: 5, sumBytes: 1_000, series: 3, chunksOfSeries: 4 };

/** Small enough that the engine compiles functions, not the loops of one long call: see `warmUp`. */
const WARM_UP_CHUNKS = 4;
const WARM_UP_SERIES = 2;
const WARM_UP_BYTES = 4_096;

const SUM_GIGABYTES_MIN = 2.5;
const SPLICED_LIMIT = 0.55;

/** What nearly every series looks like: scrapes are never exactly on the dot. */
const ANSWER_SHAPES: readonly ChunkShape[] = CHUNK_KINDS.map((kind) => ({ kind, hasJitter: true }));

const { values } = parseArgs({ options: { smoke: { type: "boolean" }, write: { type: "boolean" } } });
ensureGarbageCollector();
await run(values.smoke === true ? SMOKE : FULL);

async function run(extent: Extent): Promise<void> {
  detachOneBuffer();
  await warmUp(
    [
      ...listChunkCases(WARM_UP_CHUNKS),
      ...makeWireCases(WARM_UP_BYTES, WARM_UP_SERIES, WARM_UP_CHUNKS),
      ...(await listAnswerCases(WARM_UP_SERIES, WARM_UP_CHUNKS)),
    ],
    extent.warmUps,
  );
  const chunks = listChunkCases(extent.chunks);
  const wire = makeWireCases(extent.sumBytes, extent.series, extent.chunksOfSeries);
  const answers = await listAnswerCases(extent.series, extent.chunksOfSeries);
  // What is compared with each other takes turns; the three groups are compared with nothing of one another.
  const times = new Map<string, number>();
  for (const group of [chunks, wire, answers]) {
    for (const [name, ns] of await takeTurns(group, extent.rounds)) {
      times.set(name, ns);
    }
  }
  const cases = [...times].map(([name, nsPerInput]) => ({ name, nsPerInput }));
  if (extent === SMOKE) {
    console.log(`smoke: ${cases.length} cases over bytes gave what they must; their times mean nothing`);
    return;
  }
  console.log("\n      ns   per sample, or per byte of checksums, frames and snappy");
  for (const { name, nsPerInput } of cases) {
    console.log(`${nsPerInput.toFixed(2).padStart(8)}   ${name}`);
  }
  const ratios = makeRatios(times);
  printRatios(ratios);
  if (values.write === true) {
    const amount = `${extent.chunks} chunks of each kind; answers of ${extent.series} series × ${extent.chunksOfSeries} chunks a replica`;
    const circumstances = describeCircumstances(`Node ${process.version}`, extent.rounds, amount);
    writeResults({ wire: { circumstances, ratios, cases } });
  }
}

function listChunkCases(chunks: number): Case[] {
  return [
    ...CHUNK_SHAPES.map((shape) => makeXorCases(shape, chunks)),
    ...HISTOGRAM_KINDS.map((kind) => makeHistogramCases(kind, chunks)),
  ].flatMap(({ decode, decodeTimes, encode }) => [decode, decodeTimes, encode]);
}

async function listAnswerCases(series: number, chunks: number): Promise<Case[]> {
  const cases: AnswerCases[] = [];
  for (const shape of ANSWER_SHAPES) {
    cases.push(await makeAnswerCases(shape, series, chunks));
  }
  return cases.flatMap(({ spliced, recoded, floor }) => [spliced, recoded, floor]);
}

function makeRatios(times: Times): Ratio[] {
  const gigabytes = (name: string): number => 1 / timeOf(times, name);
  const megasamples = (name: string): number => 1_000 / timeOf(times, name);
  return [
    atLeast("GB/s", SUM, gigabytes(SUM), SUM_GIGABYTES_MIN),
    slower(SUM, SUM_BY_8, timeOf(times, SUM) / timeOf(times, SUM_BY_8)),
    atLeast("GB/s", PARSE_FRAMES, gigabytes(PARSE_FRAMES)),
    atLeast("GB/s", DECODE_FRAMES, gigabytes(DECODE_FRAMES)),
    atLeast("M samples/s", DECODE_SAMPLES, megasamples(DECODE_SAMPLES)),
    atLeast("M samples/s", DECODE_COMPRESSED_SAMPLES, megasamples(DECODE_COMPRESSED_SAMPLES)),
    atLeast("GB/s", SCAN_SNAPPY, gigabytes(SCAN_SNAPPY)),
    atLeast("GB/s", UNCOMPRESS_SNAPPY, gigabytes(UNCOMPRESS_SNAPPY)),
    slower(SCAN_SNAPPY, UNCOMPRESS_SNAPPY, timeOf(times, SCAN_SNAPPY) / timeOf(times, UNCOMPRESS_SNAPPY)),
    ...ANSWER_SHAPES.map(nameShape).flatMap((shape) => {
      const recoded = timeOf(times, `recoded answer, ${shape}`);
      const against = "decoding and encoding everything";
      return [
        slower(`spliced answer, ${shape}`, against, timeOf(times, `spliced answer, ${shape}`) / recoded, SPLICED_LIMIT),
        slower(`floor of an answer, ${shape}`, against, timeOf(times, `floor of an answer, ${shape}`) / recoded),
      ];
    }),
  ];
}
