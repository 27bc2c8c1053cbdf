/** A request to a handler and its answer, as tests write and compare them; and series to answer it with. */
import { type Block, columnsBlock, type Series } from "@promsplice/core";
import { expect } from "vitest";

import type { ReadHandlerOptions } from "../src/handler.ts";
import type { Matcher, ReadReport, ReplicaReport } from "../src/reader.ts";
import { chunkBlock, encodeBlock } from "../src/chunk/chunk-block.ts";
import { compressSnappy } from "../src/wire/snappy.ts";
import { fromBits } from "./bytes.ts";
import { encodeByReflection } from "./prompb.ts";
import { type ClientAnswer, type ClientRow, type ClientSeries, readStrictly } from "./strict-client.ts";

export interface AskedQuery {
  readonly startMs: number;
  readonly endMs: number;
  readonly matchers: readonly Matcher[];
}

export type Handler = (request: Request) => Promise<Response>;

export type OnError = NonNullable<ReadHandlerOptions["onError"]>;
export type OnReport = NonNullable<ReadHandlerOptions["onReport"]>;

export const SAMPLES = 0;
export const STREAMED = 1;
export const BOTH: readonly number[] = [SAMPLES, STREAMED];

export const SAMPLES_TYPE = "application/x-protobuf";
export const STREAMED_TYPE = "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse";

const MATCHER_NUMBERS = { "=": 0, "!=": 1, "=~": 2, "!~": 3 };

/** A query for all series with a name, at any time. */
export const EVERYTHING: AskedQuery = queryOf([["=~", "__name__", ".+"]]);

export function queryOf(
  matchers: readonly (readonly [Matcher["type"], string, string])[],
  startMs: number = -1e12,
  endMs: number = 1e13,
): AskedQuery {
  return { startMs, endMs, matchers: matchers.map(([type, name, value]) => ({ type, name, value })) };
}

/** The body of a request, compressed. */
export function requestBody(queries: readonly AskedQuery[], types: readonly number[]): Uint8Array {
  return compressSnappy(
    encodeByReflection("ReadRequest", {
      queries: queries.map(({ startMs, endMs, matchers }) => ({
        start_timestamp_ms: startMs,
        end_timestamp_ms: endMs,
        matchers: matchers.map(({ type, name, value }) => ({ type: MATCHER_NUMBERS[type], name, value })),
      })),
      accepted_response_types: types,
    }),
  );
}

export function requestOf(body: Uint8Array, init: RequestInit = {}): Request {
  return new Request("http://127.0.0.1/api/v1/read", { method: "POST", body: Uint8Array.from(body), ...init });
}

export function post(handler: Handler, queries: readonly AskedQuery[], types: readonly number[]): Promise<Response> {
  return handler(requestOf(requestBody(queries, types)));
}

export async function answerOf(response: Response): Promise<ClientAnswer> {
  return {
    status: response.status,
    contentType: response.headers.get("Content-Type"),
    body: new Uint8Array(await response.arrayBuffer()),
  };
}

/** The series of each query, as the strict client takes them. */
export async function readThrough(
  handler: Handler,
  queries: readonly AskedQuery[],
  types: readonly number[],
): Promise<ClientSeries[][]> {
  return readStrictly(await answerOf(await post(handler, queries, types)), queries);
}

/** `a=1,b=2` as names and values in turn. */
export function labelsOf(text: string): string[] {
  return text.split(",").flatMap((pair) => pair.split("="));
}

export function blockOf(rows: readonly ClientRow[]): Block {
  return columnsBlock({
    timestamps: Float64Array.from(rows, ([timeMs]) => timeMs),
    values: fromBits(rows.map(([, bits]) => bits)),
  });
}

export function seriesOf(labels: string, ...blocks: readonly Block[]): Series {
  return { labels: labelsOf(labels), blocks };
}

/** Rows at a steady interval, the values counting from 1. */
export function steadyRows(startMs: number, count: number, intervalMs: number = 15_000): ClientRow[] {
  const bits = new BigUint64Array(1);
  const value = new Float64Array(bits.buffer);
  return Array.from({ length: count }, (_, row): ClientRow => {
    value[0] = row + 1;
    return [startMs + row * intervalMs, bits[0]!.toString(16).padStart(16, "0")];
  });
}

/** Rows as an encoded block, of 120 at most. */
export function encodedBlock(rows: readonly ClientRow[]): Block {
  const [chunk] = encodeBlock(blockOf(rows));
  return chunkBlock(chunk!);
}

/** Rows in pieces of these sizes, taken in turn. */
export function cutRows(rows: readonly ClientRow[], sizes: readonly number[]): ClientRow[][] {
  const pieces: ClientRow[][] = [];
  for (let start = 0, index = 0; start < rows.length; index++) {
    const end = start + sizes[index % sizes.length]!;
    pieces.push(rows.slice(start, end));
    start = end;
  }
  return pieces;
}

/** Label sets as texts, for each query. */
export function namesOf(results: readonly (readonly ClientSeries[])[]): string[][] {
  return results.map((series) => series.map(({ labels }) => labels.join(" ")));
}

/** What an error looks like from outside; checks the headers that all of them have. */
export async function failureOf(response: Response): Promise<[number, string]> {
  const { headers, status } = response;
  const shown = ["Content-Type", "X-Content-Type-Options", "Content-Encoding"].map((name) => headers.get(name));
  expect(shown).toEqual(["text/plain; charset=utf-8", "nosniff", null]);
  return [status, await response.text()];
}

/** The report of a reading that did nothing worth counting. */
export function reportOf(...replicas: readonly ReplicaReport[]): ReadReport {
  return { series: 0, united: 0, bytes: 0, blocksDecoded: 0, blocksPassedOn: 0, replicas };
}
