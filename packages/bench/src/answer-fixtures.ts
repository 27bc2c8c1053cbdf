/** Whole answers of replicas: series of chunks, as frames in one body, and a `fetch` that hands such a body out. */
import { type Block, type LabelSet, type Series } from "@promsplice/core";
import type { Query } from "@promsplice/remote-read";
// The package keeps its wire formats to itself; they are measured as they are built.
import { chunkBlock, type EncodedChunk } from "../../remote-read/dist/chunk/chunk-block.js";
import { encodeChunkedSeries } from "../../remote-read/dist/chunked-response.js";
import {
  CHUNK_ROWS,
  type ChunkShape,
  encodeChunks,
  INTERVAL_MS,
  makeChunkColumns,
  START_MS,
} from "./chunk-fixtures.ts";

/** How long after the first replica the second one scrapes: 0.13 intervals, as in the quality scoreboard. */
const PHASES_MS: Readonly<Record<ReplicaName, number>> = { a: 0, b: 1_950 };

export type ReplicaName = "a" | "b";

export const REPLICA_NAMES: readonly ReplicaName[] = ["a", "b"];

const METRIC = "http_requests_total";

/** What a network hands to a reader at a time. */
const PIECE_BYTES = 64 * 1024;

const STREAMED_TYPE = "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse";

/** A series as a replica sends it. */
export interface SentSeries {
  readonly labels: LabelSet;
  readonly chunks: readonly EncodedChunk[];
}

/** The label set of a series of one replica, or of the spliced one; the first `fewCount` are in the group "few". */
export function makeLabels(index: number, replica: ReplicaName, fewCount: number): LabelSet {
  return [
    ["__name__", METRIC],
    ["group", index < fewCount ? "few" : "other"],
    ["instance", `10.0.${1_000 + Math.floor(index / 100)}.${100 + (index % 100)}:9090`],
    ["job", "api"],
    ["path", "/api/v1/resource"],
    ["replica", replica],
    ["status", "200"],
  ].flat();
}

/** The series of one replica, in the order of their labels: `seriesCount` of `chunkCount` chunks each. */
export function* makeSentSeries(
  shape: ChunkShape,
  replica: ReplicaName,
  seriesCount: number,
  chunkCount: number,
  fewCount: number = 0,
): Generator<SentSeries, void, undefined> {
  for (let index = 0; index < seriesCount; index++) {
    const seed = 2 * index + (replica === "a" ? 1 : 2);
    const columns = makeChunkColumns(shape, chunkCount, seed, START_MS + PHASES_MS[replica]);
    yield { labels: makeLabels(index, replica, fewCount), chunks: encodeChunks(columns) };
  }
}

/** The same as series of blocks, which decode their chunks when they are asked to. */
export function toSeries({ labels, chunks }: SentSeries): Series {
  return { labels, blocks: chunks.map((chunk): Block => chunkBlock(chunk)) };
}

/** The frames of a streamed answer, one a series. */
export function encodeFrames(series: Iterable<SentSeries>): Uint8Array[] {
  return Array.from(series, ({ labels, chunks }) => encodeChunkedSeries(labels, chunks, 0));
}

export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((bytes, { length }) => bytes + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** A body in pieces as a network delivers them. */
export function cutIntoPieces(body: Uint8Array): Uint8Array[] {
  return Array.from({ length: Math.ceil(body.length / PIECE_BYTES) }, (_, index) =>
    body.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES),
  );
}

/** A `fetch` that answers every request with this body, piece by piece. */
export function fetchFromMemory(body: Uint8Array): (url: string, init: RequestInit) => Promise<Response> {
  const pieces = cutIntoPieces(body);
  const headers = { "Content-Type": STREAMED_TYPE, "Content-Length": String(body.length) };
  return () => {
    let next = 0;
    const stream = new ReadableStream<Uint8Array>(
      {
        pull: (controller) => {
          const piece = pieces[next++];
          if (piece === undefined) {
            controller.close();
          } else {
            controller.enqueue(piece);
          }
        },
      },
      { highWaterMark: 0 },
    );
    return Promise.resolve(new Response(stream, { headers }));
  };
}

/** A query for all samples of the first `chunkCount` chunks; both ends inclusive. */
export function queryOf(chunkCount: number, matchers: Query["matchers"] = [matchMetric()]): Query {
  const lastMs = START_MS + (chunkCount * CHUNK_ROWS - 1) * INTERVAL_MS;
  return { startMs: START_MS - INTERVAL_MS / 2, endMs: lastMs + INTERVAL_MS / 2, matchers };
}

export function matchMetric(): Query["matchers"][number] {
  return { type: "=", name: "__name__", value: METRIC };
}
