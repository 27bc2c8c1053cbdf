/** One cell of the grid: scrapes for some seeds, every strategy over them, held against the truth. */
import { seededRandom } from "../fixtures.ts";
import { type Contestant, CONTESTANTS, makeContestant, marginScrapes } from "./contestants.ts";
import { countFalseResets, makeQuestions, measureGauge, measureIncrease } from "./counting.ts";
import { countFlips, drawSlides } from "./flips.ts";
import type { Cell } from "./grid.ts";
import { leastUncoveredMs } from "./optimum.ts";
import { countFlipsByOrder } from "./order.ts";
import { blocksOf, liveRows, spliceOutcome } from "./outcome.ts";
import { makeScrapes } from "./scrapes.ts";
import { countNearDuplicates, countSwitches, uncoveredMs } from "./spacing.ts";

/** How much is run in a cell. */
export interface Extent {
  /** Of each replica, for each seed. */
  readonly scrapes: number;
  readonly seeds: number;
  readonly slides: number;
  readonly orders: number;
}

/** For the record. */
export const LONG: Extent = { scrapes: 20_000, seeds: 5, slides: 20, orders: 3 };
/** 20,000 scrapes of each replica in all, for every change. */
export const SHORT: Extent = { ...LONG, scrapes: 4_000, slides: 10 };

/** Counts are sums over the seeds, the others means. Shares are of 1. Live samples alone, unless said otherwise. */
export interface Score {
  readonly samples: number;
  readonly uncovered: number;
  readonly nearDuplicates: number;
  readonly switches: number;
  readonly falseResets: number;
  readonly increaseError: number;
  /** Where `increase` shows something at all, and the share of times at which it does. */
  readonly increaseErrorWhereShown: number;
  readonly increaseShown: number;
  readonly gaugeError: number;
  /** Of `slides` slides, inside the strategy's margin. */
  readonly flips: number;
  readonly flipsInsideTwo: number;
  readonly flipsWithMarkers: number;
  readonly slides: number;
  readonly flipsByOrder: number;
}

export interface CellScores {
  readonly cell: Cell;
  /** The least share of uncovered time that a subset without doubles reaches, mean of the seeds. */
  readonly optimum: number;
  readonly scores: Readonly<Record<Contestant, Score>>;
}

const ORDER_WINDOW_INTERVALS = 240;

export async function measureCell(cell: Cell, extent: Extent): Promise<CellScores> {
  const optima: number[] = [];
  const scores = new Map<Contestant, Score[]>(CONTESTANTS.map((contestant) => [contestant, []]));
  for (let seed = 1; seed <= extent.seeds; seed++) {
    const scrapes = makeScrapes(cell, extent.scrapes, seed);
    const random = seededRandom(1_000_000 + seed);
    const { truth, replicas, firstMs, lastMs } = scrapes;
    const { intervalMs } = cell;
    const slides = drawSlides(scrapes, intervalMs, extent.slides, random);
    const questions = makeQuestions(truth, intervalMs, firstMs, lastMs);
    const blocks = blocksOf(replicas);
    for (const contestant of CONTESTANTS) {
      const strategy = makeContestant(contestant, intervalMs);
      const live = liveRows(spliceOutcome(replicas, blocks, strategy));
      const increase = measureIncrease(live, questions);
      const flips = countFlips(replicas, blocks, strategy, slides, intervalMs, marginScrapes(contestant));
      const orderFromMs = slides[0]!.startMs;
      if (contestant === "union") {
        optima.push(leastUncoveredMs(live.timestamps, intervalMs, firstMs, lastMs) / (lastMs - firstMs));
      }
      scores.get(contestant)!.push({
        samples: live.timestamps.length,
        uncovered: uncoveredMs(live.timestamps, intervalMs, firstMs, lastMs) / (lastMs - firstMs),
        nearDuplicates: countNearDuplicates(live.timestamps, intervalMs),
        switches: countSwitches(live.replicas),
        falseResets: countFalseResets(live, replicas, truth),
        increaseError: increase.mean,
        increaseErrorWhereShown: increase.meanWhereShown,
        increaseShown: increase.shownShare,
        gaugeError: measureGauge(live, replicas, truth, questions),
        flips: flips.ofLiveSamples,
        flipsInsideTwo: flips.insideTwo,
        flipsWithMarkers: flips.ofAll,
        slides: slides.length,
        flipsByOrder: await countFlipsByOrder(
          replicas,
          strategy,
          orderFromMs,
          orderFromMs + ORDER_WINDOW_INTERVALS * intervalMs,
          extent.orders,
          random,
        ),
      });
    }
  }
  return {
    cell,
    optimum: mean(optima),
    scores: Object.fromEntries(
      [...scores].map(([contestant, ofSeeds]) => [contestant, summarise(ofSeeds)]),
    ) as unknown as CellScores["scores"],
  };
}

function summarise(ofSeeds: readonly Score[]): Score {
  const sumOf = (name: keyof Score) => ofSeeds.reduce((sum, score) => sum + score[name], 0);
  const meanOf = (name: keyof Score) => sumOf(name) / ofSeeds.length;
  return {
    samples: sumOf("samples"),
    uncovered: meanOf("uncovered"),
    nearDuplicates: sumOf("nearDuplicates"),
    switches: sumOf("switches"),
    falseResets: sumOf("falseResets"),
    increaseError: meanOf("increaseError"),
    increaseErrorWhereShown: meanOf("increaseErrorWhereShown"),
    increaseShown: meanOf("increaseShown"),
    gaugeError: meanOf("gaugeError"),
    flips: sumOf("flips"),
    flipsInsideTwo: sumOf("flipsInsideTwo"),
    flipsWithMarkers: sumOf("flipsWithMarkers"),
    slides: sumOf("slides"),
    flipsByOrder: sumOf("flipsByOrder"),
  };
}

export function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}
