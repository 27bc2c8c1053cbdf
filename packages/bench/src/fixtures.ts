/**
 * Seeded inputs: replicas of one series, scraped every 15 s for as long as it takes to have the wanted number of rows.
 *
 *     whole     every scrape succeeds, exactly 15 s apart; the replicas start at different moments
 *     jitter    the same, each scrape up to 10 ms early or late, as Prometheus' own are
 *     gap       jitter, and of each thousand scrapes of a replica one is missed, at random
 *     missed    jitter, and one scrape in ten is missed, at random and on each replica by itself
 *
 * The values are a counter that both scrape: its value hangs on the time alone, and it starts again every 1,000 scrapes, so
 * that counter mode has something to raise.
 */
import { type Block, type Columns, columnsBlock, type Series } from "@promsplice/core";

export const SHAPES = ["whole", "jitter", "gap", "missed"] as const;

export type Shape = (typeof SHAPES)[number];

/** Those in which no scrape is missed, as nearly every series of a pair is nearly always. */
export const WHOLE_SHAPES: readonly Shape[] = ["whole", "jitter"];

const START_MS = 1_700_000_000_000;
export const INTERVAL_MS: number = 15_000;
const JITTER_MS = 10;
/** How long after the first replica each scrapes: two apart by 0.13 intervals as in the quality scoreboard, then others. */
const PHASES_MS = [0, 1_950, 7_350, 4_100, 11_300];
const RESET_EVERY_MS = 1_000 * INTERVAL_MS;
const INCREASE_PER_MS = 0.0073;
/** As many rows as Prometheus puts into a chunk of floats. */
const BLOCK_ROWS = 120;

/** As many replicas as asked for (5 at most), each of exactly `rows` rows. The same arguments give the same replicas. */
export function makeReplicas(shape: Shape, replicas: number, rows: number): Columns[] {
  return PHASES_MS.slice(0, replicas).map((phaseMs, replica) => {
    const timestamps = makeTimestamps(shape, rows, START_MS + phaseMs, seededRandom(1 + replica));
    const values = timestamps.map((timestampMs) =>
      Math.floor(((timestampMs - START_MS) % RESET_EVERY_MS) * INCREASE_PER_MS),
    );
    return { timestamps, values };
  });
}

/** The same rows in blocks of `blockRows`, which show the columns and do not copy them. */
export function cutIntoBlocks({ timestamps, values }: Columns, blockRows: number = BLOCK_ROWS): Block[] {
  return Array.from({ length: Math.ceil(timestamps.length / blockRows) }, (_, index) => {
    const start = index * blockRows;
    const end = Math.min(start + blockRows, timestamps.length);
    return columnsBlock({ timestamps: timestamps.subarray(start, end), values: values.subarray(start, end) });
  });
}

/**
 * Three readers' answers to one query: `count` series each, in order, told apart by the label `replica` alone. All series
 * share one block, since grouping looks at labels only. At most 900,000 series.
 */
export function makeSeriesOfThreeReplicas(count: number): Series[][] {
  const blocks = [columnsBlock({ timestamps: new Float64Array([START_MS]), values: new Float64Array(1) })];
  return ["a", "b", "c"].map((replica) =>
    Array.from({ length: count }, (_, index) => ({
      labels: [
        ["__name__", "http_requests_total"],
        ["cluster", "production-eu-1"],
        ["instance", `10.0.${1_000 + Math.floor(index / 100)}:9090`],
        ["job", "api"],
        ["path", `/api/v1/resource/${100 + (index % 100)}`],
        ["replica", replica],
        ["status", "200"],
      ].flat(),
      blocks,
    })),
  );
}

function makeTimestamps(shape: Shape, rows: number, firstMs: number, random: () => number): Float64Array {
  const timestamps = new Float64Array(rows);
  let missedOfThousand = 0;
  let row = 0;
  for (let scrape = 0; row < rows; scrape++) {
    if (scrape % 1_000 === 0) {
      missedOfThousand = Math.floor(random() * 1_000);
    }
    const isMissed = shape === "gap" ? scrape % 1_000 === missedOfThousand : shape === "missed" && random() < 0.1;
    const jitterMs = shape === "whole" ? 0 : Math.floor(random() * (2 * JITTER_MS + 1)) - JITTER_MS;
    if (!isMissed) {
      timestamps[row++] = firstMs + scrape * INTERVAL_MS + jitterMs;
    }
  }
  return timestamps;
}

/** Mulberry32, a small seeded generator: numbers in [0, 1). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
