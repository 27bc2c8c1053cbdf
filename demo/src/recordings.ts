/**
 * The recorded pair: four metrics of one target as two real Prometheus servers held them (see recordings/README.md).
 *
 *     { "metric": "up", "replicas": [ { "labels": ["__name__", "up", …], "samples": [[1795370117980, "3ff0000000000000"], …] }, … ] }
 *
 * A value is the sixteen hexadecimal digits of its IEEE-754 bits, since a stale marker does not survive as a JSON number.
 */
import { readFileSync } from "node:fs";
import { columnsBlock, type Series } from "@promsplice/core";
import type { StoredPair } from "./pair.ts";

interface RecordedReplica {
  /** Name, value, name, value …, names in order. */
  readonly labels: readonly string[];
  /** Time in milliseconds, and the bits of the value. */
  readonly samples: readonly (readonly [number, string])[];
}

interface Recording {
  readonly metric: string;
  /** Replica a, then replica b. */
  readonly replicas: readonly RecordedReplica[];
}

/** The metrics, in the order of their names. */
const METRICS = ["t_requests_total", "t_temp", "t_vanishing", "up"];

/** Reads the recordings from the folder beside this one. Throws as `readFileSync` and `JSON.parse` do. */
export function readRecordedPair(): StoredPair {
  const recordings = METRICS.map(readRecording);
  return {
    title: "Recorded: two Prometheus servers, one target scraped every second for 90 s",
    name: "recorded",
    story: [
      "B was down for 20 s, then A for 14 s. The target restarted once, and one of",
      "its series (t_vanishing) was gone for 15 s.",
    ],
    intervalMs: 1000,
    clock: "elapsed",
    selector: '{cluster="c1", job="t"}',
    servers: [0, 1].map((server) => recordings.map((recording) => readSeries(recording.replicas[server]!))),
  };
}

function readRecording(metric: string): Recording {
  const text = readFileSync(new URL(`../recordings/${metric}.json`, import.meta.url), "utf8");
  const recording: Recording = JSON.parse(text);
  return recording;
}

function readSeries({ labels, samples }: RecordedReplica): Series {
  const timestamps = Float64Array.from(samples, ([timestampMs]) => timestampMs);
  const values = new Float64Array(samples.length);
  const bits = new BigUint64Array(values.buffer);
  for (const [row, [, hex]] of samples.entries()) {
    bits[row] = BigInt(`0x${hex}`);
  }
  return { labels, blocks: [columnsBlock({ timestamps, values })] };
}
