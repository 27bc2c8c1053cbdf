/**
 * The naive twin of `interval`: samples sorted into buckets, and of each bucket's latest time the sample that is left when
 * they are gone through from the last replica to the first, as VictoriaMetrics does. It imports nothing from the sources.
 */
import type { Row, Shown } from "./penalty.ts";

interface Sample extends Shown {
  readonly sample: Row;
}

export function intervalTwin(replicas: readonly (readonly Row[])[], intervalMs: number): Shown[] {
  const buckets = new Map<bigint, Sample[]>();
  replicas.forEach((rows, replica) =>
    rows.forEach((sample, row) => {
      const key = ceilDivide(BigInt(sample.t), BigInt(intervalMs));
      buckets.set(key, [...(buckets.get(key) ?? []), { t: sample.t, replica, row, add: 0, sample }]);
    }),
  );
  return [...buckets]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([, samples]) => {
      const latest = Math.max(...samples.map(({ t }) => t));
      const { t, replica, row, add } = pick(samples.filter((sample) => sample.t === latest));
      return { t, replica, row, add };
    });
}

function ceilDivide(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend > 0n && quotient * divisor !== dividend ? quotient + 1n : quotient;
}

/** Of samples of equal time, lowest replica first. */
function pick(samples: readonly Sample[]): Sample {
  const live = samples.filter(({ sample }) => !isStale(sample));
  if (live.length === 0) {
    return samples[0]!;
  }
  if (live.some(({ sample }) => sample.histogram !== undefined)) {
    return live[0]!;
  }
  return live.reduceRight((best, candidate) => (valueOf(candidate.sample) > valueOf(best.sample) ? candidate : best));
}

function isStale({ high, low, histogram }: Row): boolean {
  return histogram === undefined && high >>> 0 === 0x7ff00000 && low === 2;
}

function valueOf({ high, low }: Row): number {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setUint32(0, high);
  bits.setUint32(4, low);
  return bits.getFloat64(0);
}
