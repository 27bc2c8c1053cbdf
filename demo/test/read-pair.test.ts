/** Pairs that are not as they should be, read from readers at hand. */
import { columnsBlock, histogramBlock, type Series } from "@promsplice/core";
import { memoryReader, type Reader } from "@promsplice/remote-read";
import { describe, expect, it } from "vitest";
import { examinePair } from "../src/examine.ts";
import type { Pair } from "../src/pair.ts";
import { Problem } from "../src/problem.ts";
import { type PairQuery, PairReadingError, readPair } from "../src/read-pair.ts";
import { DEFAULT_CHOICE } from "../src/strategies.ts";
import { findSources, joinBlocks } from "../src/splice-pair.ts";
import { STALE_MARKER_BITS, viewBits } from "../src/stale-marker.ts";

const QUERY: PairQuery = {
  matchers: [{ type: "=~", name: "__name__", value: ".+" }],
  range: { fromMs: 0, toMs: 1e6 },
  replicaLabels: ["replica"],
  choice: DEFAULT_CHOICE,
  seriesMax: 100,
};
const PAIR: Pair = { title: "t", name: "t", story: [], intervalMs: undefined, clock: "elapsed" };

function seriesOf(name: string, replica: string, times: readonly number[], value = 1): Series {
  const timestamps = Float64Array.from(times);
  return {
    labels: ["__name__", name, "replica", replica],
    blocks: [columnsBlock({ timestamps, values: new Float64Array(times.length).fill(value) })],
  };
}

/** A reader that fails after its series. */
function failingReader(series: readonly Series[]): Reader {
  const inner = memoryReader(series, { name: "failing" });
  return {
    read: (query, options) => {
      const reading = inner.read(query, options);
      return {
        report: () => reading.report(),
        async *[Symbol.asyncIterator]() {
          yield* reading;
          throw new Error("disk is on fire");
        },
      };
    },
  };
}

const TIMES = [0, 1000, 2000, 3000];
const NAMES = ["a", "b", "c"];
const [ofA, ofB] = ["A", "B"].map((replica) => NAMES.map((name) => seriesOf(name, replica, TIMES)));

