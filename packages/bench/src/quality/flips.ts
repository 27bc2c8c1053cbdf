/**
 * Flips: the same moment shown otherwise, though nothing has changed but the question.
 *
 *     window         [ ······ ●····○····●····●····●···· ]        a slide by one second that lets a sample go at the left
 *     one later        [ ····· ·····○····○····●····●···· ]       or one in at the right
 *     compared       └ a margin ┘                └ 1.5 intervals ┘ are left off
 *
 * The margin at the right is counted from the newest sample that some replica has in the window, as a question at the live
 * edge must: later than that nobody knows yet.
 */
import type { Block, Strategy } from "@promsplice/core";
import { liveRows, lowerBound, type Outcome, spliceOutcome } from "./outcome.ts";
import type { Scraped, Scrapes } from "./scrapes.ts";

const SLIDE_MS = 1_000;
const WINDOW_INTERVALS = 120;

const NARROW_MARGIN_INTERVALS = 2;
const MARGIN_RIGHT_INTERVALS = 1.5;

/** A window, and the one a second later. Times are inclusive. */
export interface Slide {
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * Slides of windows of 120 intervals over the scrapes. Half of them pass a sample with the left edge, half with the right
 * one, since else nothing can change.
 */
export function drawSlides(
  { replicas, firstMs, lastMs }: Scrapes,
  intervalMs: number,
  count: number,
  random: () => number,
): Slide[] {
  const lengthMs = WINDOW_INTERVALS * intervalMs;
  const slides: Slide[] = [];
  while (slides.length < count) {
    const { timestamps } = replicas[Math.floor(random() * replicas.length)]!.columns;
    const passed = timestamps[Math.floor(random() * timestamps.length)]! - Math.floor(random() * SLIDE_MS);
    // At the left the sample is in the first window only, at the right in the second only.
    const startMs = slides.length % 2 === 0 ? passed : passed - 1 - lengthMs;
    if (startMs >= firstMs && startMs + lengthMs + SLIDE_MS <= lastMs) {
      slides.push({ startMs, endMs: startMs + lengthMs });
    }
  }
  return slides;
}

/** How many slides show some moment inside the margins otherwise in the second window than in the first. */
export interface Flips {
  readonly ofLiveSamples: number;
  /** The same where stale markers are compared as well. */
  readonly ofAll: number;
  /** Of live samples, from 2 intervals inside the left edge on. */
  readonly insideTwo: number;
}

/** `blocks` are those of `replicas`; at the left so many scrapes of each replica and 2 intervals are left off. */
export function countFlips(
  replicas: readonly Scraped[],
  blocks: readonly Block[][],
  strategy: Strategy,
  slides: readonly Slide[],
  intervalMs: number,
  marginScrapes: number,
): Flips {
  const flips = { ofLiveSamples: 0, ofAll: 0, insideTwo: 0 };
  for (const { startMs, endMs } of slides) {
    const before = spliceOutcome(replicas, blocks, strategy, { startMs, endMs });
    const after = spliceOutcome(replicas, blocks, strategy, { startMs: startMs + SLIDE_MS, endMs: endMs + SLIDE_MS });
    const toMs = newestMs(replicas, endMs) - MARGIN_RIGHT_INTERVALS * intervalMs;
    const inside = (edgeMs: number, one: Outcome, other: Outcome) =>
      showSame(one, other, edgeMs + NARROW_MARGIN_INTERVALS * intervalMs, toMs) ? 0 : 1;
    const settledMs = settlesMs(replicas, startMs + SLIDE_MS, marginScrapes);
    const liveBefore = liveRows(before);
    const liveAfter = liveRows(after);
    flips.ofLiveSamples += inside(settledMs, liveBefore, liveAfter);
    flips.ofAll += inside(settledMs, before, after);
    flips.insideTwo += inside(startMs + SLIDE_MS, liveBefore, liveAfter);
  }
  return flips;
}

/** When each replica has scraped so many times more after the first time; ∞ where one never has. */
function settlesMs(replicas: readonly Scraped[], startMs: number, scrapes: number): number {
  return Math.max(
    startMs,
    ...replicas.map(({ columns: { timestamps } }) =>
      scrapes === 0 ? startMs : (timestamps[lowerBound(timestamps, startMs) + scrapes] ?? Infinity),
    ),
  );
}

/** The latest timestamp of any replica up to then. */
function newestMs(replicas: readonly Scraped[], endMs: number): number {
  return Math.max(
    ...replicas.map(({ columns: { timestamps } }) => timestamps[lowerBound(timestamps, endMs + 1) - 1] ?? -Infinity),
  );
}

/** Whether two outcomes have the same times and replicas in [fromMs, toMs]. */
export function showSame(one: Outcome, other: Outcome, fromMs: number, toMs: number): boolean {
  let row = lowerBound(one.timestamps, fromMs);
  let otherRow = lowerBound(other.timestamps, fromMs);
  const has = ({ timestamps }: Outcome, at: number) => at < timestamps.length && timestamps[at]! <= toMs;
  for (; has(one, row) && has(other, otherRow); row++, otherRow++) {
    if (one.timestamps[row] !== other.timestamps[otherRow] || one.replicas[row] !== other.replicas[otherRow]) {
      return false;
    }
  }
  return !has(one, row) && !has(other, otherRow);
}
