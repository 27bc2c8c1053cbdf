/**
 * The naive twin of `fill`: whole arrays, one pass a replica, the rule word by word. It imports nothing from src.
 *
 *     F0 = the live samples of replica 0
 *     Fk = F(k−1), and in its holes samples of replica k
 */
import type { Row } from "./penalty.ts";

export interface FillTwinOptions {
  readonly intervalMs?: number | undefined;
  readonly staleMarkers?: "live-wins" | "keep" | "drop" | undefined;
  readonly counter?: boolean | undefined;
  /** First and last instant of the window, inclusive; rows outside are no input. */
  readonly startMs?: number | undefined;
  readonly endMs?: number | undefined;
}

interface FilledSample {
  readonly t: number;
  readonly replica: number;
  /** Row of its replica as it was given. */
  readonly row: number;
  readonly isStale: boolean;
}

/** A hole in which samples were looked for, with the I and J that were used. */
interface LookedAtHole {
  readonly fromMs: number;
  readonly toMs: number;
  readonly replica: number;
  readonly intervalMs: number;
  readonly spacingMs: number;
}

export interface Filled {
  readonly samples: readonly FilledSample[];
  readonly holes: readonly LookedAtHole[];
  /** Samples that could not be judged, since nobody's interval is known. */
  readonly unjudged: number;
  /** With `counter`: samples taken though they show a reset that no replica has. */
  readonly falseResets: number;
}

interface Sample extends FilledSample {
  readonly value: number;
  /** I: the interval of its replica as of this sample; undefined where the replica has one row. */
  readonly intervalMs: number | undefined;
}

const DELTAS = 16;

export function fillTwin(replicas: readonly (readonly Row[])[], options: FillTwinOptions = {}): Filled {
  const { startMs = -Infinity, endMs = Infinity } = options;
  const samples = replicas.map((rows, replica) => readSamples(rows, replica, options));
  // Of what lies outside the window only counts whether there is something after its end.
  const times = replicas.flatMap((rows) => rows.map(({ t }) => t));
  const edges = {
    start: startMs === -Infinity ? Math.min(...times) : startMs,
    end: Math.min(endMs, Math.max(...times)),
  };
  const live = samples.map((list) => list.filter(({ isStale }) => !isStale));
  const holes: LookedAtHole[] = [];
  let unjudged = 0;
  let filled: Sample[] = [];
  for (const candidates of live) {
    if (filled.length === 0) {
      filled = candidates;
      continue;
    }
    const next: Sample[] = [];
    for (let index = -1; index < filled.length; index++) {
      const before = filled[index];
      const after = filled[index + 1];
      if (before !== undefined) {
        next.push(before);
      }
      const inside = candidates.filter(
        ({ t }) => (before === undefined || t > before.t) && (after === undefined || t < after.t),
      );
      const own = inside[0]?.intervalMs;
      const interval = (before ?? after)!.intervalMs ?? own;
      if (inside.length === 0 || interval === undefined) {
        unjudged += inside.length;
        continue;
      }
      const from = Math.max(before?.t ?? -Infinity, edges.start);
      if (!(Math.min(after?.t ?? Infinity, edges.end) - from > 1.5 * interval)) {
        continue;
      }
      const spacing = Math.min(interval, own ?? Infinity);
      holes.push({
        fromMs: before?.t ?? -Infinity,
        toMs: after?.t ?? Infinity,
        replica: inside[0]!.replica,
        intervalMs: interval,
        spacingMs: spacing,
      });
      let last: Sample | undefined = before;
      for (const sample of inside) {
        const untilNext = (after?.t ?? Infinity) - (last?.t ?? edges.start);
        if (
          sample.t - (last?.t ?? -Infinity) >= 0.5 * spacing &&
          (after?.t ?? Infinity) - sample.t >= 0.5 * spacing &&
          untilNext > 1.5 * spacing
        ) {
          next.push(sample);
          last = sample;
        }
      }
    }
    filled = next;
  }
  const { kept, falseResets } =
    options.counter === true ? leaveOutResets(filled, samples) : { kept: filled, falseResets: 0 };
  return { samples: addMarkers(kept, samples, edges, options), holes, unjudged, falseResets };
}

