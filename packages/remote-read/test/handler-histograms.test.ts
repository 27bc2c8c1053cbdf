/**
 * Native histograms all the way: chunks of two replicas, spliced, through the handler in both modes. Row by row a hint is "no
 * reset" only where the row before it, in its own chunk, was emitted before it.
 */
import { type Block, penalty, type Series } from "@promsplice/core";
import { describe, expect, test } from "vitest";

import { chunkBlock, encodeBlock, type EncodedChunk } from "../src/chunk/chunk-block.ts";
import { decodeChunkedResponse } from "../src/chunked-response.ts";
import { readHandler } from "../src/handler.ts";
import { memoryReader } from "../src/memory-reader.ts";
import { decodeReadResponse } from "../src/read-response.ts";
import { splicedReader } from "../src/spliced-reader.ts";
import { FrameParser } from "../src/wire/frame.ts";
import { uncompressSnappy } from "../src/wire/snappy.ts";
import { fromHex, toHex } from "./bytes.ts";
import { exactBlock, type ExactHistogram, exactRows } from "./exact-histogram.ts";
import { EVERYTHING, post, SAMPLES, seriesOf, STREAMED } from "./read-exchange.ts";
import { vectors } from "./vectors.ts";

const INTERVAL_MS = 15_000;
const CHUNK_ROWS = 5;
/** Header flags: no reset. */
const NO_RESET = 0x40;

type Kind = "integer" | "float" | "gauge" | "custom";
const KINDS: readonly Kind[] = ["integer", "float", "gauge", "custom"];

function hexOf(value: number): string {
  return new BigUint64Array(Float64Array.of(value).buffer)[0]!.toString(16).padStart(16, "0");
}

/** The histogram that a replica scrapes at a time: its counts grow with the time. */
function histogramAt(kind: Kind, timeMs: number): ExactHistogram {
  const scrapes = Math.floor(timeMs / 1000);
  const number = kind === "float" ? hexOf : String;
  return {
    t: String(timeMs),
    hint: kind === "gauge" ? 3 : 0,
    schema: kind === "custom" ? -53 : 2,
    threshold: kind === "custom" ? hexOf(0) : "37f0000000000000",
    ...(kind === "custom" ? { bounds: [0.005, 1].map(hexOf) } : {}),
    ps: [[0, 2]],
    ns: kind === "custom" ? [] : [[-3, 1]],
    count: number(4 * scrapes + 1),
    zero: number(kind === "custom" ? 0 : 1),
    sum: hexOf(timeMs / 3),
    // Of integers the second is a difference.
    pb: kind === "float" ? [hexOf(scrapes), hexOf(2 * scrapes)] : [String(scrapes), String(scrapes)],
    nb: kind === "custom" ? [] : [number(scrapes)],
  };
}

/** A replica's times in chunks, whose headers say that there was no reset. */
function chunksOf(kind: Kind, times: readonly number[]): Block[] {
  const blocks: Block[] = [];
  for (let start = 0; start < times.length; start += CHUNK_ROWS) {
    const rows = times.slice(start, start + CHUNK_ROWS).map((timeMs) => histogramAt(kind, timeMs));
    const [chunk, ...others] = encodeBlock(exactBlock(kind === "float", rows));
    expect(others).toEqual([]);
    const data = Uint8Array.from(chunk!.data);
    data[2]! |= NO_RESET;
    blocks.push(chunkBlock({ ...chunk!, data }));
  }
  return blocks;
}

/** Replica A misses 10 scrapes, which B, 4 s later each time, has. */
const timesOfA = Array.from({ length: 60 }, (_, scrape) => INTERVAL_MS * (1000 + scrape)).filter(
  (_, scrape) => scrape < 22 || scrape >= 32,
);
const timesOfB = Array.from({ length: 60 }, (_, scrape) => INTERVAL_MS * (1000 + scrape) + 4000);

function splicedHandler(kind: Kind): (request: Request) => Promise<Response> {
  const replicas = [timesOfA, timesOfB].map((times, index) =>
    memoryReader([seriesOf(`__name__=h,replica=${"AB"[index]}`, ...chunksOf(kind, times))]),
  );
  return readHandler(splicedReader(replicas, { replicaLabels: ["replica"], strategy: penalty() }));
}

/** What is to come out: which rows is the strategy's matter, what is said of them this test's. */
function expectedRows(kind: Kind, times: readonly number[]): ExactHistogram[] {
  return times.map((timeMs, row) => {
    const source = timesOfA.includes(timeMs) ? timesOfA : timesOfB;
    const place = source.indexOf(timeMs);
    const isKnown = place % CHUNK_ROWS > 0 && row > 0 && times[row - 1] === source[place - 1];
    return { ...histogramAt(kind, timeMs), hint: kind === "gauge" ? 3 : isKnown ? 2 : 0 };
  });
}

