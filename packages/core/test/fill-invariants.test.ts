/**
 * What `fill` promises for a given interval that is at most every replica's own: each promise a property over the same
 * 10,000 cases, of which each third has what makes it interesting.
 */
import { beforeAll, expect, test } from "vitest";
import { fill, splice } from "../src/index.ts";
import { drawFillScene } from "./fill-generators.ts";
import { blockOf, cut, STALE } from "./samples.ts";
import type { Row } from "./twins/penalty.ts";

const CASES = 10_000;
const SCRAPES = 100;

type Replicas = readonly (readonly Row[])[];

/** A sample of the output; `source` is the very row that was given. */
interface Shown {
  readonly t: number;
  readonly replica: number;
  readonly source: Row;
  readonly isStale: boolean;
}

interface Case {
  readonly replicas: Replicas;
  readonly intervalMs: number;
  readonly random: () => number;
  readonly shown: readonly Shown[];
  /** The live samples shown. */
  readonly live: readonly Shown[];
}

function isStale({ high, low, histogram }: Row): boolean {
  return histogram === undefined && high === STALE[0] && low === STALE[1];
}

function spliced(
  replicas: Replicas,
  intervalMs: number,
  random: () => number,
  startMs = -Infinity,
  endMs = Infinity,
): Shown[] {
  const firstRows = new Map<unknown, number>();
  const blocks = replicas.map((rows) => {
    const list = rows.length > 0 && random() < 0.7 ? [blockOf(rows)] : cut(rows, () => 1 + random() * 40);
    let first = 0;
    for (const block of list) {
      firstRows.set(block, first);
      first += block.count;
    }
    return list;
  });
  const shown: Shown[] = [];
  for (const { replica, block, start, end } of splice(blocks, fill({ intervalMs }), { startMs, endMs })) {
    const first = firstRows.get(block)!;
    const timestamps = block.timestamps();
    for (let row = start; row < end; row++) {
      const source = replicas[replica]![first + row]!;
      shown.push({ t: timestamps[row]!, replica, source, isStale: isStale(source) });
    }
  }
  return shown;
}

function onlyLive(shown: readonly Shown[]): Shown[] {
  return shown.filter((sample) => !sample.isStale);
}

/** Where two outputs, made of the same rows, differ; undefined if they do not. */
function difference(one: readonly Shown[], other: readonly Shown[]): string | undefined {
  const at = one.findIndex(({ source }, index) => source !== other[index]?.source);
  return at < 0 && one.length === other.length ? undefined : `${one[at]?.t} instead of ${other[at]?.t}`;
}

/** Each answers what contradicts it in a case, or undefined. */
const PROPERTIES: Readonly<Record<string, (given: Case) => string | undefined>> = {
  "the output is a subset of the input, and its times increase": ({ shown }) =>
    shown.find(({ t, source }, index) => t !== source.t || (index > 0 && t <= shown[index - 1]!.t))?.t.toString(),

  "no two live samples of different replicas are closer than half an interval": ({ live, intervalMs }) =>
    live
      .find(({ t, replica }, index) => {
        const before = live[index - 1];
        return before !== undefined && before.replica !== replica && t - before.t < 0.5 * intervalMs;
      })
      ?.t.toString(),

  "no hole that is left holds a live sample half an interval away from both ends": ({ live, replicas, intervalMs }) => {
    const start = Math.min(...replicas.map((rows) => rows[0]?.t ?? Infinity));
    const end = Math.max(...replicas.map((rows) => rows.at(-1)?.t ?? -Infinity));
    for (let index = -1; index < live.length; index++) {
      const from = live[index]?.t ?? -Infinity;
      const to = live[index + 1]?.t ?? Infinity;
      if (Math.min(to, end) - Math.max(from, start) > 1.5 * intervalMs) {
        const missed = replicas
          .flat()
          .find((row) => !isStale(row) && row.t - from >= 0.5 * intervalMs && to - row.t >= 0.5 * intervalMs);
        if (missed !== undefined) {
          return `${missed.t} in the hole from ${from} to ${to}`;
        }
      }
    }
    return undefined;
  },

  "a spliced series that is spliced again stays the same": ({ shown, intervalMs, random }) =>
    difference(spliced([shown.map(({ source }) => source)], intervalMs, random), shown),

  "a spliced series before its replicas has the same live samples": ({ shown, live, replicas, intervalMs, random }) =>
    difference(onlyLive(spliced([shown.map(({ source }) => source), ...replicas], intervalMs, random)), live),

  "block boundaries do not matter": ({ shown, replicas, intervalMs, random }) =>
    difference(spliced(replicas, intervalMs, random), shown),

  "windows have the same live samples from two intervals inside their edges on": ({
    live,
    replicas,
    intervalMs,
    random,
  }) => {
    const lengthMs = SCRAPES * intervalMs;
    const startMs = Math.min(...replicas.map((rows) => rows[0]?.t ?? Infinity)) + Math.floor(random() * lengthMs);
    const endMs = startMs + Math.floor(random() * lengthMs);
    const isInside = ({ t }: Shown) => t >= startMs + 2 * intervalMs && t <= endMs - 2 * intervalMs;
    const again = onlyLive(spliced(replicas, intervalMs, random, startMs, endMs));
    return difference(again.filter(isInside), live.filter(isInside));
  },

  "a marker is followed by no live sample of another replica within 1.5 intervals": ({ shown, replicas, intervalMs }) =>
    shown
      .find(
        (marker) =>
          marker.isStale &&
          replicas.some(
            (rows, replica) =>
              replica !== marker.replica &&
              rows.some((row) => !isStale(row) && row.t > marker.t && row.t - marker.t <= 1.5 * intervalMs),
          ),
      )
      ?.t.toString(),
};

/** The first case that contradicts a property. */
const contradictions = new Map<string, string>();
const shares = { hole: 0, marker: 0, switch: 0 };

beforeAll(() => {
  for (let seed = 0; seed < CASES; seed++) {
    const weather = { scrapes: SCRAPES, replicas: 2 + (seed % 3), isUneven: false };
    const { replicas, intervalMs, random } = drawFillScene(seed, weather);
    if (replicas[0]!.length === 0) {
      continue;
    }
    const shown = spliced(replicas, intervalMs, random);
    const live = onlyLive(shown);
    shares.hole += live.some(({ t }, index) => index > 0 && t - live[index - 1]!.t > 1.5 * intervalMs) ? 1 : 0;
    shares.marker += shown.length > live.length ? 1 : 0;
    shares.switch += live.some(({ replica }, index) => index > 0 && replica !== live[index - 1]!.replica) ? 1 : 0;
    for (const [name, property] of Object.entries(PROPERTIES)) {
      const contradiction = property({ replicas, intervalMs, random, shown, live });
      if (contradiction !== undefined && !contradictions.has(name)) {
        contradictions.set(name, `seed ${seed}: ${contradiction}`);
      }
    }
  }
}, 120_000);

test.each(Object.keys(PROPERTIES))("%s", (name) => {
  expect(contradictions.get(name)).toBeUndefined();
});

test("a third of the cases at least have a hole that is left, a marker, a switch", () => {
  console.log(
    `of ${CASES} cases a hole is left in ${shares.hole}, a marker in ${shares.marker}, a switch in ${shares.switch}`,
  );
  expect(Math.min(shares.hole, shares.marker, shares.switch)).toBeGreaterThan(CASES / 3);
});
