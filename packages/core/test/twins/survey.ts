/** The naive twin of the survey of replicas: over whole lists. It imports nothing from the sources. */
import type { Row } from "./penalty.ts";

interface Surveyed {
  readonly samples: number;
  readonly holes: readonly { readonly fromMs: number; readonly toMs: number }[];
  readonly uncoveredMs: number;
}

interface SurveyedReplica extends Surveyed {
  readonly intervalMs: number;
  readonly jitterMs: number;
  readonly compared: number;
  readonly disagreements: number;
}

export function surveyTwin(
  replicas: readonly (readonly Row[])[],
  startMs: number,
  givenMs: number | undefined,
): { fromMs: number; toMs: number; replicas: SurveyedReplica[]; union: Surveyed } {
  const times = [...new Set(replicas.flat().map(({ t }) => t))].toSorted((one, other) => one - other);
  const fromMs = startMs === -Infinity ? (times[0] ?? -Infinity) : startMs;
  const toMs = times.at(-1) ?? fromMs;
  /** The interval of a replica from its samples up to a time. */
  const intervalOf = (replica: number, untilMs: number) => givenMs ?? estimate(replicas[replica]!, untilMs);
  const givers = times.map((time) => replicas.findIndex((rows) => rows.some(({ t }) => t === time)));
  const union = count(times, fromMs, (index) => {
    const [before, after] = [givers[index - 1]!, givers[index]!];
    const own = intervalOf(before, before === after ? times[index]! : times[index]! - 1);
    return Number.isNaN(own) ? intervalOf(after, times[index]!) : own;
  });
  return {
    fromMs,
    toMs,
    union,
    replicas: replicas.map((rows, replica) => {
      const intervals = rows.map(({ t }) => intervalOf(replica, t));
      const counted = count(
        rows.map(({ t }) => t),
        fromMs,
        (index) => intervals[index]!,
      );
      const intervalMs = intervals.at(-1) ?? givenMs ?? Number.NaN;
      const tailMs = rows.length === 0 ? toMs - fromMs : toMs - rows.at(-1)!.t - 1.25 * intervalMs;
      const usual = rows.flatMap(({ t }, index) => {
        const delta = t - (rows[index - 1]?.t ?? -Infinity);
        return delta <= 1.5 * intervals[index]! ? [{ index, delta }] : [];
      });
      const offs = usual
        .filter(({ index, delta }) => delta >= 0.5 * intervals[index]!)
        .map(({ index, delta }) => Math.abs(delta - intervals[index]!));
      const pairs = usual.flatMap(({ index }) =>
        replicas.flatMap((others, other) => {
          const [before, after] = [rows[index - 1]!, rows[index]!];
          const latest = others.findLast(({ t }) => t < after.t || (t === after.t && other < replica));
          const isBetween = other !== replica && latest !== undefined && latest.t >= before.t;
          return isBetween && valueOf(before) <= valueOf(after) && !Number.isNaN(valueOf(latest))
            ? [valueOf(latest) < valueOf(before) || valueOf(latest) > valueOf(after)]
            : [];
        }),
      );
      return {
        ...counted,
        uncoveredMs: counted.uncoveredMs + (tailMs > 0 ? tailMs : 0),
        intervalMs,
        jitterMs: offs.reduce((sum, off) => sum + off, 0) / offs.length,
        compared: pairs.length,
        disagreements: pairs.filter((isOutside) => isOutside).length,
      };
    }),
  };
}

function count(times: readonly number[], fromMs: number, intervalAt: (index: number) => number): Surveyed {
  const gaps = times.slice(1).map((toMs, index) => ({
    hole: { fromMs: times[index]!, toMs },
    gapMs: toMs - times[index]!,
    intervalMs: intervalAt(index + 1),
  }));
  return {
    samples: times.length,
    holes: gaps.filter(({ gapMs, intervalMs }) => gapMs > 1.5 * intervalMs).map(({ hole }) => hole),
    uncoveredMs: gaps.reduce(
      (sum, { gapMs, intervalMs }) => sum + (gapMs > 1.25 * intervalMs ? gapMs - 1.25 * intervalMs : 0),
      times.length === 0 ? 0 : times[0]! - fromMs,
    ),
  };
}

function estimate(rows: readonly Row[], untilMs: number): number {
  const times = rows.map(({ t }) => t).filter((t) => t <= untilMs);
  const deltas = times
    .slice(1)
    .map((t, index) => t - times[index]!)
    .slice(-16);
  const quantile = deltas.toSorted((one, other) => one - other)[Math.floor(0.2 * deltas.length)]!;
  const regular = deltas.filter((delta) => delta <= 1.5 * quantile);
  return regular.reduce((sum, delta) => sum + delta, 0) / regular.length;
}

function valueOf({ high, low, histogram }: Row): number {
  if (histogram !== undefined) {
    return Number.NaN;
  }
  const bits = new DataView(new ArrayBuffer(8));
  bits.setUint32(0, high);
  bits.setUint32(4, low);
  return bits.getFloat64(0);
}
