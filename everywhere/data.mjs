/** Collects what the suite checks from the recordings of both packages' tests, rows written as `suite/rows.mjs` writes them. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { bitsOf } from "./suite/bits.mjs";
import { histogramText } from "./suite/rows.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const recordings = path.join(root, "packages/remote-read/test/recordings");
const readJson = (file) => JSON.parse(readFileSync(path.join(recordings, file), "utf8"));

const HINTS = { unknown: 0, reset: 1, notreset: 2, gauge: 3 };

/** What no fresh appender writes. */
const REOPENED = "XOR/21-reopened-appender";

/** How many there are of each: less would be checked, and nothing would say so. */
const COUNTS = { chunks: 97 + 92 + 8, histogramSeries: 80, cases: 1500 + 6 + 300, recordings: 174 };

/** All as plain data. Throws if not all is there. */
export function collectData() {
  const histogramSeries = readJson("vectors/histogram-series.json");
  const data = { chunks: collectChunks(), histogramSeries, cases: collectCases(), recordings: collectAnswers() };
  for (const [name, count] of Object.entries(COUNTS)) {
    if (data[name].length !== count) {
      throw new Error(`there are ${data[name].length} ${name}, expected ${count}`);
    }
  }
  return data;
}

function collectChunks() {
  const vectors = readJson("vectors/vectors-3.14.0.json").map(({ name, encoding, hex, decoded }) => ({
    ...chunkOf(name, encoding, hex, decoded ?? [], vectorText),
    ...(encoding < 4 && decoded !== null && name !== REOPENED ? { again: [withoutFlags(encoding, hex)] } : {}),
  }));
  const real = readJson("vectors/real-chunks.json").map(({ sources, encoding, hex, samples }) => ({
    ...chunkOf(sources[0], encoding, hex, samples, recordedText),
    ...(encoding < 4 ? { again: oldOrNew(withoutFlags(encoding, hex)) } : {}),
  }));
  const fixtures = readJson("vectors/prometheus-test-fixtures.json").map(
    ({ source, encoding, hex, numSamples, first, last }) => ({
      ...chunkOf(source, encoding, hex, [first, last], recordedText),
      count: numSamples,
      again: oldOrNew(withoutFlags(encoding, hex)),
    }),
  );
  return [...vectors, ...real, ...fixtures];
}

function chunkOf(name, encoding, hex, rows, textOf) {
  const outside = rows.findIndex(({ t }) => BigInt(t) > 2n ** 53n || BigInt(t) < -(2n ** 53n));
  const times = outside < 0 && rows.length > 0 ? rows.map(({ t }) => Number(t)) : [0];
  const [minMs, maxMs] = [Math.min(...times), Math.max(...times)];
  let reason;
  if (outside >= 0) {
    reason = `row ${outside}: time ${rows[outside].t} is outside ±2^53`;
  } else if (times[0] !== minMs || times.at(-1) !== maxMs) {
    reason = `chunk claims times ${minMs} to ${maxMs}, its samples are at ${times[0]} to ${times.at(-1)}`;
  }
  return {
    name,
    encoding,
    hex,
    minMs,
    maxMs,
    error: reason === undefined ? undefined : `chunk-malformed: ${reason}`,
    rows: rows.map(textOf),
    starts: rows.map(({ st }) => st ?? "0"),
  };
}

/** Old servers append a byte 0. */
function oldOrNew(hex) {
  return [hex, hex.replace(/00$/, "")];
}

/** The header's flags are about the chunk before, unless they say that it is of a gauge. */
function withoutFlags(encoding, hex) {
  return encoding === 1 || hex.startsWith("c0", 4) ? hex : `${hex.slice(0, 4)}00${hex.slice(6)}`;
}

function vectorText(row) {
  if (row.bits !== undefined) {
    return `${row.t} ${row.bits}`;
  }
  const isFloat = row.positiveDeltas === undefined && row.negativeDeltas === undefined;
  // Floats are written otherwise there: 9e+15.
  const counted = (text) => (isFloat ? String(Number(text)) : String(text));
  return histogramText({
    t: row.t,
    hint: HINTS[row.counterResetHint],
    sum: row.sumBits,
    schema: row.schema,
    zeroThreshold: Number(row.zeroThreshold),
    count: counted(row.count),
    zeroCount: counted(row.zeroCount),
    positiveSpans: row.positiveSpans,
    negativeSpans: row.negativeSpans,
    positiveBuckets: row.positiveDeltas ?? row.positiveCounts ?? [],
    negativeBuckets: row.negativeDeltas ?? row.negativeCounts ?? [],
    customValues: (row.customValues ?? []).map(Number),
  });
}

