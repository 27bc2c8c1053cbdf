/**
 * The recorded pair of real servers over real HTTP, through the readers and the handler: what comes out is what the naive
 * twin makes of the recorded samples, with its known gaps.
 */
import { penalty, type Series } from "@promsplice/core";
import { afterEach, expect, test } from "vitest";

import { penaltyTwin, type Row } from "../../core/test/twins/penalty.ts";
import { remoteReader } from "../src/client.ts";
import { readHandler } from "../src/handler.ts";
import type { Query, Reader } from "../src/reader.ts";
import { splicedReader } from "../src/spliced-reader.ts";
import { SAMPLES_TYPE, startServer, stopServers, STREAMED_TYPE } from "./answering-server.ts";
import { readExchange, readRecording } from "./recording.ts";

afterEach(stopServers);

const METRICS: readonly (readonly [string, readonly number[]])[] = [
  ["up", [2239]],
  ["t_requests_total", [2239]],
  ["t_temp", [2239]],
  ["t_vanishing", [15_000, 13_239]],
];
const QUERY: Query = { startMs: -1e15, endMs: 1e15, matchers: [{ type: "=", name: "job", value: "t" }] };

/** A recorded replica as a reader over HTTP. */
async function recordedReader(metric: string, replica: string, kind: "chunks" | "samples"): Promise<Reader> {
  const body = readRecording(`ha-pair/${metric}.${replica}.${kind}.resp.bin`);
  const { url } = await startServer((response) => {
    response.writeHead(200, {
      "Content-Type": kind === "chunks" ? STREAMED_TYPE : SAMPLES_TYPE,
      ...(kind === "samples" ? { "Content-Encoding": "snappy" } : {}),
    });
    response.end(body);
  });
  return remoteReader({ url, name: replica });
}

async function recordedPair(
  metric: string,
  kinds: readonly ["chunks" | "samples", "chunks" | "samples"],
): Promise<Reader> {
  const readers = await Promise.all(["a", "b"].map((replica, index) => recordedReader(metric, replica, kinds[index]!)));
  return splicedReader(readers, { replicaLabels: ["replica"], strategy: penalty() });
}

async function gather(reader: Reader): Promise<Series[]> {
  const series: Series[] = [];
  for await (const one of reader.read(QUERY)) {
    series.push(one);
  }
  return series;
}

function linesOf({ blocks }: Series): string[] {
  return [...blocks].flatMap((block) => {
    const values = block.values();
    const view = new DataView(values.buffer, values.byteOffset, values.byteLength);
    return Array.from(block.timestamps(), (t, row) => `${t} ${view.getBigUint64(8 * row, true).toString(16)}`);
  });
}

/** The recorded samples of one replica, as rows of bits. */
function recordedRows(metric: string, replica: string): Row[] {
  const { results } = readExchange(`ha-pair/${metric}.${replica}.samples`).response.decoded!;
  return results![0]!.timeseries[0]!.samples.map(([t, , bits]) => ({
    t: Number(t),
    high: Number.parseInt(bits.slice(0, 8), 16),
    low: Number.parseInt(bits.slice(8), 16),
    histogram: undefined,
  }));
}

function expectedLines(metric: string): string[] {
  const replicas = ["a", "b"].map((replica) => recordedRows(metric, replica));
  return penaltyTwin(replicas, false).map(({ replica, row, t }) => {
    const { high, low } = replicas[replica]![row]!;
    return `${t} ${((BigInt(high) << 32n) | BigInt(low)).toString(16)}`;
  });
}

const KINDS = [
  ["chunks", "chunks"],
  ["samples", "samples"],
  ["samples", "chunks"],
] as const;

test.each(METRICS)(
  "%s of the recorded pair is spliced as the twin does it, with gaps of %j ms",
  async (metric, gaps) => {
    const expected = expectedLines(metric);
    const times = expected.map((line) => Number(line.split(" ")[0]));
    expect(times.slice(1).flatMap((t, index) => (t - times[index]! > 1500 ? [t - times[index]!] : []))).toEqual(gaps);
    for (const kinds of KINDS) {
      const series = await gather(await recordedPair(metric, kinds));
      expect(series.map(({ labels }) => labels.includes("replica"))).toEqual([false]);
      expect(linesOf(series[0]!)).toEqual(expected);
    }
  },
);

test.each(["STREAMED_XOR_CHUNKS", "SAMPLES"] as const)(
  "the spliced pair served by the handler and read again as %s is the same",
  async (responseType) => {
    for (const [metric] of METRICS) {
      const handle = readHandler(await recordedPair(metric, ["chunks", "chunks"]));
      const again = remoteReader({
        url: "http://handler.invalid/api/v1/read",
        responseTypes: [responseType],
        fetch: (url, init) => handle(new Request(url, init)),
      });
      const series = await gather(again);
      expect(series).toHaveLength(1);
      expect(linesOf(series[0]!)).toEqual(expectedLines(metric));
    }
  },
);
