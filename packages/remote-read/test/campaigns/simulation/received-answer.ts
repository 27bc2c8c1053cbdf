/** The body of an answer as series of plain rows. Where it is of floats alone the strict client reads it, which shares nothing. */
import type { Block } from "@promsplice/core";

import { chunkBlock } from "../../../src/chunk/chunk-block.ts";
import { decodeChunkedResponse } from "../../../src/chunked-response.ts";
import { decodeReadResponse } from "../../../src/read-response.ts";
import { FrameParser } from "../../../src/wire/frame.ts";
import { uncompressSnappy } from "../../../src/wire/snappy.ts";
import { bitsOf } from "../../bytes.ts";
import { exactRows } from "../../exact-histogram.ts";
import { SAMPLES_TYPE } from "../../read-exchange.ts";
import { type ClientAnswer, type ClientQuery, type ClientRow, readStrictly } from "../../strict-client.ts";
import { histogramText } from "./scraped-series.ts";

export interface PlainSeries {
  readonly labels: readonly string[];
  readonly rows: readonly ClientRow[];
}

/** The series of each query, in the order of the answer. Throws where a client could not read them. */
export function readReceived(
  answer: ClientAnswer,
  queries: readonly ClientQuery[],
  hasHistograms: boolean,
): PlainSeries[][] {
  if (!hasHistograms) {
    return readStrictly(answer, queries).map((series) => series.map(({ labels, rows }) => ({ labels, rows })));
  }
  return answer.contentType === SAMPLES_TYPE
    ? decodeReadResponse(uncompressSnappy(answer.body, 1 << 26)).results.map((series) =>
        series.map(({ labels, blocks }) => ({ labels, rows: rowsOf([...blocks]) })),
      )
    : readFrames(answer.body, queries.length);
}

function readFrames(body: Uint8Array, queryCount: number): PlainSeries[][] {
  const results: PlainSeries[][] = Array.from({ length: queryCount }, () => []);
  const parser = new FrameParser();
  parser.push(body);
  for (let payload = parser.next(); payload !== undefined; payload = parser.next()) {
    const { series, queryIndex } = decodeChunkedResponse(payload);
    for (const { labels, chunks } of series) {
      results[queryIndex]!.push({ labels, rows: rowsOf(chunks.map((chunk) => chunkBlock(chunk))) });
    }
  }
  parser.finish();
  return results;
}

function rowsOf(blocks: readonly Block[]): ClientRow[] {
  return blocks.flatMap((block) => {
    if (block.kind === "histogram") {
      return exactRows(block).map((row): ClientRow => [Number(row.t), histogramText(row)]);
    }
    const bits = bitsOf(block.values());
    return Array.from(block.timestamps(), (timeMs, row): ClientRow => [timeMs, bits[row]!]);
  });
}
