/** Whether what is shown hangs on which replica answers first: each delivers its blocks when it likes. */
import { type Block, columnsBlock, type Strategy, spliceAsync } from "@promsplice/core";
import { lowerBound } from "./outcome.ts";
import type { Scraped } from "./scrapes.ts";

const TURNS_WAITED_MAX = 6;
const BLOCK_ROWS_MAX = 40;

/**
 * Splices the window [startMs, endMs] once for each of `orders` ways to cut the replicas into blocks and to wait for them,
 * and counts those whose answer is not the first one's.
 */
export async function countFlipsByOrder(
  replicas: readonly Scraped[],
  strategy: Strategy,
  startMs: number,
  endMs: number,
  orders: number,
  random: () => number,
): Promise<number> {
  let first: string | undefined;
  let flips = 0;
  for (let order = 0; order < orders; order++) {
    const answers = replicas.map((scraped) => deliverLate(scraped, startMs, endMs, random));
    const shown: string[] = [];
    for await (const { replica, block, start, end } of spliceAsync(answers, strategy, { startMs, endMs })) {
      block
        .timestamps()
        .subarray(start, end)
        .forEach((timestamp) => shown.push(`${timestamp} ${replica}`));
    }
    first ??= shown.join();
    flips += shown.join() === first ? 0 : 1;
  }
  return flips;
}

/** A replica's rows of the window in blocks of random sizes, each after a random number of turns of the event loop's queue. */
async function* deliverLate(
  { columns: { timestamps, values } }: Scraped,
  startMs: number,
  endMs: number,
  random: () => number,
): AsyncGenerator<Block> {
  // Every order has the same rows: later ones would tell a strategy more.
  const rowsEnd = lowerBound(timestamps, endMs + 1);
  let start = lowerBound(timestamps, startMs);
  while (start < rowsEnd) {
    const end = Math.min(rowsEnd, start + 1 + Math.floor(random() * BLOCK_ROWS_MAX));
    for (let turn = Math.floor(random() * TURNS_WAITED_MAX); turn > 0; turn--) {
      await Promise.resolve();
    }
    yield columnsBlock({ timestamps: timestamps.subarray(start, end), values: values.subarray(start, end) });
    start = end;
  }
}
