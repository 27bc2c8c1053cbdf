/**
 * A replica of a simulated world as a server: what it answers when all goes well, in one piece a frame, and the plain rows of each
 * of these frames.
 */
import { compareLabelSets, type LabelSet } from "@promsplice/core";

import { chunkBlock } from "../../../src/chunk/chunk-block.ts";
import { encodeChunkedSeries } from "../../../src/chunked-response.ts";
import { readHandler } from "../../../src/handler.ts";
import { memoryReader } from "../../../src/memory-reader.ts";
import { decodeReadRequest, type ReadRequest } from "../../../src/read-request.ts";
import type { Query } from "../../../src/reader.ts";
import { uncompressSnappy } from "../../../src/wire/snappy.ts";
import { samplesBody } from "../../client-exchange.ts";
import { requestOf, SAMPLES_TYPE, STREAMED, STREAMED_TYPE } from "../../read-exchange.ts";
import type { ClientRow } from "../../strict-client.ts";
import { Dice } from "./dice.ts";
import { blockOfRows, type SeriesKind, type StoredChunk } from "./scraped-series.ts";
import type { ReplicaPlan, StoredSeries } from "./replica-plan.ts";

/** What one frame says: a series, or a part of one. In an answer of samples one entry is a whole series. */
export interface SentFrame {
  readonly labels: LabelSet;
  readonly kind: SeriesKind;
  /** The rows of each of its chunks, in the order in which they are sent. */
  readonly chunks: readonly Pick<StoredChunk, "rows">[];
}

export interface ServerAnswer {
  readonly response: Response;
  readonly isStreamed: boolean;
  /** In the order in which they are sent. */
  readonly frames: readonly SentFrame[];
}

/** A server; after its restart it is another one, with other data. */
export class ReplicaServer {
  readonly #plan: ReplicaPlan;
  readonly #series: readonly StoredSeries[];
  readonly #seed: number;
  readonly #handler: (request: Request) => Promise<Response>;

  constructor(plan: ReplicaPlan, series: readonly StoredSeries[], seed: number) {
    this.#plan = plan;
    this.#series = series;
    this.#seed = seed;
    const held = series.map(({ sent, chunks }) => ({
      labels: sent,
      blocks: chunks.flatMap(({ encoded }) => encoded.map((chunk) => chunkBlock(chunk))),
    }));
    const { concurrency } = plan;
    this.#handler = readHandler(memoryReader(held), {
      limits: { concurrency, queue: 1, queueMs: 500, writeStallMs: 3000 },
    });
  }

  async answer(body: Uint8Array, signal: AbortSignal): Promise<ServerAnswer> {
    const { queries, acceptedResponseTypes } = readRequest(body);
    const query = queries[0]!;
    const isStreamed = acceptedResponseTypes[0] === STREAMED;
    const selected = this.#series.filter(({ stored }) => selects(query, stored));
    if (this.#plan.server === "handler") {
      const frames = selected
        .map((series) => wholeFrame(series, query))
        .filter(({ chunks }) => chunks[0]!.rows.length > 0)
        .toSorted((one, other) => compareLabelSets(one.labels, other.labels));
      return { response: await this.#handler(requestOf(body, { signal })), isStreamed, frames };
    }
    const sorted = selected.toSorted((one, other) => compareLabelSets(one.stored, other.stored));
    return isStreamed ? this.#answerFrames(sorted, query) : answerSamples(sorted, query);
  }

  /** As Prometheus does: whole chunks, also where a part of one is outside the window; long series in several frames. */
  #answerFrames(series: readonly StoredSeries[], query: Query): ServerAnswer {
    const dice = new Dice(this.#seed, `frames of ${this.#plan.name}`);
    const sent = series.flatMap(({ sent: labels, kind, chunks }) => {
      const wanted = chunks.filter(({ rows }) => rows[0]![0] <= query.endMs && rows.at(-1)![0] >= query.startMs);
      return cutAtRandom(wanted, dice).map((part) => ({
        frame: { labels, kind, chunks: part },
        bytes: encodeChunkedSeries(
          labels,
          part.flatMap(({ encoded }) => encoded),
          0,
        ),
      }));
    });
    const pieces = sent.map(({ bytes }) => bytes);
    return {
      response: new Response(streamOf(pieces), { headers: headersOf(STREAMED_TYPE, pieces) }),
      isStreamed: true,
      frames: sent.map(({ frame }) => frame),
    };
  }
}

export function readRequest(body: Uint8Array): ReadRequest {
  return decodeReadRequest(uncompressSnappy(body, 1 << 20));
}

/** Whether a series is selected, so far as the matchers of our worlds go. */
function selects({ matchers }: Pick<Query, "matchers">, labels: LabelSet): boolean {
  return matchers.every(({ type, name, value }) => {
    const at = labels.indexOf(name);
    const actual = at < 0 ? "" : labels[at + 1];
    return type === "=~" ? actual !== "" : (actual === value) === (type === "=");
  });
}

/** The rows of chunks inside a window. Of equal times the chunk that begins first wins, then the one that is stored first. */
export function uniteRows(
  chunks: readonly Pick<StoredChunk, "rows">[],
  { startMs, endMs }: Pick<Query, "startMs" | "endMs">,
): ClientRow[] {
  const sorted = chunks.toSorted((one, other) => one.rows[0]![0] - other.rows[0]![0]);
  const all = sorted.flatMap(({ rows }) => rows);
  return all
    .filter(([timeMs], index) => all.findIndex((row) => row[0] === timeMs) === index)
    .filter(([timeMs]) => timeMs >= startMs && timeMs <= endMs)
    .toSorted((one, other) => one[0] - other[0]);
}

function wholeFrame({ sent, kind, chunks }: StoredSeries, query: Query): SentFrame {
  return { labels: sent, kind, chunks: [{ rows: uniteRows(chunks, query) }] };
}

function answerSamples(series: readonly StoredSeries[], query: Query): ServerAnswer {
  const frames = series.map((one) => wholeFrame(one, query)).filter(({ chunks }) => chunks[0]!.rows.length > 0);
  const body = samplesBody(
    frames.map(({ labels, kind, chunks }) => ({ labels, blocks: [blockOfRows(kind, chunks[0]!.rows)] })),
  );
  return {
    response: new Response(streamOf([body]), { headers: headersOf(SAMPLES_TYPE, [body]) }),
    isStreamed: false,
    frames,
  };
}

/** A list in one to three parts, none of them empty. */
function cutAtRandom<T>(list: readonly T[], dice: Dice): T[][] {
  const parts: T[][] = [];
  for (let start = 0; start < list.length;) {
    const end = dice.chance(0.6) ? list.length : dice.whole(start + 1, list.length);
    parts.push(list.slice(start, end));
    start = end;
  }
  return parts;
}

function streamOf(pieces: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  let next = 0;
  return new ReadableStream<Uint8Array>(
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
}

function headersOf(type: string, pieces: readonly Uint8Array[]): Record<string, string> {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return { "Content-Type": type, "Content-Length": String(length) };
}
