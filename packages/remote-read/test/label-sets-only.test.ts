/** Queries of which only the label sets are wanted (`hints.func` is `series`): no server sends samples for them. */
import { type LabelSet, penalty } from "@promsplice/core";
import { afterEach, expect, test } from "vitest";

import { remoteReader } from "../src/client.ts";
import { readHandler } from "../src/handler.ts";
import { memoryReader } from "../src/memory-reader.ts";
import type { Query, Reader } from "../src/reader.ts";
import type { ResponseType } from "../src/read-exchange.ts";
import { ReadResponseEncoder } from "../src/read-response.ts";
import { splicedReader } from "../src/spliced-reader.ts";
import { compressSnappy } from "../src/wire/snappy.ts";
import { answerWhole, SAMPLES_TYPE, startServer, stopServers } from "./answering-server.ts";
import { blockOf, seriesOf, steadyRows } from "./read-exchange.ts";

afterEach(stopServers);

const QUERY: Query = {
  startMs: 0,
  endMs: 1e9,
  matchers: [{ type: "=~", name: "__name__", value: ".+" }],
  hints: { stepMs: 0, func: "series", startMs: 0, endMs: 1e9, grouping: [], by: false, rangeMs: 0 },
};

/** A server that has these series and, as Prometheus does here, sends them without samples. */
async function serverOf(labelSets: readonly LabelSet[]): Promise<{ reader: Reader; types: () => readonly number[][] }> {
  const encoder = new ReadResponseEncoder();
  encoder.startResult();
  for (const labels of labelSets) {
    encoder.writeSeries(labels, []);
  }
  const server = await startServer(answerWhole(compressSnappy(encoder.finish()), SAMPLES_TYPE));
  return {
    reader: remoteReader({ url: server.url }),
    types: () => server.requests.map(({ message }) => [...message.acceptedResponseTypes]),
  };
}

async function labelSetsOf(reader: Reader): Promise<LabelSet[]> {
  const labelSets: LabelSet[] = [];
  for await (const { labels, blocks } of reader.read(QUERY)) {
    expect([...blocks]).toEqual([]);
    labelSets.push(labels);
  }
  return labelSets;
}

/** A reader of the handler over this one. */
function throughHandler(reader: Reader, responseTypes: readonly ResponseType[]): Reader {
  const handle = readHandler(reader);
  return remoteReader({
    url: "http://handler.invalid/read",
    responseTypes,
    fetch: (url, init) => handle(new Request(url, init)),
  });
}

const A: readonly LabelSet[] = [
  ["__name__", "m", "replica", "A"],
  ["__name__", "up", "replica", "A"],
];
const B: readonly LabelSet[] = [
  ["__name__", "n", "replica", "B"],
  ["__name__", "up", "replica", "B"],
];
const SPLICED: readonly LabelSet[] = [
  ["__name__", "m"],
  ["__name__", "n"],
  ["__name__", "up"],
];

test("the label sets of a pair come through both ways, without a sample", async () => {
  const [a, b] = [await serverOf(A), await serverOf(B)];
  const pair = splicedReader([a.reader, b.reader], { replicaLabels: ["replica"], strategy: penalty() });
  expect(await labelSetsOf(pair)).toEqual(SPLICED);
  expect(await labelSetsOf(throughHandler(pair, ["STREAMED_XOR_CHUNKS", "SAMPLES"]))).toEqual(SPLICED);
  // A stream could not carry them, so nobody is asked for one.
  expect(a.types()).toEqual([[0], [0]]);
});

test("series that have samples are served without them", async () => {
  const reader = memoryReader([seriesOf("__name__=up", blockOf(steadyRows(0, 3)))]);
  expect(await labelSetsOf(throughHandler(reader, ["STREAMED_XOR_CHUNKS", "SAMPLES"]))).toHaveLength(1);
});
