/** What PromQL must see of replicas whose data was dumped, by the naive twin; and what it does see. */
import { expect } from "vitest";

import { penaltyTwin } from "../../../core/test/twins/penalty.ts";
import type { JsonHistogram, JsonSeries } from "./prometheus.ts";
import { type Dump, type HeldRow, seriesKey } from "./tsdb-dump.ts";

/** What the twin makes of a pair's data between two instants, both inclusive: rows by series. */
export function spliceDumps(dumps: readonly Dump[], startMs: number, lastMs: number): Map<string, SplicedRow[]> {
  const spliced = new Map<string, SplicedRow[]>();
  for (const key of new Set(dumps.flatMap((dump) => [...dump.keys()]))) {
    const all = dumps.map((dump) => (dump.get(key) ?? []).filter(({ t }) => t >= startMs && t <= lastMs));
    // The twin knows nothing of replicas without a row.
    const present = all.flatMap((rows, replica) => (rows.length > 0 ? [replica] : []));
    const shown = penaltyTwin(
      present.map((replica) => all[replica]!),
      false,
    );
    if (shown.length > 0) {
      spliced.set(
        key,
        shown.map(({ replica, row }) => ({ ...all[present[replica]!]![row]!, replica: present[replica]! })),
      );
    }
  }
  return spliced;
}

/** A row and the replica that it is of. */
export interface SplicedRow extends HeldRow {
  readonly replica: number;
}

/** Time in ms, and a number or a histogram. */
export type VisibleSample = [number, number | JsonHistogram];

/** Each row that PromQL shows: it hides stale markers. Old ones do not know histograms. */
export function visible(rows: readonly HeldRow[], hasHistograms: boolean): VisibleSample[] {
  return rows.flatMap(({ t, histogram, shown }): VisibleSample[] =>
    shown === undefined || (histogram !== undefined && !hasHistograms) ? [] : [[t, shown]],
  );
}

/** What PromQL shows of the newest row: nothing if that is a stale marker. */
export function newest(rows: readonly HeldRow[], hasHistograms: boolean): HeldRow["shown"] {
  return rows.findLast(({ histogram }) => histogram === undefined || hasHistograms)?.shown;
}

/** The series of a selector, as the twin has them. */
export function select<T>(
  spliced: ReadonlyMap<string, readonly T[]>,
  wanted: Readonly<Record<string, string>>,
): Map<string, readonly T[]> {
  return new Map(
    [...spliced].filter(([key]) => {
      const labels = new Map(JSON.parse(key) as [string, string][]);
      return Object.entries(wanted).every(([name, value]) => labels.get(name) === value);
    }),
  );
}

/** An answer's series by label set. Fails if one comes twice. */
export function bySeries(result: readonly JsonSeries[]): Map<string, VisibleSample[]> {
  const series = new Map<string, VisibleSample[]>();
  for (const { metric, value, values, histogram, histograms } of result) {
    const key = seriesKey(metric);
    expect(series.has(key), `${key} comes twice`).toBe(false);
    const floats = values ?? (value === undefined ? [] : [value]);
    const others = histograms ?? (histogram === undefined ? [] : [histogram]);
    const samples = [
      ...floats.map(([seconds, text]): VisibleSample => [Math.round(seconds * 1000), Number(text)]),
      ...others.map(([seconds, shown]): VisibleSample => [Math.round(seconds * 1000), shown]),
    ];
    series.set(
      key,
      samples.toSorted(([one], [other]) => one - other),
    );
  }
  return series;
}

/** The key of the same labels without the metric's name, as functions give them back. */
export function withoutName(key: string): string {
  const labels = JSON.parse(key) as [string, string][];
  return JSON.stringify(labels.filter(([name]) => name !== "__name__"));
}
