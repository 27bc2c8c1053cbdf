/**
 * What the replicas of a simulated world have stored: the same targets, scraped at different moments, with scrapes missed, and
 * stale markers where that went on for longer.
 *
 *     target       counter, restarts once              ─────────╮ ──────────
 *     replica A    ●────●────●────●───◌   ⨯    ⨯    ●────●      ◌ stale marker
 *     replica B      ○────○────○────○────⨯────○────○────○──
 */
import type { Block } from "@promsplice/core";

import { encodeBlock, type EncodedChunk } from "../../../src/chunk/chunk-block.ts";
import { exactBlock, type ExactHistogram } from "../../exact-histogram.ts";
import { blockOf, cutRows } from "../../read-exchange.ts";
import type { ClientRow } from "../../strict-client.ts";
import { bitsOf } from "../../bytes.ts";
import type { Dice } from "./dice.ts";

export type SeriesKind = "gauge" | "counter" | "histogram";

/** What all replicas scrape. */
export interface Target {
  readonly kind: SeriesKind;
  readonly intervalMs: number;
  /** How often it is scraped. */
  readonly scrapes: number;
  /** The scrape before which it begins to count from 0 again. */
  readonly restart: number;
}

/** How one replica scrapes. */
export interface Scraping {
  /** All scrapes come this much later than those of a replica of 0. */
  readonly offsetMs: number;
  readonly jitterMs: number;
  /** How likely it is that a scrape is missed, and further ones behind it. */
  readonly misses: number;
}

/** A chunk as it is stored, and what is in it. */
export interface StoredChunk {
  /** Of a histogram the text is JSON, see `histogramText`. */
  readonly rows: readonly ClientRow[];
  readonly encoded: readonly EncodedChunk[];
}

export const FIRST_SCRAPE_MS = 1_700_000_000_000;
const STALE = "7ff0000000000002";
const SPECIAL_VALUES = ["8000000000000000", "7ff8000000000001", "fff0000000000000", "7ff4000000000abc", STALE];

export function scrape(target: Target, { offsetMs, jitterMs, misses }: Scraping, dice: Dice): ClientRow[] {
  const rows: ClientRow[] = [];
  let missing = 0;
  for (let number = 0; number < target.scrapes; number++) {
    const timeMs = FIRST_SCRAPE_MS + number * target.intervalMs + offsetMs + dice.whole(0, jitterMs);
    if (missing > 0) {
      missing--;
      continue;
    }
    if (dice.chance(misses)) {
      missing = dice.whole(0, 6);
      if (missing > 2 && target.kind !== "histogram") {
        rows.push([timeMs, STALE]);
      }
      continue;
    }
    rows.push([timeMs, valueText(target, number, dice)]);
  }
  return rows;
}

/** Rows in chunks; where a server repeats itself some of them again, in one that overlaps. */
export function storeRows(kind: SeriesKind, rows: readonly ClientRow[], repeats: boolean, dice: Dice): StoredChunk[] {
  const chunks = cutRows(rows, [dice.whole(3, 20), dice.whole(3, 20), dice.whole(1, 8)]);
  if (repeats && rows.length > 2) {
    const start = dice.whole(0, rows.length - 2);
    const again = rows.slice(start, dice.whole(start + 1, rows.length));
    const differ = dice.chance(0.3);
    chunks.push(
      again.map((row, index) => (differ && kind === "gauge" ? [row[0], `4000${index}`.padEnd(16, "0")] : row)),
    );
  }
  const stored = chunks.map((piece) => ({ rows: piece, encoded: encodeBlock(blockOfRows(kind, piece)) }));
  return repeats ? dice.shuffle(stored) : stored;
}

export function blockOfRows(kind: SeriesKind, rows: readonly ClientRow[]): Block {
  return kind === "histogram"
    ? exactBlock(
        false,
        rows.map(([timeMs, text]) => ({
          ...(JSON.parse(text) as Omit<ExactHistogram, "t" | "hint">),
          t: String(timeMs),
          hint: 0,
        })),
      )
    : blockOf(rows);
}

/** A histogram without its time, and without the hint: what that says depends on the chunks that it goes through. */
export function histogramText({ t: _time, hint: _hint, ...rest }: ExactHistogram): string {
  return JSON.stringify(rest);
}

function valueText({ kind, restart, intervalMs }: Target, number: number, dice: Dice): string {
  const count = (number < restart ? 1000 + number : number - restart) * intervalMs + dice.whole(0, 9);
  if (kind === "gauge") {
    return dice.chance(0.05) ? dice.pick(SPECIAL_VALUES) : `3ff${dice.whole(0, 15).toString(16)}0000${dice.word()}`;
  }
  if (kind === "counter") {
    return bitsOf(Float64Array.of(count))[0]!;
  }
  return histogramText({
    t: "",
    hint: 0,
    schema: 0,
    threshold: "3f50624dd2f1a9fc",
    ps: [[0, 3]],
    ns: [],
    count: String(6 * count),
    zero: "0",
    sum: bitsOf(Float64Array.of(count / 3))[0]!,
    // Differences: each bucket holds as many more.
    pb: [String(count), String(count), String(count)],
    nb: [],
  });
}
