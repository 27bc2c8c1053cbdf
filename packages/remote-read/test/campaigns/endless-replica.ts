/**
 * A replica whose answers are as long as the query says: its matchers `series` and `chunks` say how many series there are and
 * how many chunks each has; a chunk is some 900 bytes. `waitMs` is how long the replica waits with the first byte.
 *
 *     {__name__="load", series="17000", chunks="70"}     over 1 GiB, in frames below 64 KiB
 *
 * Frames are made as the connection takes them, so what has been made shows whether the replica is paused.
 */
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";

import { columnsBlock } from "@promsplice/core";
import { expect } from "vitest";

import { seededRandom } from "../../../core/test/random.ts";
import { encodeBlock } from "../../src/chunk/chunk-block.ts";
import { encodeChunkedSeries, type OutgoingChunk } from "../../src/chunked-response.ts";
import { decodeReadRequest, type ReadRequest } from "../../src/read-request.ts";
import { crc32c } from "../../src/wire/crc32c.ts";
import { uncompressSnappy } from "../../src/wire/snappy.ts";
import { STREAMED_TYPE } from "../answering-server.ts";
import { type AskedQuery, queryOf } from "../read-exchange.ts";
import { type ClientAnswer, readStrictly } from "../strict-client.ts";

/** What is asked of a replica. */
export interface Load {
  readonly series: number;
  /** At most {@link CHUNKS_MAX}. */
  readonly chunks: number;
  readonly waitMs: number;
}

/** So many chunks, with labels, are a frame of less than 64 KiB. */
export const CHUNKS_MAX = 70;

const ROWS = 120;
const START_MS = 1_700_000_000_000;

export function queryOfLoad({ series, chunks, waitMs }: Load): AskedQuery {
  return queryOf([
    ["=", "__name__", "load"],
    ["=", "series", String(series)],
    ["=", "chunks", String(chunks)],
    ["=", "waitMs", String(waitMs)],
  ]);
}

/** The answer to a load must be whole: every series, without the label of the replica, and every row of it once. */
export function expectWhole(answer: ClientAnswer, { series, chunks }: Load): void {
  const [got] = readStrictly(answer, [queryOfLoad({ series, chunks, waitMs: 0 })]);
  expect(got!.map(({ labels }) => labels.join(" "))).toEqual(
    Array.from({ length: series }, (_, index) => `__name__ load number ${numberOf(index)}`),
  );
  expect(new Set(got!.map(({ rows }) => rows.length))).toEqual(new Set([chunks * ROWS]));
}

export class EndlessReplica {
  readonly #server: Server;
  readonly #name: string;
  readonly #chunks: readonly OutgoingChunk[];
  /** Bytes of all frames that were made so far. */
  bytesMade: number = 0;

  private constructor(name: string, offsetMs: number) {
    this.#name = name;
    this.#chunks = makeChunks(offsetMs);
    this.#server = createServer((request, response) => {
      const pieces: Buffer[] = [];
      request.on("data", (piece: Buffer) => pieces.push(piece));
      request.on("end", () => {
        const message = decodeReadRequest(uncompressSnappy(Uint8Array.from(Buffer.concat(pieces)), 1 << 20));
        // A client that leaves is what this is about.
        this.#answer(response, loadOf(message)).catch(() => undefined);
      });
    });
    // Connections are used again, but those that nobody uses do not stay long in the way of whoever counts them.
    this.#server.keepAliveTimeout = 4000;
  }

  /** Starts one on a free port of loopback; it scrapes `offsetMs` after others that begin at the same time. */
  static async start(name: string, offsetMs: number): Promise<EndlessReplica> {
    const replica = new EndlessReplica(name, offsetMs);
    await new Promise<void>((resolve) => void replica.#server.listen(0, "127.0.0.1", resolve));
    return replica;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/api/v1/read`;
  }

  /** How long each frame of such an answer is, in bytes. */
  frameBytes({ chunks }: Load): number {
    return this.#makeFrame(0, this.#chunks.slice(0, chunks)).length;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => void this.#server.close(() => resolve()));
  }

  async #answer(response: ServerResponse, load: Load): Promise<void> {
    await sleep(load.waitMs);
    response.writeHead(200, { "Content-Type": STREAMED_TYPE });
    await pipeline(Readable.from(this.#makeFrames(load), { highWaterMark: 1 }), response);
  }

  *#makeFrames({ series, chunks }: Load): Generator<Uint8Array, void, undefined> {
    const sent = this.#chunks.slice(0, chunks);
    for (let index = 0; index < series; index++) {
      const frame = this.#makeFrame(index, sent);
      this.bytesMade += frame.length;
      yield frame;
    }
  }

  #makeFrame(index: number, chunks: readonly OutgoingChunk[]): Uint8Array {
    return encodeChunkedSeries(["__name__", "load", "number", numberOf(index), "replica", this.#name], chunks, 0);
  }
}

function loadOf({ queries }: ReadRequest): Load {
  const [series, chunks, waitMs] = ["series", "chunks", "waitMs"].map((wanted) =>
    Number(queries[0]!.matchers.find(({ name }) => name === wanted)!.value),
  );
  return { series: series!, chunks: chunks!, waitMs: waitMs! };
}

function numberOf(index: number): string {
  return String(index).padStart(8, "0");
}

/** Chunks of values that hardly shrink, a row each 15 s, all of them present. */
function makeChunks(offsetMs: number): OutgoingChunk[] {
  const random = seededRandom(1);
  return Array.from({ length: CHUNKS_MAX }, (_, chunk) => {
    const timestamps = Float64Array.from(
      { length: ROWS },
      (__, row) => START_MS + offsetMs + (chunk * ROWS + row) * 15_000,
    );
    const values = Float64Array.from({ length: ROWS }, () => random() + random() / 2 ** 32);
    const [encoded] = encodeBlock(columnsBlock({ timestamps, values }));
    return { ...encoded!, crc: crc32c(encoded!.data) };
  });
}
