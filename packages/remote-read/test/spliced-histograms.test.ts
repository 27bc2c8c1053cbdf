/**
 * Every strategy over series of histograms and mixed ones, all the way: two servers in either form, spliced, through our handler
 * in either form, and read again. The rows are the twin's; a hint of "no reset" is there exactly where the row emitted before is
 * the one before it in the chunk that it came in.
 */
import { type Block, chain, columnsBlock, fill, interval, penalty, type Series, type Strategy } from "@promsplice/core";
import { expect, test } from "vitest";

import { seededRandom } from "../../core/test/random.ts";
import { chainTwin } from "../../core/test/twins/chain.ts";
import { fillTwin } from "../../core/test/twins/fill.ts";
import { intervalTwin } from "../../core/test/twins/interval.ts";
import { penaltyTwin, type Row } from "../../core/test/twins/penalty.ts";
import { chunkBlock, encodeBlock } from "../src/chunk/chunk-block.ts";
import { remoteReader } from "../src/client.ts";
import { readHandler } from "../src/handler.ts";
import { memoryReader } from "../src/memory-reader.ts";
import type { ResponseType } from "../src/read-exchange.ts";
import type { Query, Reader } from "../src/reader.ts";
import { splicedReader } from "../src/spliced-reader.ts";
import { bitsOf } from "./bytes.ts";
import { exactBlock, type ExactHistogram, exactRows } from "./exact-histogram.ts";

const INTERVAL_MS = 15_000;
const SCRAPES = 90;
const CHUNK_ROWS_MAX = 12;
const STALE = "7ff0000000000002";
const QUERY: Query = { startMs: 0, endMs: 1e13, matchers: [{ type: "=", name: "__name__", value: "h" }] };
const FORMS: readonly ResponseType[] = ["STREAMED_XOR_CHUNKS", "SAMPLES"];

type Kind = "integer" | "float" | "gauge" | "custom";
/** What a series is of, scrape by scrape; a number is a float. */
type Sample = ExactHistogram | number | "stale number";

interface Held {
  readonly t: number;
  readonly sample: Sample;
  /** The number of its chunk. */
  readonly chunk: number;
  /** The number of what would be its chunk if chunks were of any length. */
  readonly stretch: number;
}

function hexOf(value: number): string {
  return bitsOf(Float64Array.of(value))[0]!;
}

/** A histogram whose counts grow with the time; its sum tells the replicas apart. */
function histogramAt(kind: Kind, t: number, replica: number): ExactHistogram {
  const scrapes = Math.floor(t / 1000);
  const number = kind === "float" ? hexOf : String;
  const isCustom = kind === "custom";
  return {
    t: String(t),
    hint: kind === "gauge" ? 3 : 0,
    schema: isCustom ? -53 : 2,
    threshold: hexOf(isCustom ? 0 : 2 ** -128),
    ...(isCustom ? { bounds: [0.005, 1].map(hexOf) } : {}),
    ps: [[0, 2]],
    ns: isCustom ? [] : [[-3, 1]],
    count: number(4 * scrapes + 1),
    zero: number(isCustom ? 0 : 1),
    sum: hexOf(2 * t + replica),
    // Of integers the second is a difference.
    pb: kind === "float" ? [hexOf(scrapes), hexOf(2 * scrapes)] : [String(scrapes), String(scrapes)],
    nb: isCustom ? [] : [number(scrapes)],
  };
}

function staleAt(isFloat: boolean, t: number): ExactHistogram {
  const zero = isFloat ? hexOf(0) : "0";
  return {
    t: String(t),
    hint: 0,
    schema: 0,
    threshold: hexOf(0),
    ps: [],
    ns: [],
    count: zero,
    zero,
    sum: STALE,
    pb: [],
    nb: [],
  };
}

/** Kinds of a series, of which each is for some scrapes; undefined is a number. */
const SERIES: Readonly<Record<string, readonly (Kind | undefined)[]>> = {
  integer: ["integer"],
  float: ["float"],
  gauge: ["gauge"],
  custom: ["custom"],
  "numbers and integers": [undefined, "integer"],
  "all kinds": ["float", undefined, "custom", "gauge", "integer"],
};

