/** The naive twin of `coverage` at level splice: over the whole spliced series. It imports nothing from the sources. */
export interface Sample {
  readonly t: number;
  readonly replica: number;
}

export interface Covered {
  readonly samples: number;
  readonly switches: number;
  readonly nearDuplicates: number;
  readonly holes: readonly { readonly fromMs: number; readonly toMs: number }[];
}

export function coverageTwin(samples: readonly Sample[], givenMs: number | undefined): Covered {
  const second = samples.findIndex((sample, index) =>
    samples.slice(0, index).some(({ replica }) => replica === sample.replica),
  );
  const gaps = samples.slice(1).map((sample, index) => {
    const before = samples[index]!;
    const until = samples.slice(0, index + 2);
    const intervalMs =
      givenMs ??
      estimate(until, before.replica) ??
      estimate(until, sample.replica) ??
      (second < 0
        ? Number.NaN
        : estimate(samples.slice(0, Math.max(second + 1, index + 2)), samples[second]!.replica)!);
    return { before, sample, gapMs: sample.t - before.t, intervalMs };
  });
  return {
    samples: samples.length,
    switches: gaps.filter(({ before, sample }) => before.replica !== sample.replica).length,
    nearDuplicates: gaps.filter(({ gapMs, intervalMs }) => gapMs < 0.45 * intervalMs).length,
    holes: gaps
      .filter(({ gapMs, intervalMs }) => gapMs > 1.5 * intervalMs)
      .map(({ before, sample }) => ({ fromMs: before.t, toMs: sample.t })),
  };
}

/** From the last 16 times between a replica's samples; undefined where it has not two. */
function estimate(samples: readonly Sample[], replica: number): number | undefined {
  const times = samples.filter((sample) => sample.replica === replica).map(({ t }) => t);
  const deltas = times
    .slice(1)
    .map((t, index) => t - times[index]!)
    .slice(-16);
  if (deltas.length === 0) {
    return undefined;
  }
  const quantile = deltas.toSorted((one, other) => one - other)[Math.floor(0.2 * deltas.length)]!;
  const regular = deltas.filter((delta) => delta <= 1.5 * quantile);
  return regular.reduce((sum, delta) => sum + delta, 0) / regular.length;
}
