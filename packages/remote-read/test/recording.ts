/** The recordings of real remote read, one name a request and its answer: see recordings/README.md. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";

import type { RecordedSampleHistogram } from "./plain-histogram.ts";

const folder = path.join(import.meta.dirname, "recordings");

/** A sample as the JSON has it: time, value for the eye, bits in hexadecimal. */
export type RecordedSample = readonly [string, unknown, string];

export interface RecordedChunk {
  readonly min: string;
  readonly max: string;
  readonly type: number;
  readonly len: number;
  readonly hex: string;
  readonly samples: readonly unknown[];
}

export interface RecordedFrame {
  readonly offset: number;
  readonly length: number;
  readonly crc32c: string;
  readonly query_index: string;
  readonly chunked_series: readonly { readonly labels: Pairs; readonly chunks: readonly RecordedChunk[] }[];
}

export type Pairs = readonly (readonly [string, string])[];

export interface RecordedSeries {
  readonly labels: Pairs;
  readonly samples: readonly RecordedSample[];
  readonly histograms: readonly RecordedSampleHistogram[];
}

export interface RecordedQuery {
  readonly start: string;
  readonly end: string;
  readonly matchers: readonly (readonly [string | number, string, string])[];
  readonly hints?: Readonly<Record<string, unknown>>;
}

export interface RecordedExchange {
  readonly request: {
    readonly method: string;
    readonly decoded?: {
      readonly queries: readonly RecordedQuery[];
      readonly accepted_response_types: readonly number[];
    };
  };
  readonly response: {
    readonly status: number;
    readonly headers: Pairs;
    readonly text?: string;
    readonly decoded?: {
      readonly results?: readonly { readonly timeseries: readonly RecordedSeries[] }[];
      readonly frames?: readonly RecordedFrame[];
      /** The server's error message behind the last frame, where there is one. */
      readonly rest?: string;
    };
  };
}

const FOLDERS = [
  "p242/samples",
  "p242/chunks",
  "p242/http",
  "p353/samples",
  "p353/chunks",
  "p353x/extlabels",
  "p314-xor2-st/samples",
  "p314-xor2-st/chunks",
  "ha-pair",
];

/** The names of all recorded exchanges, like `p353/chunks/rr_long`. */
export const exchangeNames: readonly string[] = FOLDERS.flatMap((name) => namesIn(name, ".json"));

/** Those of a successful answer of the one kind or the other. */
export const samplesNames: readonly string[] = exchangeNames.filter(
  (name) => readExchange(name).response.decoded?.results !== undefined,
);
export const chunksNames: readonly string[] = exchangeNames.filter(
  (name) => readExchange(name).response.decoded?.frames !== undefined,
);

export function readExchange(name: string): RecordedExchange {
  return readJson(`${name}.json`) as RecordedExchange;
}

/** A file of a recording as plain bytes, in a buffer of their own; none if there is no such file. */
export function readRecording(file: string): Uint8Array {
  const location = path.join(folder, file);
  return existsSync(location) ? Uint8Array.from(readFileSync(location)) : new Uint8Array(0);
}

export function readJson(file: string): unknown {
  return JSON.parse(readFileSync(path.join(folder, file), "utf8"));
}

/** What real clients sent, by the name of its file without `.req.bin`. */
export function readClientRequests(): Map<string, NonNullable<RecordedClientRequest["decoded"]>> {
  const requests = new Map<string, NonNullable<RecordedClientRequest["decoded"]>>();
  for (const name of namesIn("client-requests", ".json")) {
    const queries = readJson(`${name}.json`) as Record<string, { readonly requests: readonly RecordedClientRequest[] }>;
    for (const [query, recorded] of Object.entries(queries)) {
      for (const [index, { decoded }] of recorded.requests.entries()) {
        requests.set(`${name.replace(/\.more$/, "")}.${query}.${index}`, decoded);
      }
    }
  }
  return requests;
}

interface RecordedClientRequest {
  readonly decoded: { readonly queries: readonly RecordedQuery[]; readonly types: readonly number[] };
}

function namesIn(name: string, extension: string): string[] {
  return readdirSync(path.join(folder, name))
    .filter((file) => file.endsWith(extension))
    .toSorted()
    .map((file) => `${name}/${file.slice(0, -extension.length)}`);
}
