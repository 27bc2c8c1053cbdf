/** Chunks of all kinds with what is in them, from Prometheus' own appenders and out of the recordings. */
import { readJson } from "./recording.ts";

/** A row as the vectors and the recordings have it; numbers are decimal, bits hexadecimal. */
export interface VectorRow {
  readonly st?: string;
  readonly t: string;
  readonly bits?: string;
  readonly sumBits?: string;
  readonly counterResetHint?: string;
  readonly schema?: number;
  readonly zeroThreshold?: string;
  readonly count?: string;
  readonly zeroCount?: string;
  readonly positiveSpans?: readonly (readonly [number, number])[];
  readonly negativeSpans?: readonly (readonly [number, number])[];
  readonly positiveDeltas?: readonly string[];
  readonly negativeDeltas?: readonly string[];
  readonly positiveCounts?: readonly string[];
  readonly negativeCounts?: readonly string[];
  readonly customValues?: readonly string[];
}

export interface Vector {
  readonly name: string;
  readonly encoding: number;
  readonly hex: string;
  readonly appended: readonly VectorRow[] | null;
  readonly decoded: readonly VectorRow[] | null;
}

/** A histogram as the recorded chunks have it. */
export interface RecordedHistogram {
  readonly st?: string;
  readonly t: string;
  readonly stale?: boolean;
  readonly hint: string;
  readonly sum: string;
  readonly schema?: number;
  readonly zt?: number;
  readonly ps?: readonly (readonly [number, number])[];
  readonly ns?: readonly (readonly [number, number])[];
  readonly cv?: readonly number[];
  readonly cnt?: string | number;
  readonly z?: string | number;
  readonly pb?: readonly (string | number)[];
  readonly nb?: readonly (string | number)[];
}

export interface RealChunk {
  readonly sources: readonly string[];
  readonly encoding: number;
  readonly min_time_ms: string;
  readonly max_time_ms: string;
  readonly hex: string;
  readonly samples: readonly (RecordedHistogram & { readonly bits?: string })[];
}

export interface FixtureChunk {
  readonly source: string;
  readonly encoding: number;
  readonly min_time_ms: string;
  readonly max_time_ms: string;
  readonly hex: string;
  readonly numSamples: number;
  readonly first: RecordedHistogram & { readonly bits?: string };
  readonly last: RecordedHistogram & { readonly bits?: string };
}

/** 97 chunks written by the appenders of Prometheus 3.14. */
export const vectors = readJson("vectors/vectors-3.14.0.json") as readonly Vector[];

/** 92 chunks out of the recordings. */
export const realChunks = readJson("vectors/real-chunks.json") as readonly RealChunk[];

/** The 8 chunks of upstream's own read handler test. */
export const fixtureChunks = readJson("vectors/prometheus-test-fixtures.json") as readonly FixtureChunk[];