/** A replica that misses scrapes one by one and for a while, with stale markers. */
function drawReplica(kinds: readonly (Kind | undefined)[], replica: number, random: () => number): Held[] {
  const held: Held[] = [];
  const outage = Math.floor(random() * SCRAPES);
  let chunk = 0;
  let stretch = 0;
  let rows = 0;
  let before: { readonly kind: Kind | undefined; readonly isStale: boolean } | undefined;
  for (let scrape = 0; scrape < SCRAPES; scrape++) {
    if (random() < 0.1 || (scrape >= outage && scrape < outage + 8)) {
      continue;
    }
    // Now and then both replicas scrape at one time.
    const t = INTERVAL_MS * (1000 + scrape) + (scrape % 7 === 0 ? 0 : 4000 * replica);
    const kind = kinds[Math.floor((scrape * kinds.length) / SCRAPES)];
    const isStale = random() < 0.04;
    // Behind a stale marker of histograms only others follow in a chunk, and before one none of a gauge.
    const isCut =
      before !== undefined &&
      (kind !== before.kind ||
        (kind !== undefined && isStale !== before.isStale && (before.isStale || kind === "gauge")));
    if (isCut || rows === CHUNK_ROWS_MAX) {
      chunk++;
      stretch += isCut ? 1 : 0;
      rows = 0;
    }
    const sample = isStale ? (kind === undefined ? "stale number" : staleAt(kind === "float", t)) : undefined;
    held.push({
      t,
      sample: sample ?? (kind === undefined ? 2 * t + replica : histogramAt(kind, t, replica)),
      chunk,
      stretch,
    });
    before = { kind, isStale };
    rows++;
  }
  return held;
}

function isHistogram(sample: Sample): sample is ExactHistogram {
  return typeof sample === "object";
}

function isMarker(sample: Sample): boolean {
  return isHistogram(sample) ? sample.sum === STALE : sample === "stale number";
}

/** The chunks of a replica, those of histograms saying that there was no reset before them, as old servers may. */
function chunksOf(held: readonly Held[]): Block[] {
  const numbers = [...new Set(held.map(({ chunk }) => chunk))];
  return numbers.map((number) => {
    const rows = held.filter((row) => row.chunk === number);
    const [chunk, ...others] = encodeBlock(blockOf(rows));
    expect(others).toEqual([]);
    const data = Uint8Array.from(chunk!.data);
    if (isHistogram(rows[0]!.sample) && !isMarker(rows[0]!.sample)) {
      data[2]! |= 0x40;
    }
    return chunkBlock({ ...chunk!, data });
  });
}

function blockOf(rows: readonly Held[]): Block {
  const samples = rows.map(({ sample }) => sample);
  if (samples.every(isHistogram)) {
    const [{ count }] = samples as [ExactHistogram];
    // The bits of a float are 16 digits.
    return exactBlock(count.length === 16, samples);
  }
  const values = new Float64Array(rows.length);
  const words = new BigUint64Array(values.buffer);
  samples.forEach((sample, row) => (words[row] = BigInt(`0x${typeof sample === "number" ? hexOf(sample) : STALE}`)));
  return columnsBlock({ timestamps: Float64Array.from(rows, ({ t }) => t), values });
}

/** A row as the twins know it: a stale marker is one whatever the series holds. */
function twinRow({ t, sample }: Held, number: number): Row {
  if (isMarker(sample)) {
    return { t, high: 0x7ff00000, low: 2, histogram: undefined };
  }
  const bits = isHistogram(sample) ? hexOf(0) : hexOf(sample as number);
  return {
    t,
    high: Number.parseInt(bits.slice(0, 8), 16),
    low: Number.parseInt(bits.slice(8), 16),
    histogram: isHistogram(sample) ? number : undefined,
  };
}

interface Shown {
  readonly replica: number;
  readonly row: number;
}

/** The query's, and the margin. */
const WINDOW = { startMs: QUERY.startMs - 300_000, endMs: QUERY.endMs + 300_000 };

type Twin = (replicas: readonly (readonly Row[])[]) => readonly Shown[];

const STRATEGIES: readonly (readonly [string, Strategy, Twin])[] = [
  ["penalty", penalty(), (replicas) => penaltyTwin(replicas, false)],
  ["fill", fill(), (replicas) => fillTwin(replicas, WINDOW).samples],
  ["interval", interval({ intervalMs: INTERVAL_MS }), (replicas) => intervalTwin(replicas, INTERVAL_MS)],
  ["chain", chain(), chainTwin],
];

/**
 * What comes out: numbers as bits, histograms with what is said of a reset before them. `place` is that within which the row
 * before counts.
 */
function expectedLines(
  replicas: readonly (readonly Held[])[],
  shown: readonly Shown[],
  place: "chunk" | "stretch",
): string[] {
  return shown.map(({ replica, row }, index) => {
    const held = replicas[replica]![row]!;
    const { t, sample } = held;
    if (!isHistogram(sample)) {
      return `${t} ${typeof sample === "number" ? hexOf(sample) : STALE}`;
    }
    const before = shown[index - 1];
    const isTrue =
      before?.replica === replica && before.row === row - 1 && replicas[replica]![row - 1]![place] === held[place];
    const hint = isMarker(sample) ? 0 : sample.hint === 3 ? 3 : isTrue ? 2 : 0;
    return JSON.stringify({ ...sample, hint });
  });
}

