/**
 * What is scraped: a counter with known resets and a gauge, both functions of the true time alone.
 *
 *     total     everything counted since the start; never falls
 *     counter   total since the last reset:   ／|／／|／
 *     gauge     the sum of two waves
 *
 * The rates change slowly, in waves of some hundred intervals, so that a scrape that is shown at a wrong time shows.
 */

/** Times are true times in ms, on no replica's clock. */
export interface Truth {
  /** When the counter starts from 0 again, ascending. */
  readonly resetsMs: Float64Array;
  /** Counted from the start to then, resets left out of account: grows, by 50 to 150 an interval. */
  totalAt(timeMs: number): number;
  gaugeAt(timeMs: number): number;
}

/** Half the distance between the largest and the smallest value that the gauge can have. */
export const GAUGE_REACH = 1.5;

const COUNTED_AN_INTERVAL = 100;
const WAVE_INTERVALS = 211;
const GAUGE_WAVES_INTERVALS = [37, 173] as const;

/** `turn` in [0, 1) moves the waves. `resetsMs` is kept. */
export function makeTruth(startMs: number, intervalMs: number, turn: number, resetsMs: Float64Array): Truth {
  const wave = (2 * Math.PI) / (WAVE_INTERVALS * intervalMs);
  const perMs = COUNTED_AN_INTERVAL / intervalMs;
  const shift = 2 * Math.PI * turn;
  const [fast, slow] = GAUGE_WAVES_INTERVALS.map((intervals) => (2 * Math.PI) / (intervals * intervalMs)) as [
    number,
    number,
  ];
  return {
    resetsMs,
    // The integral of perMs × (1 + sin(wave × time + shift) / 2), which is never negative.
    totalAt(timeMs) {
      const passedMs = timeMs - startMs;
      return Math.floor(perMs * (passedMs + (Math.cos(shift) - Math.cos(wave * passedMs + shift)) / (2 * wave)));
    },
    gaugeAt(timeMs) {
      const passedMs = timeMs - startMs;
      return Math.sin(slow * passedMs + shift) + 0.5 * Math.sin(fast * passedMs + 2 * shift);
    },
  };
}

/** How many resets there were up to then, that moment included. */
export function generationAt({ resetsMs }: Truth, timeMs: number): number {
  let low = 0;
  let high = resetsMs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (resetsMs[middle]! <= timeMs) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/** What the counter shows then. */
export function counterAt(truth: Truth, timeMs: number): number {
  const generation = generationAt(truth, timeMs);
  return truth.totalAt(timeMs) - (generation === 0 ? 0 : truth.totalAt(truth.resetsMs[generation - 1]!));
}
