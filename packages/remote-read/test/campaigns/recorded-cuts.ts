/** The recordings of a real pair that are cut, and every cut of them. */
import { compareLabelSets, formatLabelSet } from "@promsplice/core";
import { expect } from "vitest";

import type { Cut } from "../answering-server.ts";
import { spliceNaively } from "../naive-splice.ts";
import { readExchange, readRecording, type RecordedSample } from "../recording.ts";
import type { ClientRow } from "../strict-client.ts";

export const NAMES = ["a", "b"];
/** Replicas as bits: the first, the second, both. */
export const FIRST = 1;
export const SECOND = 2;

/** How a cut is told; `clean` not at all: by all that HTTP says the body ends there. */
export type Way = Cut | "clean";
export const WAYS: readonly Way[] = ["content-length", "chunked", "reset", "clean"];

/** What one replica answers. */
export interface Recorded {
  readonly body: Uint8Array;
  readonly isSamples: boolean;
  /** The offset behind each frame; none of samples. */
  readonly ends: readonly number[];
  /** In order. */
  readonly series: readonly RecordedSeries[];
}

interface RecordedSeries {
  /** Without `replica`. */
  readonly labels: readonly string[];
  readonly rows: readonly ClientRow[];
}

/** A recorded pair; both hold the same series. */
export interface Pair {
  readonly replicas: readonly Recorded[];
  /** Of each series its labels as reports have them, and as a client sees it if it is of these replicas, given as bits. */
  readonly series: readonly { readonly name: string; readonly seen: readonly string[] }[];
}

export interface CutPlace {
  readonly offset: number;
  readonly way: Way;
}

export const PAIRS = ["t_lat_bucket.*.chunks", "t_requests_total.*.samples"].map(readPair);

/** Every cut: each byte of each recording in each way. */
const EVERY_CUT = PAIRS.flatMap((pair) =>
  pair.replicas.flatMap(({ body }, side) =>
    Array.from({ length: body.length }, (_, offset) => offset).flatMap((offset) =>
      WAYS.map((way) => ({ pair, side, offset, way })),
    ),
  ),
);
/** Those that cannot be seen are few: they come more often, so that short runs meet some. */
export const CUTS = [
  ...EVERY_CUT,
  ...Array.from({ length: 50 }, () => EVERY_CUT.filter((cut) => isUnseen(cut.pair.replicas[cut.side]!, cut))).flat(),
];

export function isUnseen({ ends, isSamples }: Recorded, { offset, way }: CutPlace): boolean {
  return way === "clean" && !isSamples && (offset === 0 || ends.includes(offset));
}

function readPair(pattern: string): Pair {
  const replicas = NAMES.map((name) => readRecorded(`ha-pair/${pattern.replace("*", name)}`));
  const series = replicas[0]!.series.map(({ labels }, index) => {
    const mine = replicas.map((replica) => replica.series[index]!);
    expect(mine.map((one) => one.labels)).toEqual([labels, labels]);
    const rows = mine.map((one) => one.rows);
    const seen = [[], [rows[0]!], [rows[1]!], rows].map((some) =>
      JSON.stringify([labels.join(" "), spliceNaively(some)]),
    );
    return { name: formatLabelSet(labels), seen };
  });
  expect(replicas[1]!.series).toHaveLength(series.length);
  return { replicas, series };
}

function readRecorded(name: string): Recorded {
  const body = readRecording(`${name}.resp.bin`);
  const { frames, results } = readExchange(name).response.decoded!;
  const recorded = frames?.flatMap(({ chunked_series }) => chunked_series) ?? results![0]!.timeseries;
  const series = recorded.map((one): RecordedSeries => {
    const samples = "chunks" in one ? one.chunks.flatMap((chunk) => chunk.samples) : one.samples;
    return {
      labels: one.labels.filter(([label]) => label !== "replica").flat(),
      rows: (samples as readonly RecordedSample[]).map(([t, , bits]) => [Number(t), bits]),
    };
  });
  return {
    body,
    isSamples: frames === undefined,
    ends: frames === undefined ? [] : [...frames.slice(1).map(({ offset }) => offset), body.length],
    series: series.toSorted((one, other) => compareLabelSets(one.labels, other.labels)),
  };
}
