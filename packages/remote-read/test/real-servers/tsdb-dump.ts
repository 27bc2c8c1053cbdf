/**
 * The samples that a server holds, from the text of `promtool tsdb dump`: one sample a line, stale markers as `NaN` (the
 * JSON API hides them, but `penalty` counts them).
 */
import { cpSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type { Row } from "../../../core/test/twins/penalty.ts";
import type { PrometheusServer } from "./prometheus.ts";

/** Rows by series; a series is its labels as sorted JSON pairs. */
export type Dump = ReadonlyMap<string, readonly Row[]>;

const COPIES_MAX = 5;

/** What a running server holds. Its files are copied while it writes, so a copy may be torn: then another is made. */
export async function dumpServer(server: PrometheusServer, directory: string): Promise<Dump> {
  for (let copies = 1; ; copies++) {
    const copy = join(mkdtempSync(join(directory, "copy-")), "data");
    try {
      cpSync(server.dataDirectory, copy, { recursive: true, filter: (path) => !path.endsWith("/lock") });
      return readDump(server.dump(copy));
    } catch (error) {
      if (copies === COPIES_MAX) {
        throw error;
      }
      await sleep(300);
    }
  }
}

/** @throws Error if a line is not `{labels} value time`. */
function readDump(text: string): Dump {
  const dump = new Map<string, Row[]>();
  const words = new Uint32Array(2);
  const double = new Float64Array(words.buffer);
  for (const line of text.split("\n").filter((one) => one !== "")) {
    const parts = /^\{(.*)\} (\S+) (-?\d+)$/u.exec(line);
    if (parts === null) {
      throw new Error(`not a line of a dump: ${line}`);
    }
    const key = seriesKey(readLabels(parts[1]!));
    const rows = dump.get(key) ?? [];
    dump.set(key, rows);
    if (parts[2] === "NaN") {
      rows.push({ t: Number(parts[3]), ...STALE, histogram: undefined });
    } else {
      double[0] = Number(parts[2]);
      rows.push({ t: Number(parts[3]), high: words[1]!, low: words[0]!, histogram: undefined });
    }
  }
  for (const rows of dump.values()) {
    rows.sort((one, other) => one.t - other.t);
  }
  return dump;
}

const STALE = { high: 0x7ff0_0000, low: 2 };

export function isStale({ high, low }: Row): boolean {
  return high === STALE.high && low === STALE.low;
}

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