function recordedText(row) {
  if (row.bits !== undefined) {
    return `${row.t} ${row.bits}`;
  }
  return histogramText({
    t: row.t,
    hint: HINTS[row.hint],
    sum: row.sum,
    schema: row.schema ?? 0,
    zeroThreshold: row.zt ?? 0,
    count: String(row.cnt ?? 0),
    zeroCount: String(row.z ?? 0),
    positiveSpans: row.ps ?? [],
    negativeSpans: row.ns ?? [],
    positiveBuckets: (row.pb ?? []).map(String),
    negativeBuckets: (row.nb ?? []).map(String),
    customValues: row.cv ?? [],
  });
}

function sampleText(row) {
  const isFloat = row.count_int === undefined;
  return histogramText({
    t: row.t,
    hint: row.reset_hint,
    sum: typeof row.sum === "number" ? bitsOf(Float64Array.of(row.sum))[0] : row.sum.slice("NaN(0x".length, -1),
    schema: row.schema,
    zeroThreshold: row.zero_threshold,
    count: row.count_int ?? String(row.count_float),
    zeroCount: row.zero_count_int ?? String(row.zero_count_float),
    positiveSpans: row.positive_spans,
    negativeSpans: row.negative_spans,
    positiveBuckets: isFloat ? row.positive_counts.map(String) : row.positive_deltas,
    negativeBuckets: isFloat ? row.negative_counts.map(String) : row.negative_deltas,
    customValues: row.custom_values,
  });
}

function collectCases() {
  return ["strategies", "thanos-pinned", "penalty-mixed"].flatMap((file) =>
    readFileSync(path.join(root, `packages/core/test/vectors/${file}.jsonl`), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line)),
  );
}

/** The successful answers to one query, in the folders that hold one series a recording and in the pair's. */
function collectAnswers() {
  const folders = ["p242/samples", "p242/chunks", "p353/samples", "p353/chunks"];
  return [...folders, "p314-xor2-st/samples", "p314-xor2-st/chunks", "ha-pair"].flatMap((folder) =>
    readdirSync(path.join(recordings, folder))
      .filter((file) => file.endsWith(".json"))
      .flatMap((file) => collectAnswer(`${folder}/${file.slice(0, -5)}`)),
  );
}

function collectAnswer(name) {
  const { results, frames, rest } = readJson(`${name}.json`).response.decoded ?? {};
  const isStreamed = frames !== undefined;
  if (rest !== undefined || (!isStreamed && results?.length !== 1)) {
    return [];
  }
  const series = isStreamed ? seriesOfFrames(frames) : results[0].timeseries.map((each) => seriesOfSamples(each));
  const hex = readFileSync(path.join(recordings, `${name}.resp.bin`)).toString("hex");
  // Histograms are left out by some servers, and then a series is empty, of which there is nothing to read.
  return [{ name, isStreamed, hex, series: series.filter(([, ...kinds]) => kinds.flat().length > 0) }];
}

function seriesOfSamples({ labels, samples, histograms }) {
  return [flatten(labels), samples.map(([t, , bits]) => `${t} ${bits}`), histograms.map((row) => sampleText(row))];
}

/** A series may be in several frames. */
function seriesOfFrames(frames) {
  const series = new Map();
  for (const { labels, chunks } of frames.flatMap((frame) => frame.chunked_series)) {
    const names = flatten(labels);
    const key = JSON.stringify(names);
    const [, floats, histograms] = series.get(key) ?? series.set(key, [names, [], []]).get(key);
    for (const row of chunks.flatMap(({ samples }) => samples)) {
      const [list, text] = Array.isArray(row) ? [floats, `${row[0]} ${row[2]}`] : [histograms, recordedText(row)];
      list.push(text);
    }
  }
  return [...series.values()];
}

/** Names and values in turn, in the order of the names' bytes. */
function flatten(labels) {
  return labels.toSorted(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other))).flat();
}