function linesOf({ blocks }: Series): string[] {
  return [...blocks].flatMap((block) => {
    if (block.kind === "histogram") {
      return exactRows(block).map((row) => JSON.stringify(inOrder(row)));
    }
    const bits = bitsOf(block.values());
    return Array.from(block.timestamps(), (t, row) => `${t} ${bits[row]!}`);
  });
}

/** Times of the first rows of chunks of histograms whose headers say whether there was a reset before them. */
function toldTimes({ blocks }: Series): number[] {
  return [...blocks].flatMap(({ kind, bytes, firstMs }) =>
    kind === "histogram" && (bytes![2] === 0x40 || bytes![2] === 0x80) ? [firstMs] : [],
  );
}

/** With its fields in the order in which they are written here. */
function inOrder({
  t,
  hint,
  schema,
  threshold,
  bounds,
  ps,
  ns,
  count,
  zero,
  sum,
  pb,
  nb,
}: ExactHistogram): ExactHistogram {
  return { t, hint, schema, threshold, ...(bounds === undefined ? {} : { bounds }), ps, ns, count, zero, sum, pb, nb };
}

/** A reader that asks a handler over `reader` for one form. */
function through(reader: Reader, form: ResponseType): Reader {
  const handle = readHandler(reader);
  return remoteReader({
    url: "http://handler.invalid/api/v1/read",
    responseTypes: [form],
    fetch: (url, init) => handle(new Request(url, init)),
  });
}

async function readOne(reader: Reader): Promise<Series> {
  const all: Series[] = [];
  for await (const series of reader.read(QUERY)) {
    all.push(series);
  }
  expect(all.map(({ labels }) => labels)).toEqual([["__name__", "h"]]);
  return all[0]!;
}

test.each(STRATEGIES)("%s gives the twin's rows and their true hints, in all forms", async (_, strategy, twin) => {
  const seen = { known: 0, unknown: 0, switches: 0, told: 0, chunks: 0 };
  for (const [index, kinds] of Object.values(SERIES).entries()) {
    const random = seededRandom(7 + index);
    const replicas = [0, 1].map((replica) => drawReplica(kinds, replica, random));
    const shown = twin(replicas.map((rows) => rows.map(twinRow)));
    // Times of rows before which another row than their predecessor was emitted.
    const detached = new Set(
      shown
        .filter(({ replica, row }, at) => replica !== shown[at - 1]?.replica || row !== shown[at - 1]!.row + 1)
        .slice(1)
        .map(({ replica, row }) => replicas[replica]![row]!.t),
    );
    seen.chunks += shown.filter(({ replica, row }, at) => {
      // A whole chunk behind another replica's row.
      const rows = replicas[replica]!;
      const { chunk, t, sample } = rows[row]!;
      const end = rows.findLastIndex((held) => held.chunk === chunk);
      const isWhole = shown[at + end - row]?.replica === replica && shown[at + end - row]!.row === end;
      return isHistogram(sample) && detached.has(t) && rows[row - 1]?.chunk !== chunk && isWhole;
    }).length;
    const strict = expectedLines(replicas, shown, "chunk");
    seen.switches += shown.filter(({ replica }, at) => at > 0 && replica !== shown[at - 1]!.replica).length;
    seen.known += strict.filter((line) => line.includes('"hint":2')).length;
    seen.unknown += strict.filter((line) => line.includes('"hint":0')).length;
    for (const from of FORMS) {
      const servers = replicas.map((rows, replica) =>
        through(
          memoryReader([{ labels: ["__name__", "h", "replica", String(replica)], blocks: chunksOf(rows) }]),
          from,
        ),
      );
      const reader = splicedReader(servers, { replicaLabels: ["replica"], strategy });
      for (const to of FORMS) {
        // Samples do not come in chunks; who encodes them looks whether a count has fallen, and says so.
        const isEncoded = from === "SAMPLES" && to === "STREAMED_XOR_CHUNKS";
        const expected = isEncoded ? expectedLines(replicas, shown, "stretch") : strict;
        const series = await readOne(through(reader, to));
        const got = linesOf(series);
        expect({ kinds, from, to, got }).toEqual({ kinds, from, to, got: expected });
        if (to === "STREAMED_XOR_CHUNKS") {
          const told = toldTimes(series);
          seen.told += told.length;
          expect(told.filter((t) => detached.has(t))).toEqual([]);
        }
      }
    }
  }
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(1);
});
