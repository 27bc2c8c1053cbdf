/** Every recorded answer decodes to what stands beside it, bit by bit, in both modes. */
import type { Block, Series } from "@promsplice/core";
import { describe, expect, test } from "vitest";

import { chunkBlock, type EncodedChunk } from "../src/chunk/chunk-block.ts";
import { decodeChunkedResponse } from "../src/chunked-response.ts";
import { decodeReadResponse } from "../src/read-response.ts";
import { FrameParser } from "../src/wire/frame.ts";
import { uncompressSnappy } from "../src/wire/snappy.ts";
import { bitsOf, naiveCrc32c, toHex } from "./bytes.ts";
import { codeOf, errorOf } from "./error-code.ts";
import { plainRecorded, plainRows, plainSample } from "./plain-histogram.ts";
import {
  chunksNames,
  exchangeNames,
  type Pairs,
  readExchange,
  readRecording,
  type RecordedChunk,
  type RecordedFrame,
  type RecordedSample,
  type RecordedSeries,
  samplesNames,
} from "./recording.ts";
import type { RecordedHistogram } from "./vectors.ts";

const BODY_BYTES_MAX = 64 * 1024 * 1024;

function framesOf(name: string): RecordedFrame[] {
  return [...(readExchange(name).response.decoded?.frames ?? [])];
}

/** Offsets in a recorded body between its frames, its beginning and its end included. */
function boundariesOf(name: string): Set<number> {
  const boundaries = framesOf(name).map(
    ({ offset, length }) => offset + (length < 128 ? 1 : length < 16384 ? 2 : 3) + 4 + length,
  );
  return new Set([0, ...boundaries]);
}

/** Label sets as they must come out: in the order of the names' bytes. */
function flatten(labels: Pairs): string[] {
  return labels.toSorted(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other))).flat();
}

function rowsOf(block: Block): (readonly [string, string])[] {
  const bits = bitsOf(block.values());
  return Array.from(block.timestamps(), (timestampMs, row) => [String(timestampMs), bits[row]!] as const);
}

function recordedRows(samples: readonly RecordedSample[]): (readonly [string, string])[] {
  return samples.map(([timestampMs, , bits]) => [timestampMs, bits] as const);
}

function parse(pieces: readonly Uint8Array[]): { payloads: Uint8Array[]; end: string } {
  const parser = new FrameParser();
  const payloads: Uint8Array[] = [];
  const end = codeOf(() => {
    for (const piece of pieces) {
      parser.push(piece);
      for (let payload = parser.next(); payload !== undefined; payload = parser.next()) {
        payloads.push(payload);
      }
    }
    parser.finish();
  });
  return { payloads, end };
}

function expectSeries(series: Series, recorded: RecordedSeries): void {
  expect(series.labels).toEqual(flatten(recorded.labels));
  const blocks = [...series.blocks];
  expect(blocks.filter(({ kind }) => kind === "float").flatMap(rowsOf)).toEqual(recordedRows(recorded.samples));
  expect(blocks.filter(({ kind }) => kind === "histogram").flatMap(plainRows)).toEqual(
    recorded.histograms.map(plainSample),
  );
  // Blocks of both kinds take turns in time.
  const times = blocks.map(({ firstMs }) => firstMs);
  expect(times).toEqual(times.toSorted((one, other) => one - other));
}

function expectChunk(chunk: EncodedChunk, recorded: RecordedChunk): void {
  expect([String(chunk.minMs), String(chunk.maxMs), chunk.type]).toEqual([recorded.min, recorded.max, recorded.type]);
  expect(chunk.data).toHaveLength(recorded.len);
  const hex = recorded.hex.replace("…", "");
  expect(toHex(chunk.data).slice(0, hex.length)).toBe(hex);
  const block = chunkBlock(chunk);
  if (block.kind === "float") {
    expect(rowsOf(block)).toEqual(recordedRows(recorded.samples as RecordedSample[]));
  } else {
    expect(plainRows(block)).toEqual((recorded.samples as RecordedHistogram[]).map(plainRecorded));
  }
}

