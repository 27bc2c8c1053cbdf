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
import type { Block, LabelSet, Series } from "@promsplice/core";

import { HINT_GAUGE, HINT_UNKNOWN, histogramRowsOf } from "./chunk/histogram-rows.ts";
import { HistogramEncoder } from "./histogram-encoder.ts";
import { HISTOGRAMS } from "./histogram-fields.ts";
import { readHistograms } from "./histogram-message.ts";
import { encodeLabels, type LabelLimits, LABELS, NO_LABEL_LIMITS, readLabel, toLabelSet } from "./label-message.ts";
import { mixBlocks } from "./mixed-blocks.ts";
import { RemoteReadError } from "./remote-read-error.ts";
import { readSamples, SAMPLE_BYTES_MAX, SAMPLES, writeSamples } from "./sample-message.ts";
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

/** What an answer may hold, checked as it is decoded. */
export interface ReadResponseLimits extends LabelLimits {
  /** Most series of one result. */
  readonly seriesMax: number;
}

const NO_LIMITS: ReadResponseLimits = { ...NO_LABEL_LIMITS, seriesMax: Infinity };

export interface ReadResponseEncoderOptions {
  /** The longest that the message may become, in bytes; 1 GiB by default and at most. */
  readonly bytesMax?: number | undefined;
}

const RESULTS = 1;
const TIMESERIES = 1;

/** What protobufjs can hold in one message: it doubles its buffer, up to a length of 31 bits. */
const MESSAGE_BYTES_MAX = 2 ** 30;

/** How many rows are encoded at a time before they go into the message. */
const ROWS_AT_ONCE = 1024;

/**
 * Decodes an answer that is not compressed any more. A series has one block, none where it has no samples, more where
 * floats and native histograms follow one another; samples out of order are sorted, of equal times the first is kept, a float
 * before a histogram.
 *
 * @throws RemoteReadError `protobuf-malformed`, also for a time outside ±2^53 and for a histogram that is none;
 * `labels-malformed`; `limit-exceeded` at the first series or label too many.
 */
export function decodeReadResponse(bytes: Uint8Array, limits: ReadResponseLimits = NO_LIMITS): ReadResponse {
  return readMessage(bytes, (reader) => {
    const results: Series[][] = [];
    while (hasField(reader)) {
      const tag = readTag(reader);
      if (tag >>> 3 === RESULTS) {
        results.push(readResult(reader, tag, limits));
      } else {
        skipField(reader, tag);
      }
    }
    return { results };
  });
}

function readResult(reader: ProtobufReader, tag: number, limits: ReadResponseLimits): Series[] {
  const outerEnd = enterMessage(reader, tag);
  const series: Series[] = [];
  while (hasField(reader)) {
    const field = readTag(reader);
    if (field >>> 3 === TIMESERIES) {
      if (series.length === limits.seriesMax) {
        throw new RemoteReadError("limit-exceeded", `the answer has more than ${limits.seriesMax} series`);
      }
      series.push(readSeries(reader, field, limits));
    } else {
      skipField(reader, field);
    }
  }
  reader.len = outerEnd;
  return series;
}

/** Reads a series in two passes: the first counts the samples, so that the second can put them into columns of that size. */
function readSeries(reader: ProtobufReader, tag: number, limits: LabelLimits): Series {
  const outerEnd = enterMessage(reader, tag);
  const names: string[] = [];
  let samplesStart = reader.len;
  let sampleCount = 0;
  let histogramsStart = reader.len;
  let histogramCount = 0;
  while (hasField(reader)) {
    const start = reader.pos;
    const field = readTag(reader);
    switch (field >>> 3) {
      case LABELS:
        readLabel(reader, field, names, limits);
        break;
      case SAMPLES:
        skipMessage(reader, field);
        samplesStart = Math.min(samplesStart, start);
        sampleCount++;
        break;
      case HISTOGRAMS:
        skipMessage(reader, field);
        histogramsStart = Math.min(histogramsStart, start);
        histogramCount++;
        break;
      default:
        skipField(reader, field);
    }
  }
  const end = reader.pos;
  const labels = toLabelSet(names);
  reader.pos = samplesStart;
  const floats = readSamples(reader, sampleCount);
  reader.pos = histogramsStart;
  const histograms = readHistograms(reader, histogramCount);
  reader.pos = end;
  reader.len = outerEnd;
  return { labels, blocks: mixBlocks(floats, histograms) };
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
  readonly #histograms: HistogramEncoder = new HistogramEncoder();
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
   * Writes a series into the result that has been begun. Its blocks must not overlap and be in order of time. All floats go
   * before all histograms, as in a message they are two lists.
   *
   * @throws RemoteReadError `limit-exceeded`; whatever a block throws; TypeError for histograms of another kind than this
   * package's. The encoder is of no more use then.
   */
  writeSeries(labels: LabelSet, blocks: Iterable<Block>): void {
    startNested(this.#writer, TIMESERIES);
    this.#write(encodeLabels(labels));
    const histograms: Block[] = [];
    for (const block of blocks) {
      if (block.kind === "float") {
        this.#writeFloats(block);
      } else {
        histograms.push(block);
      }
    }
    for (const block of histograms) {
      this.#writeHistograms(block);
    }
    this.#writer.ldelim();
  }

  #writeFloats(block: Block): void {
    const columns = { timestamps: block.timestamps(), values: block.values() };
    for (let start = 0; start < block.count; start += ROWS_AT_ONCE) {
      const end = Math.min(start + ROWS_AT_ONCE, block.count);
      this.#write(this.#encoded.subarray(0, writeSamples(columns, start, end, this.#view)));
    }
  }

  #writeHistograms(block: Block): void {
    const timestamps = block.timestamps();
    const rows = histogramRowsOf(block.histograms());
    for (let row = 0; row < block.count; row++) {
      const hint = rows.hints[row]!;
      // What is known of a reset is about the true predecessor.
      const isForgotten = row === 0 && block.detached && hint !== HINT_GAUGE;
      this.#write(this.#histograms.encode(rows, row, timestamps[row]!, isForgotten ? HINT_UNKNOWN : hint));
    }
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