async function bodyOf(response: Response): Promise<Uint8Array> {
  expect(response.status).toBe(200);
  return new Uint8Array(await response.arrayBuffer());
}

async function readChunks(handler: (request: Request) => Promise<Response>): Promise<readonly EncodedChunk[]> {
  const parser = new FrameParser();
  parser.push(await bodyOf(await post(handler, [EVERYTHING], [STREAMED])));
  const payload = parser.next()!;
  expect(parser.next()).toBeUndefined();
  parser.finish();
  const { series } = decodeChunkedResponse(payload);
  expect(series.map(({ labels }) => labels)).toEqual([["__name__", "h"]]);
  return series[0]!.chunks;
}

async function readSamples(handler: (request: Request) => Promise<Response>): Promise<Series> {
  const body = await bodyOf(await post(handler, [EVERYTHING], [SAMPLES]));
  const { results } = decodeReadResponse(uncompressSnappy(body, 1 << 20));
  expect(results.map((series) => series.map(({ labels }) => labels))).toEqual([[["__name__", "h"]]]);
  return results[0]![0]!;
}

describe("two replicas of histograms", () => {
  test.each(KINDS)("come out spliced in both modes: %s", async (kind) => {
    const handler = splicedHandler(kind);
    const chunks = await readChunks(handler);
    const rows = chunks.flatMap((chunk) => exactRows(chunkBlock(chunk)));
    const times = rows.map(({ t }) => Number(t));
    // Both replicas are in it, and the gap is filled.
    expect(times.filter((timeMs) => timesOfB.includes(timeMs)).length).toBeGreaterThan(5);
    expect(Math.max(...times.slice(1).map((timeMs, row) => timeMs - times[row]!))).toBeLessThan(4 * INTERVAL_MS);
    expect(rows).toEqual(expectedRows(kind, times));
    expect([...(await readSamples(handler)).blocks].flatMap(exactRows)).toEqual(rows);
  });

  test.each(KINDS)(
    "say nothing of a reset in the header of a chunk that follows another replica's: %s",
    async (kind) => {
      const chunks = await readChunks(splicedHandler(kind));
      let before: number | undefined;
      const flags = new Set<string>();
      for (const chunk of chunks) {
        const rows = exactRows(chunkBlock(chunk)).map(({ t }) => Number(t));
        const source = timesOfA.includes(rows[0]!) ? timesOfA : timesOfB;
        const isTrue = before === undefined || before === source[source.indexOf(rows[0]!) - 1];
        flags.add(`${isTrue ? "its own" : "another"}: ${toHex(chunk.data).slice(4, 6)}`);
        before = rows.at(-1);
      }
      // A piece that is encoded again has forgotten what the header of its chunk said, even where it was right.
      expect([...flags].toSorted()).toEqual(
        kind === "gauge" ? ["another: c0", "its own: c0"] : ["another: 00", "its own: 00", "its own: 40"],
      );
    },
  );

  test("are not decoded where chunks pass as they are, and a limit counts their rows", async () => {
    const blocks = chunksOf("integer", timesOfB);
    const handler = readHandler(memoryReader([seriesOf("__name__=h", ...blocks)]));
    const chunks = await readChunks(handler);
    expect(chunks.map(({ data }) => toHex(data))).toEqual(blocks.map(({ bytes }) => toHex(bytes!)));
    const limited = readHandler(memoryReader([seriesOf("__name__=h", ...blocks)]), { limits: { samplesMax: 59 } });
    expect((await post(limited, [EVERYTHING], [SAMPLES])).status).toBe(400);
  });
});

describe("chunks with start timestamps", () => {
  test.each(["XOR2/32-st-delta-style", "HISTOGRAM_ST/02-three", "FLOAT_HISTOGRAM_ST/02-three"])(
    "leave as their plain kind, with the same samples: %s",
    async (name) => {
      const { encoding, hex, decoded } = vectors.find((vector) => vector.name === name)!;
      const [minMs, maxMs] = [Number(decoded![0]!.t), Number(decoded!.at(-1)!.t)];
      const block = chunkBlock({ minMs, maxMs, type: encoding, data: fromHex(hex) });
      const chunks = await readChunks(readHandler(memoryReader([seriesOf("__name__=h", block)])));
      expect(chunks.map(({ type }) => type)).toEqual([encoding === 4 ? 1 : encoding - 3]);
      const out = chunkBlock(chunks[0]!);
      expect(out.timestamps()).toEqual(block.timestamps());
      expect(out.kind === "float" ? out.values() : exactRows(out)).toEqual(
        block.kind === "float" ? block.values() : exactRows(block),
      );
    },
  );
});
