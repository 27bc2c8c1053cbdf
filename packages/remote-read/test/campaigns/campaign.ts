/**
 * A campaign is a test over more cases than anybody would write down: bodies, chunks, disconnects, simulated days. Each case is
 * made from a number alone, its *seed*, so that any of them can be run again.
 *
 *     npm run campaigns                                each for its seconds, from a seed that nobody chose
 *     npm run campaigns -- --full                      each until its count is reached, from seed 0
 *     CAMPAIGN_SEED=4711 npm run campaigns -- snappy   one case of one campaign, the one that failed
 */
import { appendFileSync } from "node:fs";

import { expect, test } from "vitest";

export interface Goal {
  /** The fewest cases that a full run takes. */
  readonly count: number;
  /** What is counted, in the plural. */
  readonly of: string;
  /** How long a short run goes on, 60 at most. */
  readonly seconds: number;
}

/** What a campaign measured, by name, for those who read its result. */
export type Figures = Readonly<Record<string, number | string>>;

export interface Cases extends Iterable<number> {
  /** Whether no seed is left; for campaigns that take several at once. */
  readonly isOver: boolean;
}

const full = process.env["CAMPAIGN_FULL"] !== undefined;
const replayed = process.env["CAMPAIGN_SEED"];
const results = process.env["CAMPAIGN_RESULTS"];
const FULL_MS = 3_600_000;

/**
 * Declares a campaign as a test. `run` takes seeds (32-bit integers, counted as they are taken) until there are none left and
 * throws at the first case that is wrong; the error then says which seed that was.
 */
export function campaign(title: string, goal: Goal, run: (cases: Cases) => Figures | Promise<Figures>): void {
  test(
    // oxlint-disable-next-line vitest/valid-title -- each campaign gives a text
    title,
    async () => {
      const cases = new CountedCases(goal);
      let figures: Figures;
      try {
        figures = await run(cases);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new Error(`with CAMPAIGN_SEED=${cases.last} or one taken shortly before: ${reason}`, { cause: error });
      }
      const seconds = cases.elapsedMs / 1000;
      tell(title, goal, cases, seconds, figures);
      expect(cases.count).toBeGreaterThanOrEqual(full ? goal.count : 1);
    },
    full ? FULL_MS : 300_000,
  );
}

class CountedCases implements Cases {
  readonly first: number = replayed === undefined ? (full ? 0 : Date.now() | 0) : Number(replayed) | 0;
  count = 0;
  last = this.first;
  readonly #goal: Goal;
  readonly #startedMs = performance.now();

  constructor(goal: Goal) {
    this.#goal = goal;
  }

  get elapsedMs(): number {
    return performance.now() - this.#startedMs;
  }

  get isOver(): boolean {
    if (replayed !== undefined) {
      return this.count > 0;
    }
    return full ? this.count >= this.#goal.count : this.count > 0 && this.elapsedMs >= this.#goal.seconds * 1000;
  }

  *[Symbol.iterator](): Generator<number, void, undefined> {
    while (!this.isOver) {
      this.last = (this.first + this.count) | 0;
      this.count++;
      yield this.last;
    }
  }
}

function tell(title: string, goal: Goal, cases: CountedCases, seconds: number, figures: Figures): void {
  const measured = Object.entries(figures).map(([name, figure]) => `${name} ${format(figure)}`);
  const head = `${title}: ${format(cases.count)} ${goal.of} in ${seconds.toFixed(1)} s, from seed ${cases.first}`;
  console.log([head, ...measured].join("; "));
  if (results !== undefined) {
    const line = { title, of: goal.of, goal: goal.count, count: cases.count, seconds, seed: cases.first, figures };
    appendFileSync(results, `${JSON.stringify(line)}\n`);
  }
}

function format(figure: number | string): string {
  return typeof figure === "string" ? figure : figure.toLocaleString("en-US", { maximumFractionDigits: 2 });
}
