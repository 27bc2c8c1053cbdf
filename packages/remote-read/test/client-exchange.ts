/** A reader and what it read, as tests of the client write and compare them. */
import type { LabelSet, Series } from "@promsplice/core";
import { expect } from "vitest";

import { encodeBlock } from "../src/chunk/chunk-block.ts";
import { encodeChunkedSeries } from "../src/chunked-response.ts";
import { remoteReader, type RemoteReaderOptions } from "../src/client.ts";
import type { Query, Reader, ReadOptions, ReadReport } from "../src/reader.ts";
import { ReadResponseEncoder } from "../src/read-response.ts";
import { RemoteReadError } from "../src/remote-read-error.ts";
import { compressSnappy } from "../src/wire/snappy.ts";
import { type Answer, type AnsweringServer, startServer } from "./answering-server.ts";
import { bitsOf } from "./bytes.ts";
import { blockOf, labelsOf, queryOf, steadyRows } from "./read-exchange.ts";
import { readExchange, readRecording } from "./recording.ts";

export const EVERYTHING: Query = queryOf([["=~", "__name__", ".+"]]);
export const ROWS = steadyRows(1_700_000_000_000, 3);

export interface Outcome {
  readonly series: Series[];
  readonly error: RemoteReadError | undefined;
  readonly report: ReadReport;
}

/** Reads to the end, or to the error, which must be one of ours and name the replica. */
export async function readAll(reader: Reader, query: Query = EVERYTHING, options: ReadOptions = {}): Promise<Outcome> {
  const reading = reader.read(query, options);
  const series: Series[] = [];
  let error: RemoteReadError | undefined;
  try {
    for await (const one of reading) {
      series.push(one);
    }
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(RemoteReadError);
    error = thrown as RemoteReadError;
    expect(error.replica).toBe(reading.report().replicas[0]!.name);
    expect(reading.report().replicas[0]!.error).toBe(error);
  }
  return { series, error, report: reading.report() };
}

export async function readFrom(
  answer: Answer,
  options: Partial<RemoteReaderOptions> = {},
  query: Query = EVERYTHING,
  readOptions: ReadOptions = {},
): Promise<Outcome & { readonly server: AnsweringServer }> {
  const server = await startServer(answer);
  return { ...(await readAll(remoteReader({ url: server.url, ...options }), query, readOptions)), server };
}

/** A frame of a series with these rows. */
export function frame(labels: string | LabelSet, rows = ROWS): Uint8Array {
  return encodeChunkedSeries(typeof labels === "string" ? labelsOf(labels) : labels, encodeBlock(blockOf(rows)), 0);
}

export function samplesBody(...results: readonly (readonly Series[])[]): Uint8Array {
  const encoder = new ReadResponseEncoder();
  for (const result of results) {
    encoder.startResult();
    for (const { labels, blocks } of result) {
      encoder.writeSeries(labels, blocks);
    }
  }
  return compressSnappy(encoder.finish());
}

export function namesOf(series: readonly Series[]): string[] {
  return series.map(({ labels }) => labels.join(" "));
}

export function rowsOf({ blocks }: Series): (readonly [number, string])[] {
  return [...blocks].flatMap((block) => {
    const bits = bitsOf(block.values());
    return Array.from(block.timestamps(), (timeMs, row) => [timeMs, bits[row]!] as const);
  });
}

/** A fetch that answers without a network. */
export function answering(make: () => Response): NonNullable<RemoteReaderOptions["fetch"]> {
  return async () => make();
}

export const URL_OF_NOBODY = "http://prometheus-a:9090/api/v1/read";

export function recorded(name: string): {
  readonly resp: Uint8Array;
  readonly frames: NonNullable<
    NonNullable<ReturnType<typeof readExchange>["response"]["decoded"]>["frames"]
  >[number]["chunked_series"];
  readonly ends: readonly number[];
} {
  const frames = readExchange(name).response.decoded!.frames!;
  return {
    resp: readRecording(`${name}.resp.bin`),
    frames: frames.flatMap(({ chunked_series }) => chunked_series),
    ends: frames.map(({ offset, length }) => offset + (length < 128 ? 1 : 2) + 4 + length),
  };
}