describe("a pair", () => {
  it("has its first series kept and all of them counted", async () => {
    const reading = await readPair([memoryReader(ofA!), memoryReader(ofB!)], { ...QUERY, seriesMax: 2 });
    expect(reading.series.map(({ labels, order }) => [labels[1], order])).toEqual([
      ["a", [0, 1]],
      ["b", [0, 1]],
    ]);
    expect(reading).toMatchObject({
      seriesDropped: 1,
      seriesOfBoth: 3,
      blocksSent: 6,
      firstAlone: [undefined, undefined],
    });
    expect(examinePair(PAIR, reading).seriesLeftOut).toBe(1);
  });

  it("is read although a replica lacks series, and says which ones came from one alone", async () => {
    const reading = await readPair([memoryReader(ofA!.slice(1)), memoryReader(ofB!.slice(0, 2))], QUERY);
    expect(reading.series.map(({ labels, order }) => [labels[1], order])).toEqual([
      ["a", [1]],
      ["b", [0, 1]],
      ["c", [0]],
    ]);
    expect(reading.firstAlone).toEqual([
      ["__name__", "c"],
      ["__name__", "a"],
    ]);
    const [first] = examinePair(PAIR, reading).series;
    expect(first!.replicas.map(({ coverage, columns }) => [coverage, columns.timestamps.length])).toEqual([
      [0, 0],
      [1, 4],
    ]);
  });

  it("with native histograms is not drawn, and the series is named", async () => {
    const histograms: Series = {
      labels: ["__name__", "h"],
      blocks: [histogramBlock(Float64Array.of(0, 1000), [1, 2])],
    };
    await expect(readPair([memoryReader([histograms]), memoryReader([])], QUERY)).rejects.toThrow(
      new Problem("h holds native histograms, which are not drawn here: leave it out of the selector"),
    );
  });

  it("is read where a replica fails in the middle, with what had come before", async () => {
    const reading = await readPair([memoryReader(ofA!), failingReader(ofB!.slice(0, 2))], QUERY);
    expect(reading.series.map(({ order }) => order)).toEqual([[0, 1], [0, 1], [0]]);
    expect(reading.report.replicas.map(({ error }) => error?.message)).toEqual([undefined, "disk is on fire"]);
  });

  it("is read where a series of a replica cannot be decoded, from there on without the replica", async () => {
    const broken: Series = {
      labels: ofB![1]!.labels,
      blocks: {
        [Symbol.iterator]: () => {
          throw new Error("no chunk");
        },
      },
    };
    const reader: Reader = {
      read: () => ({
        report: () => ({
          series: 3,
          united: 0,
          bytes: 0,
          blocksDecoded: 0,
          blocksPassedOn: 0,
          replicas: [{ name: "broken", isUnverifiable: false }],
        }),
        async *[Symbol.asyncIterator]() {
          yield* [ofB![0]!, broken, ofB![2]!];
        },
      }),
    };
    const reading = await readPair([memoryReader(ofA!), reader], QUERY);
    expect(reading.series.map(({ labels, order }) => [labels[1], order])).toEqual([
      ["a", [0, 1]],
      ["b", [0]],
      ["c", [0]],
    ]);
    expect(reading.report.replicas[1]).toMatchObject({ leftOutFrom: "b" });
  });

  it("of which both replicas fail is an error that has the report", async () => {
    const failed = readPair([failingReader([]), failingReader([])], QUERY);
    await expect(failed).rejects.toBeInstanceOf(PairReadingError);
    const error = await failed.catch((caught: PairReadingError) => caught);
    expect((error as PairReadingError).report.replicas).toHaveLength(2);
  });

  it("whose servers hold several replicas each is a problem that is named", async () => {
    const both = memoryReader([...ofA!, ...ofB!]);
    const failed = readPair([both, memoryReader(ofB!)], QUERY);
    await expect(failed).rejects.toBeInstanceOf(Problem);
    await expect(failed).rejects.toThrow("one server holds several replicas of a: give servers that hold one");
  });

  it("is drawn without the series that have a single sample", async () => {
    const reading = await readPair([memoryReader([seriesOf("a", "A", [5])]), memoryReader(ofB!.slice(1))], QUERY);
    const report = examinePair(PAIR, reading);
    expect(report.series.map(({ labels }) => labels[1])).toEqual(["b", "c"]);
    expect(report.seriesLeftOut).toBe(1);
  });
});

describe("an answer", () => {
  const columns = joinBlocks([...seriesOf("a", "A", TIMES).blocks]);
  const spliced = { ...columns, replicas: Uint8Array.of(0, 0, 1, 1) };

  it("is given the replicas of the same samples", () => {
    expect(findSources(joinBlocks([...seriesOf("a", "A", TIMES).blocks]), spliced)).toEqual(spliced);
  });

  it("that differs in a time, in a bit or in length is no answer of these replicas", () => {
    const otherTime = joinBlocks([...seriesOf("a", "A", [0, 1000, 2000, 3001]).blocks]);
    expect(() => findSources(otherTime, spliced)).toThrow("sample 3 of the answer is not the one");
    const otherBits = joinBlocks([...seriesOf("a", "A", TIMES, Number.NaN).blocks]);
    viewBits(otherBits).set([STALE_MARKER_BITS], 1);
    const markers = joinBlocks([...seriesOf("a", "A", TIMES, Number.NaN).blocks]);
    expect(() => findSources(otherBits, { ...markers, replicas: spliced.replicas })).toThrow("sample 1 of the answer");
    const shorter = joinBlocks([...seriesOf("a", "A", TIMES.slice(1)).blocks]);
    expect(() => findSources(shorter, spliced)).toThrow("the answer has 3 samples, expected 4");
  });
});
