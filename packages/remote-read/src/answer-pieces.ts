/**
 * The body of an answer in pieces, made as they are asked for: one frame a series, or all samples as one.
 *
 *     STREAMED_XOR_CHUNKS   query 0: series, series, … then query 1: …      each series one whole frame
 *     SAMPLES               every series of every query, then the one message, compressed
 *
 * A Prometheus takes two entries of one label set for two series, and two frames of one series too; so label sets must
 * increase, and what does not fit into one frame is an error.
 */
import { type Block, compareLabelSets, formatLabelSet, type LabelSet } from "@promsplice/core";

import { chunksOf, type EncodedChunk } from "./chunk/chunk-block.ts";
import { encodeChunkedSeries } from "./chunked-response.ts";
import { clipBlocks } from "./clip-blocks.ts";
import { ReadResponseEncoder } from "./read-response.ts";
import { type Query, type Reader, type Reading, type ReadReport, wantsLabelSetsOnly } from "./reader.ts";
import { RemoteReadError } from "./remote-read-error.ts";
import type { Crc32c } from "./wire/crc32c.ts";
import { compressSnappy, type SnappyOptions } from "./wire/snappy.ts";

export interface AnswerOptions {
  /** Cancels the readings. */
  readonly signal: AbortSignal;
  /** Told of each reading when it has ended, however. */
  readonly onReport: ((report: ReadReport) => void) | undefined;
  /** Most samples a query of a SAMPLES answer; 0 for any number. */
  readonly samplesMax: number;
  readonly frameBytesMax: number;
  readonly snappy: SnappyOptions | undefined;
  readonly crc32c: Crc32c | undefined;
}

/** A series with rows inside the query's range, and nothing but these; none where only label sets are wanted. */
interface ClippedSeries {
  readonly labels: LabelSet;
  readonly blocks: readonly Block[];
}

/** The answers to the queries of one request, from one reader. */
export class Answer {
  readonly #reader: Reader;
  readonly #queries: readonly Query[];
  readonly #options: AnswerOptions;
  readonly #readings: Reading[] = [];

  constructor(reader: Reader, queries: readonly Query[], options: AnswerOptions) {
    this.#reader = reader;
    this.#queries = queries;
    this.#options = options;
  }

  /** Names of the replicas that have failed in the readings so far, each once. */
  failedReplicas(): string[] {
    const replicas = this.#readings.flatMap((reading) => reading.report().replicas);
    return [...new Set(replicas.filter(({ error }) => error !== undefined).map(({ name }) => name))];
  }

  /** The frames of a streamed answer. */
  async *encodeFrames(): AsyncGenerator<Uint8Array, void, undefined> {
    const { frameBytesMax, crc32c } = this.#options;
    for (const [queryIndex, query] of this.#queries.entries()) {
      for await (const { labels, blocks } of this.#read(query)) {
        const chunks = encodeBlocks(blocks);
        if (chunks.length > 0) {
          yield encodeChunkedSeries(labels, chunks, queryIndex, { frameBytesMax, crc32c });
        }
      }
    }
  }

  /** The whole SAMPLES answer. */
  async *encodeSamples(): AsyncGenerator<Uint8Array, void, undefined> {
    const encoder = new ReadResponseEncoder();
    for (const query of this.#queries) {
      encoder.startResult();
      let samples = 0;
      for await (const { labels, blocks } of this.#read(query)) {
        samples = this.#checkSamples(blocks.reduce((sum, { count }) => sum + count, samples));
        encoder.writeSeries(labels, blocks);
      }
    }
    yield compressSnappy(encoder.finish(), this.#options.snappy);
  }

  async *#read(query: Query): AsyncGenerator<ClippedSeries, void, undefined> {
    const { startMs, endMs, matchers } = query;
    if (startMs > endMs || matchers.length === 0) {
      return;
    }
    const { signal } = this.#options;
    const reading = this.#reader.read(query, { signal });
    this.#readings.push(reading);
    let before: LabelSet | undefined;
    try {
      for await (const series of reading) {
        if (signal.aborted) {
          // Not every reader looks at the signal, and an answer of samples is not pulled series by series.
          throw new RemoteReadError("aborted", "the client left", { cause: signal.reason });
        }
        checkOrder(before, series.labels);
        before = series.labels;
        const isBare = wantsLabelSetsOnly(query);
        const blocks = isBare ? [] : clipBlocks(series.blocks, startMs, endMs);
        if (isBare || blocks.length > 0) {
          yield { labels: series.labels, blocks };
        }
      }
    } finally {
      this.#options.onReport?.(reading.report());
    }
  }

  #checkSamples(samples: number): number {
    const { samplesMax } = this.#options;
    if (samplesMax > 0 && samples > samplesMax) {
      throw new RemoteReadError("limit-exceeded", `exceeded sample limit (${samplesMax})`);
    }
    return samples;
  }
}

/** Blocks as chunks: as they came in, where they still are that. */
function encodeBlocks(blocks: readonly Block[]): readonly EncodedChunk[] {
  const chunks: EncodedChunk[] = [];
  for (const block of blocks) {
    chunks.push(...chunksOf(block));
  }
  return chunks;
}

function checkOrder(before: LabelSet | undefined, labels: LabelSet): void {
  if (before !== undefined && compareLabelSets(before, labels) >= 0) {
    const series = formatLabelSet(labels);
    const message = `the reader gave ${series} after ${formatLabelSet(before)}, label sets must increase`;
    throw new RemoteReadError("series-out-of-order", message, { series });
  }
}
