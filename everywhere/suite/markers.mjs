/** Stale markers and other NaNs on every way through both packages, compared as pairs of 32-bit words. */
import { chain, columnsBlock, dedup, fill, interval, penalty, splice, spliceBlocks } from "@promsplice/core";
import { memoryReader, splicedReader } from "@promsplice/remote-read";

import { collect, served } from "./exchange.mjs";

/** High and low word: the stale marker, its neighbours, quiet and signalling NaNs of both signs with payloads, −0, ∞, 1. */
const WORDS = [
  [0x7ff00000, 2],
  [0x7ff00000, 1],
  [0x7ff00000, 3],
  [0x7ff80000, 0],
  [0x7ff80000, 0x123],
  [0xfff80000, 0xdeadbeef],
  [0xfff00000, 2],
  [0x7ff4dead, 0xbeef],
  [0x80000000, 0],
  [0x7ff00000, 0],
  [0x3ff00000, 0],
];
const INTERVAL_MS = 15_000;
const ROWS = 400;

/** Two replicas 4 s apart; each misses now and then a few scrapes, so that both are shown. */
const replicas = [0, 1].map((replica) => {
  const rows = Array.from({ length: ROWS }, (_, row) => row).filter((row) => (row + 25 * replica) % 50 > 4);
  const timestamps = Float64Array.from(rows, (row) => row * INTERVAL_MS + 4000 * replica);
  const values = new Float64Array(rows.length);
  const words = new Uint32Array(values.buffer);
  rows.forEach((row, at) => {
    const [high, low] = wordsAt(row, replica);
    words[2 * at] = low;
    words[2 * at + 1] = high;
  });
  return { timestamps, values };
});

function wordsAt(row, replica) {
  return WORDS[(row + 5 * replica) % WORDS.length];
}

const STRATEGIES = {
  fill: fill({ intervalMs: INTERVAL_MS }),
  penalty: penalty(),
  interval: interval({ intervalMs: INTERVAL_MS }),
  chain: chain(),
};

/** Checks each strategy on each way; counts the words that were compared and the stale markers among them. */
export async function checkMarkers(counts) {
  for (const [name, strategy] of Object.entries(STRATEGIES)) {
    const check = (way, pieces) => checkPieces(`${name}, ${way}`, pieces, counts);
    const blocks = replicas.map((columns) => [columnsBlock(columns)]);
    check("dedup", [dedup(replicas, strategy)]);
    const runs = [];
    for (const { block, start, end } of splice(blocks, strategy)) {
      runs.push(cut(columnsOf(block), start, end));
    }
    check("splice", runs);
    check("spliceBlocks", [...spliceBlocks(blocks, strategy)].map(columnsOf));
    for (const type of ["STREAMED_XOR_CHUNKS", "SAMPLES"]) {
      const members = replicas.map((columns, replica) =>
        served(
          memoryReader([{ labels: ["__name__", "up", "replica", "AB"[replica]], blocks: [columnsBlock(columns)] }]),
          type,
        ),
      );
      const pair = splicedReader(members, { replicaLabels: ["replica"], strategy });
      check(`read, ${type}`, await readColumns(pair));
      check(`read, served and read, ${type}`, await readColumns(served(pair, type)));
    }
  }
}

async function readColumns(reader) {
  const series = await collect(reader);
  return series.flatMap(({ blocks }) => blocks.map(columnsOf));
}

function columnsOf(block) {
  return { timestamps: block.timestamps(), values: block.values() };
}

function cut({ timestamps, values }, start, end) {
  return { timestamps: timestamps.subarray(start, end), values: values.subarray(start, end) };
}

/** Compares each value with the words that its replica has at its time. */
function checkPieces(what, pieces, counts) {
  const seen = [0, 0];
  for (const { timestamps, values } of pieces) {
    const words = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length);
    timestamps.forEach((timeMs, at) => {
      const replica = timeMs % INTERVAL_MS === 0 ? 0 : 1;
      const [high, low] = wordsAt(Math.floor(timeMs / INTERVAL_MS), replica);
      if (words[2 * at] !== low || words[2 * at + 1] !== high) {
        const [got, expected] = [
          [words[2 * at + 1], words[2 * at]],
          [high, low],
        ].map((pair) => pair.map((word) => word.toString(16).padStart(8, "0")).join(""));
        throw new Error(`${what}: at ${timeMs} ms ${got} instead of ${expected}`);
      }
      seen[replica]++;
      counts.words += 2;
      counts.staleMarkers += high === 0x7ff00000 && low === 2 ? 1 : 0;
    });
  }
  if (Math.min(...seen) === 0) {
    throw new Error(`${what}: not both replicas are shown`);
  }
}
