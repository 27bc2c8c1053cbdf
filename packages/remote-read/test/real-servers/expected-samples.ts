/** What PromQL must see of replicas whose data was dumped, by the naive twin; and what it does see. */
import { expect } from "vitest";

import { penaltyTwin, type Row } from "../../../core/test/twins/penalty.ts";
import type { JsonSeries } from "./prometheus.ts";
import { type Dump, isStale, seriesKey } from "./tsdb-dump.ts";

/** What the twin makes of a pair's data between two instants, both inclusive: rows by series. */
export function spliceDumps(dumps: readonly Dump[], startMs: number, lastMs: number): Map<string, Row[]> {
  const spliced = new Map<string, Row[]>();
  for (const key of new Set(dumps.flatMap((dump) => [...dump.keys()]))) {
    const replicas = dumps
      .map((dump) => (dump.get(key) ?? []).filter(({ t }) => t >= startMs && t <= lastMs))
      .filter((rows) => rows.length > 0);
    const rows = penaltyTwin(replicas, false).map(({ replica, row }) => replicas[replica]![row]!);
    if (rows.length > 0) {
      spliced.set(key, rows);
    }
  }
  return spliced;
}

/** Time in ms and value of each row that PromQL sees: it hides stale markers. */
export function visible(rows: readonly Row[]): [number, number][] {
  return rows.filter((row) => !isStale(row)).map((row) => [row.t, valueOf(row)]);
}

const words = new Uint32Array(2);
const double = new Float64Array(words.buffer);

export function valueOf({ high, low }: Row): number {
  words[0] = low;
  words[1] = high;
  return double[0]!;
}

/** The series of a selector, as the twin has them. */
export function select(spliced: ReadonlyMap<string, readonly Row[]>, wanted: Readonly<Record<string, string>>) {
  return new Map(
    [...spliced].filter(([key]) => {
      const labels = new Map(JSON.parse(key) as [string, string][]);
      return Object.entries(wanted).every(([name, value]) => labels.get(name) === value);
    }),
  );
}

/** An answer's series by label set. Fails if one comes twice. */
export function bySeries(result: readonly JsonSeries[]): Map<string, [number, number][]> {
  const series = new Map<string, [number, number][]>();
  for (const { metric, value, values } of result) {
    const key = seriesKey(metric);
    expect(series.has(key), `${key} comes twice`).toBe(false);
    const samples = values ?? [value!];
    series.set(
      key,
      samples.map(([seconds, text]) => [Math.round(seconds * 1000), Number(text)]),
    );
  }
  return series;
}

/** The key of the same labels without the metric's name, as functions give them back. */
export function withoutName(key: string): string {
  const labels = JSON.parse(key) as [string, string][];
  return JSON.stringify(labels.filter(([name]) => name !== "__name__"));
}