/** A replica's rows inside the window. */
function readSamples(rows: readonly Row[], replica: number, options: FillTwinOptions): Sample[] {
  const { startMs = -Infinity, endMs = Infinity } = options;
  const inside = rows.map((row, index) => ({ ...row, index })).filter(({ t }) => t >= startMs && t <= endMs);
  const deltas = inside.slice(1).map(({ t }, place) => t - inside[place]!.t);
  return inside.map((row, place) => ({
    t: row.t,
    replica,
    row: row.index,
    isStale: row.histogram === undefined && row.high >>> 0 === 0x7ff00000 && row.low === 2,
    value: valueOf(row),
    intervalMs: options.intervalMs ?? estimate(deltas, place),
  }));
}

/** The interval at a row: of the last 16 deltas, or the first 16, the mean of those up to 1.5 × their 20 % quantile. */
function estimate(deltas: readonly number[], row: number): number | undefined {
  const used = row >= DELTAS ? deltas.slice(row - DELTAS, row) : deltas.slice(0, DELTAS);
  if (used.length === 0) {
    return undefined;
  }
  const sorted = used.toSorted((one, other) => one - other);
  const quantile = sorted[Math.floor(0.2 * sorted.length)]!;
  const regular = sorted.filter((delta) => delta <= 1.5 * quantile);
  return regular.reduce((sum, delta) => sum + delta, 0) / regular.length;
}

/**
 * Counter mode, over what was filled: at a switch a value below the one shown last is left out, unless its replica has a
 * reset of its own since then, or the sample shown last is more than 1.5 intervals ago.
 */
function leaveOutResets(
  filled: readonly Sample[],
  samples: readonly (readonly Sample[])[],
): { readonly kept: Sample[]; readonly falseResets: number } {
  const kept: Sample[] = [];
  let falseResets = 0;
  for (const sample of filled) {
    const last = kept.at(-1);
    const isReset = last !== undefined && last.replica !== sample.replica && sample.value < last.value;
    if (isReset && !hasOwnReset(samples[sample.replica]!, last.t, sample.t)) {
      // Where no interval is known there is nothing to wait for.
      if (sample.t - last.t <= 1.5 * (last.intervalMs ?? sample.intervalMs ?? 0)) {
        continue;
      }
      falseResets++;
    }
    kept.push(sample);
  }
  return { kept, falseResets };
}

/** Whether a replica's value falls from one live sample to its next, the second in `(after, until]`. */
function hasOwnReset(list: readonly Sample[], after: number, until: number): boolean {
  return list.some((sample, row) => {
    if (sample.isStale || sample.t <= after || sample.t > until) {
      return false;
    }
    // Markers between the two are passed over, but not more than an estimate looks back.
    const before = list.slice(Math.max(0, row - DELTAS), row).findLast(({ isStale }) => !isStale);
    return before !== undefined && sample.value < before.value;
  });
}

function addMarkers(
  filled: readonly Sample[],
  samples: readonly (readonly Sample[])[],
  edges: { readonly start: number; readonly end: number },
  { staleMarkers = "live-wins" }: FillTwinOptions,
): FilledSample[] {
  const all = samples
    .flat()
    .filter(({ isStale }) => isStale)
    .toSorted((one, other) => one.t - other.t || one.replica - other.replica);
  const result: FilledSample[] = [];
  for (let index = -1; index < filled.length; index++) {
    const before = filled[index];
    const after = filled[index + 1];
    if (before !== undefined) {
      result.push(before);
    }
    const markers = all.filter(
      ({ t }) => (before === undefined || t > before.t) && (after === undefined || t < after.t),
    );
    if (staleMarkers === "keep") {
      result.push(...markers.filter(({ replica }) => replica === before?.replica));
    } else if (staleMarkers === "live-wins") {
      const shown = markers.find((marker) => {
        const nearest = before ?? after;
        const interval = nearest?.intervalMs ?? marker.intervalMs;
        if (interval === undefined) {
          return false;
        }
        const from = Math.max(before?.t ?? -Infinity, edges.start);
        const isHole = Math.min(after?.t ?? Infinity, edges.end) - from > 1.5 * interval;
        const isFollowed = samples.some((list, replica) =>
          list.some(
            ({ t, isStale }) =>
              replica !== marker.replica && !isStale && t > marker.t && t - marker.t <= 1.5 * interval,
          ),
        );
        return !isFollowed && (isHole || marker.replica === before?.replica);
      });
      if (shown !== undefined) {
        result.push(shown);
      }
    }
  }
  return result;
}

/** NaN for a histogram: it is below nothing. */
function valueOf({ high, low, histogram }: Row): number {
  if (histogram !== undefined) {
    return NaN;
  }
  const bits = new DataView(new ArrayBuffer(8));
  bits.setUint32(0, high);
  bits.setUint32(4, low);
  return bits.getFloat64(0);
}
