/**
 * The demo's measures once more, from plain lists of samples and by other means: a share of time is added up sample by sample,
 * a point of a graph looks through all samples, a hole's cause is read off the replicas. Imports nothing from `src`.
 */

export interface NaiveSample {
  readonly timeMs: number;
  readonly bits: bigint;
  readonly replica: number;
}

const STALE_BITS = 0x7ff0000000000002n;

export interface NaiveTrack {
  readonly coverage: number;
  readonly holeCount: number;
  readonly samples: number;
  readonly doubles: number;
}

export interface NaiveHole {
  readonly fromMs: number;
  readonly toMs: number;
  readonly replica: number;
  readonly samplesLeftOut: number;
  readonly mark: string;
}

export function measureNaively(
  samples: readonly NaiveSample[],
  { fromMs, toMs }: { fromMs: number; toMs: number },
  intervalMs: number,
): NaiveTrack {
  const covered = samples.map(({ timeMs }, row) => {
    const untilMs = samples[row + 1]?.timeMs ?? toMs;
    return Math.min(untilMs - timeMs, 1.25 * intervalMs);
  });
  const gaps = pairUp(samples).map(([left, right]) => right.timeMs - left.timeMs);
  return {
    coverage: covered.reduce((sum, ms) => sum + ms, 0) / (toMs - fromMs),
    holeCount: gaps.filter((gapMs) => gapMs > 1.5 * intervalMs).length,
    samples: samples.length,
    doubles: gaps.filter((gapMs) => gapMs < 0.45 * intervalMs).length,
  };
}

export function countSwitchesNaively(samples: readonly NaiveSample[]): number {
  return pairUp(samples).filter(([left, right]) => left.replica !== right.replica).length;
}

/**
 * How often the samples of a window that slides over all the time in 60 steps change, between two intervals after the later
 * start and one and a half before the earlier end.
 */
export function countFlipsNaively(
  replicas: readonly (readonly NaiveSample[])[],
  { fromMs, toMs }: { fromMs: number; toMs: number },
  intervalMs: number,
  spliceThem: (
    replicas: readonly (readonly NaiveSample[])[],
    window: { readonly startMs: number; readonly endMs: number },
  ) => readonly NaiveSample[],
): number {
  const lengthMs = Math.floor(Math.min((toMs - fromMs) / 3, 240 * intervalMs));
  const stepMs = 1000 * Math.floor((toMs - fromMs - lengthMs) / 60_000);
  const windows = Array.from({ length: 61 }, (_, index) => {
    const endMs = toMs - (60 - index) * stepMs;
    const startMs = endMs - lengthMs;
    const inside = replicas.map((all) => all.filter(({ timeMs }) => timeMs >= startMs && timeMs <= endMs));
    return { startMs, endMs, samples: spliceThem(inside, { startMs, endMs }) };
  });
  return pairUp(windows).filter(([before, after]) => {
    const [older, newer] = [before, after].map(({ samples }) =>
      samples
        .filter(({ timeMs }) => timeMs >= after.startMs + 2 * intervalMs && timeMs <= before.endMs - 1.5 * intervalMs)
        .map(({ timeMs, replica }) => `${timeMs} ${replica}`)
        .join(),
    );
    return older !== newer;
  }).length;
}

/** What a graph shows at each instant: the newest sample of five minutes, nothing where that is a stale marker. */
export function readGraphNaively(
  samples: readonly NaiveSample[],
  { fromMs, toMs }: { fromMs: number; toMs: number },
  intervalMs: number,
): string[] {
  const count = Math.floor((toMs - fromMs) / intervalMs) + 1;
  return Array.from({ length: count }, (_, point) => {
    const timeMs = fromMs + point * intervalMs;
    const newest = samples.findLast((sample) => sample.timeMs <= timeMs);
    const isShown = newest !== undefined && newest.bits !== STALE_BITS && newest.timeMs > timeMs - 300_000;
    return isShown ? newest.bits.toString(16) : "nothing";
  });
}

/** The holes of a spliced series, each with the sign that stands for its cause on the screen. */
export function findHolesNaively(
  spliced: readonly NaiveSample[],
  replicas: readonly (readonly NaiveSample[])[],
  intervalMs: number,
): NaiveHole[] {
  return pairUp(spliced)
    .filter(([left, right]) => right.timeMs - left.timeMs > 1.5 * intervalMs)
    .map(([left, right]) => {
      const isInside = ({ timeMs, bits }: NaiveSample): boolean =>
        timeMs > left.timeMs && timeMs < right.timeMs && bits !== STALE_BITS;
      const inside = replicas.flat().filter(isInside);
      const goesOn = replicas[left.replica]!.some(
        ({ timeMs }) => timeMs > left.timeMs && timeMs <= left.timeMs + 2.5 * intervalMs,
      );
      return {
        fromMs: left.timeMs,
        toMs: right.timeMs,
        replica: left.replica,
        samplesLeftOut: inside.length,
        mark: inside.length === 0 ? "x" : goesOn ? "'" : "^",
      };
    });
}

function pairUp<T>(list: readonly T[]): (readonly [T, T])[] {
  return list.slice(1).map((item, index) => [list[index]!, item] as const);
}