describe("recorded answers", () => {
  test("are all there", () => {
    expect([exchangeNames.length, samplesNames.length, chunksNames.length]).toEqual([276, 136, 121]);
  });

  test.each(samplesNames)("of samples, %s, decode to their JSON", (name) => {
    const body = uncompressSnappy(readRecording(`${name}.resp.bin`), BODY_BYTES_MAX);
    expect(toHex(body)).toBe(toHex(readRecording(`${name}.resp.pb`)));
    const { results } = decodeReadResponse(body);
    const recorded = readExchange(name).response.decoded!.results!;
    expect(results.map((series) => series.length)).toEqual(recorded.map(({ timeseries }) => timeseries.length));
    for (const [index, { timeseries }] of recorded.entries()) {
      for (const [place, series] of timeseries.entries()) {
        expectSeries(results[index]![place]!, series);
      }
    }
  });

  test.each(chunksNames)("in frames, %s, decode to their JSON", (name) => {
    const { payloads, end } = parse([readRecording(`${name}.resp.bin`)]);
    const { rest } = readExchange(name).response.decoded!;
    expect(end).toBe(rest === undefined ? "none" : "remote-error-text");
    const frames = framesOf(name);
    expect(payloads.map((payload) => payload.length)).toEqual(frames.map(({ length }) => length));
    for (const [index, frame] of frames.entries()) {
      expect(naiveCrc32c(payloads[index]!).toString(16).padStart(8, "0")).toBe(frame.crc32c);
      const { queryIndex, series } = decodeChunkedResponse(payloads[index]!);
      expect(String(queryIndex)).toBe(frame.query_index);
      expect(series.map(({ labels }) => labels)).toEqual(frame.chunked_series.map(({ labels }) => flatten(labels)));
      for (const [place, recorded] of frame.chunked_series.entries()) {
        expect(series[place]!.chunks).toHaveLength(recorded.chunks.length);
        for (const [number, chunk] of recorded.chunks.entries()) {
          expectChunk(series[place]!.chunks[number]!, chunk);
        }
      }
    }
  });

  test("of servers that failed in mid-stream show what the server wrote", () => {
    const failed = chunksNames.filter((name) => readExchange(name).response.decoded!.rest !== undefined);
    expect(failed).toEqual(["p242/http/err-second-query-bad-regex-chunks", "p242/http/ok-all-series-chunks"]);
    for (const name of failed) {
      const body = readRecording(`${name}.resp.bin`);
      const error = errorOf(() => {
        const parser = new FrameParser();
        parser.push(body);
        while (parser.next() !== undefined) {
          // All frames before the text are whole.
        }
        parser.finish();
      });
      expect([error.code, error.message]).toEqual([
        "remote-error-text",
        readExchange(name).response.decoded!.rest!.trim(),
      ]);
    }
  });
});

describe("prefixes of recorded answers", () => {
  test.each(chunksNames)("in frames, %s: are an answer at the end of a frame, and an error elsewhere", (name) => {
    const body = readRecording(`${name}.resp.bin`);
    const boundaries = boundariesOf(name);
    const wrong: number[] = [];
    let whole = -1;
    for (let length = 0; length < body.length; length++) {
      whole += boundaries.has(length) ? 1 : 0;
      const { payloads, end } = parse([body.subarray(0, length)]);
      if (payloads.length !== whole || end !== (boundaries.has(length) ? "none" : "frame-truncated")) {
        wrong.push(length);
      }
    }
    expect(wrong).toEqual([]);
    expect(whole + 1).toBeGreaterThanOrEqual(boundaries.size - 1);
  });

  test.each(samplesNames)("of samples, %s: are an error", (name) => {
    const block = readRecording(`${name}.resp.bin`);
    const codes = new Set<string>();
    for (let length = 0; length < block.length; length++) {
      codes.add(codeOf(() => uncompressSnappy(block.subarray(0, length), BODY_BYTES_MAX)));
    }
    expect([...codes]).toEqual(["snappy-corrupt"]);
  });

  test.each(samplesNames)("of samples, %s, uncompressed: are an error except between two results", (name) => {
    const body = readRecording(`${name}.resp.pb`);
    const counts: number[] = [];
    const codes = new Set<string>();
    for (let length = 0; length <= body.length; length++) {
      codes.add(codeOf(() => counts.push(decodeReadResponse(body.subarray(0, length)).results.length)));
    }
    const results = readExchange(name).response.decoded!.results!;
    expect(counts).toEqual([0, ...results.map((_, index) => index + 1)]);
    expect([...codes].filter((code) => code !== "none" && code !== "protobuf-malformed")).toEqual([]);
  });
});

describe("recorded answers in two pieces", () => {
  test.each(chunksNames)("%s: give the same payloads wherever they are cut", (name) => {
    const body = readRecording(`${name}.resp.bin`);
    const whole = parse([body]);
    const wrong: number[] = [];
    for (let cut = 0; cut <= body.length; cut++) {
      const { payloads, end } = parse([body.subarray(0, cut), body.subarray(cut)]);
      const isSame =
        end === whole.end &&
        payloads.length === whole.payloads.length &&
        payloads.every((payload, index) => Buffer.compare(payload, whole.payloads[index]!) === 0);
      if (!isSame) {
        wrong.push(cut);
      }
    }
    expect(wrong).toEqual([]);
  });
});
