/**
 * The samples that a server holds, from the text of `promtool tsdb dump`: one sample a line, stale markers as `NaN` (the
 * JSON API hides them, but `penalty` counts them). Native histograms are as the server's own JSON API shows them.
 */
import { cpSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type { Row } from "../../../core/test/twins/penalty.ts";
import type { JsonHistogram, PrometheusServer } from "./prometheus.ts";

/** A row with what PromQL shows of it: a number or a histogram; nothing of a stale marker. */
export interface HeldRow extends Row {
  readonly shown: number | JsonHistogram | undefined;
}

/** Rows by series; a series is its labels as sorted JSON pairs. */
export type Dump = ReadonlyMap<string, readonly HeldRow[]>;

const COPIES_MAX = 5;

/**
 * What a running server holds, all of it no older than some time. Its files are copied while it writes, so a copy may be torn:
 * then another is made.
 */
export async function dumpServer(server: PrometheusServer, directory: string, seconds: number): Promise<Dump> {
  for (let copies = 1; ; copies++) {
    const copy = join(mkdtempSync(join(directory, "copy-")), "data");
    try {
      cpSync(server.dataDirectory, copy, { recursive: true, filter: (path) => !path.endsWith("/lock") });
      return readDump(server.dump(copy), await histogramsOf(server, seconds));
    } catch (error) {
      if (copies === COPIES_MAX) {
        throw error;
      }
      await sleep(300);
    }
  }
}

/** Native histograms by series and time in ms. */
type Histograms = ReadonlyMap<string, ReadonlyMap<number, JsonHistogram>>;

async function histogramsOf(server: PrometheusServer, seconds: number): Promise<Histograms> {
  const { data } = await server.query(`{job=~".+"}[${seconds}s]`, Date.now());
  return new Map(
    data!.result.map(({ metric, histograms = [] }) => [
      seriesKey(metric),
      new Map(histograms.map(([timeSeconds, histogram]) => [Math.round(1000 * timeSeconds), histogram])),
    ]),
  );
}

/** @throws Error if a line is not `{labels} value time`, or a histogram in it is not among the others. */
function readDump(text: string, histograms: Histograms): Dump {
  const dump = new Map<string, HeldRow[]>();
  for (const [index, line] of text
    .split("\n")
    .filter((one) => one !== "")
    .entries()) {
    const parts = /^\{(.*?)\} (\{.*\}|\S+) (-?\d+)$/u.exec(line);
    if (parts === null) {
      throw new Error(`not a line of a dump: ${line}`);
    }
    const key = seriesKey(readLabels(parts[1]!));
    const t = Number(parts[3]);
    const row = parts[2]!.startsWith("{")
      ? readHistogram(t, index, parts[2]!, histograms.get(key)?.get(t))
      : readFloat(t, parts[2]!);
    const rows = dump.get(key) ?? [];
    dump.set(key, rows);
    rows.push(row);
  }
  for (const rows of dump.values()) {
    rows.sort((one, other) => one.t - other.t);
  }
  return dump;
}

function readFloat(t: number, text: string): HeldRow {
  if (text === "NaN") {
    return { t, ...STALE, histogram: undefined, shown: undefined };
  }
  const words = new Uint32Array(Float64Array.of(Number(text)).buffer);
  return { t, high: words[1]!, low: words[0]!, histogram: undefined, shown: Number(text) };
}

function readHistogram(t: number, number: number, text: string, shown: JsonHistogram | undefined): HeldRow {
  if (text === "{count:0, sum:NaN}") {
    return { t, ...STALE, histogram: number, shown: undefined };
  }
  if (shown === undefined) {
    throw new Error(`the server does not show its histogram ${text} at ${t}`);
  }
  return { t, high: 0, low: 0, histogram: number, shown };
}

const STALE = { high: 0x7ff0_0000, low: 2 };

/** One text a label set. */
export function seriesKey(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

function readLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [, quotedName, name, value] of text.matchAll(/(?:("(?:[^"\\]|\\.)*")|(\w+))=("(?:[^"\\]|\\.)*")/gu)) {
    labels[quotedName === undefined ? name! : (JSON.parse(quotedName) as string)] = JSON.parse(value!) as string;
  }
  return labels;
}
