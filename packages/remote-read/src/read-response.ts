/**
 * The SAMPLES answer of remote read, one message for the whole answer:
 *
 *     ReadResponse   1 results (QueryResult …), one a query in the order of the request
 *     QueryResult    1 timeseries (TimeSeries …)
 *     TimeSeries     1 labels (Label …)   2 samples (Sample …)   3 exemplars   4 histograms (Histogram …)
 *
 * From prompb/remote.proto and prompb/types.proto of Prometheus 3.14. Its writer leaves out values that equal 0, so −0
 * comes as 0 from there; ours writes −0.
 */
import { formatLabelSet, type Block, columnsBlock, type LabelSet, type Series } from "@promsplice/core";

import { encodeLabels, LABELS, readLabel, toLabelSet } from "./label-message.ts";
import { RemoteReadError } from "./remote-read-error.ts";
import { readSamples, SAMPLE_BYTES_MAX, SAMPLES, writeSamples } from "./sample-message.ts";
import { sortColumns } from "./sort-columns.ts";
import {
  createWriter,
  enterMessage,
  finishWriter,
  hasField,
  type ProtobufReader,
  type ProtobufWriter,
  readMessage,
  readTag,
  skipField,
  skipMessage,
  startNested,
} from "./wire/protobuf.ts";

export interface ReadResponse {
  /** The series of each query, in the order and with the repetitions that they came in. */
  readonly results: readonly (readonly Series[])[];
}

export interface ReadResponseEncoderOptions {
  /** The longest that the message may become, in bytes; 1 GiB by default and at most. */
  readonly bytesMax?: number | undefined;
}

const RESULTS = 1;
const TIMESERIES = 1;
const HISTOGRAMS = 4;

/** What protobufjs can hold in one message: it doubles its buffer, up to a length of 31 bits. */
const MESSAGE_BYTES_MAX = 2 ** 30;

/** How many rows are encoded at a time before they go into the message. */
const ROWS_AT_ONCE = 1024;

/**
 * Decodes an answer that is not compressed any more. A series has one block, or none where it has no samples; samples out
 * of order are sorted, of equal times the first is kept. A series with native histograms is there, but its blocks throw
 * `chunk-type-unsupported` when they are iterated over.
 *
 * @throws RemoteReadError `protobuf-malformed`, also for a time outside ±2^53; `labels-malformed`.
 */
export function decodeReadResponse(bytes: Uint8Array): ReadResponse {
  return readMessage(bytes, (reader) => {
    const results: Series[][] = [];
    while (hasField(reader)) {
      const tag = readTag(reader);
      if (tag >>> 3 === RESULTS) {
        results.push(readResult(reader, tag));
      } else {
        skipField(reader, tag);
      }
    }
    return { results };
  });
}

function readResult(reader: ProtobufReader, tag: number): Series[] {
  const outerEnd = enterMessage(reader, tag);
  const series: Series[] = [];
  while (hasField(reader)) {
    const field = readTag(reader);
    if (field >>> 3 === TIMESERIES) {
      series.push(readSeries(reader, field));
    } else {
      skipField(reader, field);
    }
  }
  reader.len = outerEnd;
  return series;
}

/** Reads a series in two passes: the first counts the samples, so that the second can put them into columns of that size. */
function readSeries(reader: ProtobufReader, tag: number): Series {
  const outerEnd = enterMessage(reader, tag);
  const names: string[] = [];
  let samplesStart = reader.len;
  let sampleCount = 0;
  let histogramCount = 0;
  while (hasField(reader)) {
    const start = reader.pos;
    const field = readTag(reader);
    switch (field >>> 3) {
      case LABELS:
        readLabel(reader, field, names);
        break;
      case SAMPLES:
        skipMessage(reader, field);
        samplesStart = Math.min(samplesStart, start);
        sampleCount++;
        break;
      case HISTOGRAMS:
        skipMessage(reader, field);
        histogramCount++;
        break;
      default:
        skipField(reader, field);
    }
  }
  const end = reader.pos;
  const labels = toLabelSet(names);
  reader.pos = samplesStart;
  const columns = sortColumns(readSamples(reader, sampleCount));
  reader.pos = end;
  reader.len = outerEnd;
  if (histogramCount > 0) {
    return { labels, blocks: new UnsupportedBlocks(labels, histogramCount) };
  }
  return { labels, blocks: sampleCount === 0 ? [] : [columnsBlock(columns)] };
}

/** The blocks of a series that holds what this version cannot decode: nobody gets to see a part of them. */
class UnsupportedBlocks implements Iterable<Block> {
  readonly #labels: LabelSet;
  readonly #histogramCount: number;

  constructor(labels: LabelSet, histogramCount: number) {
    this.#labels = labels;
    this.#histogramCount = histogramCount;
  }

  [Symbol.iterator](): Iterator<Block> {
    const series = formatLabelSet(this.#labels);
    const message = `${series} has ${this.#histogramCount} native histograms, which this version cannot decode`;
    throw new RemoteReadError("chunk-type-unsupported", message, { series });
  }
}

/**
 * Encodes an answer as its series come, not yet compressed:
 *
 *     for each query: startResult(), then writeSeries(…) for each series; at the end finish()
 */
export class ReadResponseEncoder {
  readonly #bytesMax: number;
  readonly #writer: ProtobufWriter = createWriter();
  readonly #encoded: Uint8Array = new Uint8Array(ROWS_AT_ONCE * SAMPLE_BYTES_MAX);
  readonly #view: DataView = new DataView(this.#encoded.buffer);
  #isInResult = false;

  constructor(options: ReadResponseEncoderOptions = {}) {
    this.#bytesMax = Math.min(options.bytesMax ?? MESSAGE_BYTES_MAX, MESSAGE_BYTES_MAX);
  }

  /** Begins the result of the next query. */
  startResult(): void {
    this.#endResult();
    startNested(this.#writer, RESULTS);
    this.#isInResult = true;
  }

  /**
   * Writes a series of floats into the result that has been begun. Its blocks must not overlap and be in order of time.
   *
   * @throws RemoteReadError `limit-exceeded`; whatever a block throws; TypeError for a block of histograms. The encoder is of
   * no more use then.
   */
  writeSeries(labels: LabelSet, blocks: Iterable<Block>): void {
    startNested(this.#writer, TIMESERIES);
    this.#write(encodeLabels(labels));
    for (const block of blocks) {
      const columns = { timestamps: block.timestamps(), values: block.values() };
      for (let start = 0; start < block.count; start += ROWS_AT_ONCE) {
        const end = Math.min(start + ROWS_AT_ONCE, block.count);
        this.#write(this.#encoded.subarray(0, writeSamples(columns, start, end, this.#view)));
      }
    }
    this.#writer.ldelim();
  }

  /** The message; the encoder is of no more use. */
  finish(): Uint8Array {
    this.#endResult();
    return finishWriter(this.#writer);
  }

  #endResult(): void {
    if (this.#isInResult) {
      this.#writer.ldelim();
      this.#isInResult = false;
    }
  }

  #write(bytes: Uint8Array): void {
    const length = this.#writer.pos + bytes.length;
    if (length > this.#bytesMax) {
      throw new RemoteReadError("limit-exceeded", `the answer is over ${this.#bytesMax} bytes as samples`);
    }
    this.#writer.raw(bytes);
  }
}
