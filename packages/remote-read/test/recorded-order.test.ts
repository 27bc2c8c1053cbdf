/**
 * The recordings of a server with external labels, which sorted before it merged them in: read with and without `replica` in
 * the order, they are everything, sorted, and no set twice.
 */
import { compareLabelSets } from "@promsplice/core";
import { afterEach, describe, expect, test } from "vitest";

import { answerWhole, SAMPLES_TYPE, stopServers, STREAMED_TYPE } from "./answering-server.ts";
import { EVERYTHING, readFrom } from "./client-exchange.ts";
import { plainRecorded, plainSample } from "./plain-histogram.ts";
import { chunksNames, readExchange, readRecording, type RecordedSample, samplesNames } from "./recording.ts";
import { expectSortedOrRefused, histogramRow, type Sent } from "./sorted-twin.ts";
import type { ClientRow } from "./strict-client.ts";
import type { RecordedHistogram } from "./vectors.ts";

afterEach(stopServers);

/** The series of a recording as its JSON has them. */
function sentIn(name: string): Sent[] {
  const { frames, results } = readExchange(name).response.decoded!;
  const series =
    results === undefined
      ? frames!
          .flatMap(({ chunked_series }) => chunked_series)
          .map(({ labels, chunks }) => ({
            labels,
            rows: chunks.flatMap(({ type, samples }) =>
              type === 1
                ? (samples as RecordedSample[]).map(floatRow)
                : (samples as RecordedHistogram[]).map((sample) => histogramRow(plainRecorded(sample))),
            ),
          }))
      : results.flatMap(({ timeseries }) =>
          timeseries.map(({ labels, samples, histograms }) => ({
            labels,
            rows: [...samples.map(floatRow), ...histograms.map((sample) => histogramRow(plainSample(sample)))],
          })),
        );
  return series.map(({ labels, rows }) => ({ labels: labels.toSorted(compareLabelSets).flat(), rows }));
}

function floatRow([timeMs, , bits]: RecordedSample): ClientRow {
  return [Number(timeMs), bits];
}

describe("the recordings of a server with external labels", () => {
  const names = [...chunksNames, ...samplesNames].filter((name) => name.startsWith("p353x/extlabels/"));

  test("are all there", () => {
    expect(names.length).toBeGreaterThanOrEqual(20);
    expect(names.some((name) => sentIn(name).length > 10)).toBe(true);
  });

  test.each(names)("%s: are read sorted and complete with and without `replica`", async (name) => {
    const body = readRecording(`${name}.resp.bin`);
    const answer = answerWhole(body, readExchange(name).response.decoded!.results ? SAMPLES_TYPE : STREAMED_TYPE);
    for (const orderWithout of [[], ["replica"]]) {
      for (const isAlone of [false, true]) {
        const outcome = await readFrom(answer, {}, EVERYTHING, { orderWithout, isAlone });
        expect(expectSortedOrRefused(outcome, sentIn(name), orderWithout)).toBe("sorted");
      }
    }
  });
});
