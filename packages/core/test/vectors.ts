/** Reads the recorded cases; see vectors/README.md. */
import { readFileSync } from "node:fs";
import { floatRow, histogramRow, STALE } from "./samples.ts";
import type { Row } from "./twins/penalty.ts";

type RecordedValue = number | string | { readonly h: number };

interface RecordedSeries {
  readonly t: readonly number[];
  readonly v: readonly RecordedValue[];
}

interface RecordedCase {
  readonly id: string;
  readonly strategy: string;
  readonly params?: { readonly counter?: boolean; readonly intervalMs?: number };
  readonly replicas: readonly RecordedSeries[];
  readonly expect: RecordedSeries;
}

export interface VectorCase {
  readonly id: string;
  readonly counter: boolean;
  readonly replicas: readonly (readonly Row[])[];
  readonly expected: readonly Row[];
}

const SPECIAL: ReadonlyMap<string, number | readonly [number, number]> = new Map<
  string,
  number | readonly [number, number]
>([
  ["stale", STALE],
  ["+Inf", Infinity],
  ["-Inf", -Infinity],
  ["-0", -0],
]);

function rowOf(t: number, value: RecordedValue): Row {
  if (typeof value === "object") {
    return histogramRow(t, value.h);
  }
  if (typeof value === "number") {
    return floatRow(t, value);
  }
  const special = SPECIAL.get(value);
  if (special !== undefined) {
    return floatRow(t, special);
  }
  const digits = value.slice(2).padStart(16, "0");
  return floatRow(t, [Number.parseInt(digits.slice(0, 8), 16), Number.parseInt(digits.slice(8), 16)]);
}

function rowsOf({ t, v }: RecordedSeries): Row[] {
  return t.map((time, row) => rowOf(time, v[row]!));
}

export function readLines<T>(file: string): T[] {
  return readFileSync(new URL(`vectors/${file}.jsonl`, import.meta.url), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as T);
}

function readCases(file: string, strategy: string): (VectorCase & { readonly intervalMs: number })[] {
  return readLines<RecordedCase>(file)
    .filter((recorded) => recorded.strategy === strategy)
    .map(({ id, params, replicas, expect }) => ({
      id,
      counter: params?.counter ?? false,
      intervalMs: params?.intervalMs ?? NaN,
      replicas: replicas.map((series) => rowsOf(series)),
      expected: rowsOf(expect),
    }));
}

/** The cases of `penalty` in one file. */
export function readPenaltyCases(file: string): VectorCase[] {
  return readCases(file, "penalty");
}

/** The cases of VictoriaMetrics' deduplication. */
export function readIntervalCases(): (VectorCase & { readonly intervalMs: number })[] {
  return readCases("strategies", "interval");
}

/** The cases of Prometheus' union. */
export function readChainCases(): VectorCase[] {
  return readCases("strategies", "chain");
}
