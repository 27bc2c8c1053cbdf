/** What `fill` promises for a given interval that is at most every replica's own, each a property over many cases. */
import { afterAll, expect, test } from "vitest";
import { fill, splice } from "../src/index.ts";
import { drawFillScene } from "./fill-generators.ts";
import { blockOf, cut, formatRow } from "./samples.ts";
import type { Row } from "./twins/penalty.ts";

const CASES = 10_000;
const SCRAPES = 100;

interface Shown {
  readonly t: number;
  readonly replica: number;
  readonly source: Row;
  readonly isStale: boolean;
}

function isStale({ high, low, histogram }: Row): boolean {
  return histogram === undefined && high === 0x7ff00000 && low === 2;
}

function spliced(
  replicas: readonly (readonly Row[])[],
  intervalMs: number,
  random: () => number,
  startMs = -Infinity,
  endMs = Infinity,
): Shown[] {
  const rowOfBlock = new Map<unknown, { readonly replica: number; readonly first: number }>();
  const blocks = replicas.map((rows, replica) => {
    const list = random() < 0.5 ? (rows.length === 0 ? [] : [blockOf(rows)]) : cut(rows, () => 1 + random() * 40);
    let first = 0;
    for (const block of list) {
      rowOfBlock.set(block, { replica, first });
      first += block.count;
    }
    return list;
  });
  const shown: Shown[] = [];
  for (const { replica, block, start, end } of splice(blocks, fill({ intervalMs }), { startMs, endMs })) {
    const at = rowOfBlock.get(block)!;
    for (let row = start; row < end; row++) {
      const source = replicas[replica]![at.first + row]!;
      shown.push({ t: source.t, replica, source, isStale: isStale(source) });
    }
  }
  return shown;
}

const format = ({ t, source }: Shown): string => `${t} ${formatRow(source, false)}`;
const live = (shown: readonly Shown[]): Shown[] => shown.filter((sample) => !sample.isStale);

/** How many of the cases that a test drew have what. */
const shares = { cases: 0, holes: 0, markers: 0, switches: 0 };

function check(
  name: string,
  property: (
    shown: readonly Shown[],
    replicas: readonly (readonly Row[])[],
    intervalMs: number,
    random: () => number,
  ) => void,
  most = Infinity,
): void {
  test(name, () => {
    let bad=0;
    for (let seed = 0; seed < CASES; seed++) {
      const { replicas, intervalMs, random } = drawFillScene(seed * 7919 + name.length, {
        scrapes: SCRAPES,
        replicas: 2 + (seed % 3),
        isUneven: false,
      });
      const shown = spliced(replicas, intervalMs, random);
      const samples = live(shown);
      shares.cases++;
      shares.markers += shown.length > samples.length ? 1 : 0;
      shares.switches += samples.some(({ replica }, index) => index > 0 && samples[index - 1]!.replica !== replica) ? 1 : 0;
      shares.holes += samples.some(({ t }, index) => index > 0 && t - samples[index - 1]!.t > 1.5 * intervalMs) ? 1 : 0;
      try {
        property(shown, replicas, intervalMs, random);
      } catch (error) {
        bad++;
        if (bad > 3) throw new Error(`seed ${seed}: ${String(error).slice(0,800)}`, { cause: error });
      }
    }
    expect(bad).toBe(0);
  });
}

afterAll(() => {
  const { cases } = shares;
  console.log(`of ${cases} cases with a hole left ${shares.holes}, a marker ${shares.markers}, a switch ${shares.switches}`);
  for (const count of [shares.holes, shares.markers, shares.switches]) {
    expect(count).toBeGreaterThan(cases / 3);
  }
});

check("the output is a subset of the input and its times increase", (shown, replicas) => {
  shown.forEach(({ t, replica, source }, index) => {
    if (!(index === 0 || t > shown[index - 1]!.t) || !replicas[replica]!.includes(source)) {
      throw new Error(`sample ${index}`);
    }
  });
});

check("no two live samples of different replicas are closer than half an interval", (shown, _, intervalMs) => {
  const samples = live(shown);
  samples.forEach(({ t, replica }, index) => {
    const before = samples[index - 1];
    if (before !== undefined && before.replica !== replica && t - before.t < 0.5 * intervalMs) {
      throw new Error(`${before.t} and ${t}`);
    }
  });
});

check("no hole that is left holds a live sample half an interval away from both ends", (shown, replicas, intervalMs) => {
  const samples = live(shown);
  const times = replicas.flatMap((rows) => rows.map(({ t }) => t));
  const start = Math.min(...times);
  const end = Math.max(...times);
  const candidates = replicas.flatMap((rows) => rows.filter((row) => !isStale(row)).map(({ t }) => t));
  for (let index = -1; index < samples.length; index++) {
    const from = samples[index]?.t ?? -Infinity;
    const to = samples[index + 1]?.t ?? Infinity;
    if (Math.min(to, end) - Math.max(from, start) > 1.5 * intervalMs) {
      const missed = candidates.find((t) => t - from >= 0.5 * intervalMs && to - t >= 0.5 * intervalMs);
      if (missed !== undefined) {
        throw new Error(`${missed} in the hole ${from} to ${to}`);
      }
    }
  }
});

check("a spliced series spliced again is the same", (shown, _, intervalMs, random) => {
  const again = spliced([shown.map(({ source }) => source)], intervalMs, random);
  expect(again.map(format).join("\n")).toBe(shown.map(format).join("\n"));
});

check("a spliced series before its replicas has the same live samples", (shown, replicas, intervalMs, random) => {
  const again = spliced([shown.map(({ source }) => source), ...replicas], intervalMs, random);
  expect(live(again).map(format).join("\n")).toBe(live(shown).map(format).join("\n"));
});

check("block boundaries do not matter", (shown, replicas, intervalMs, random) => {
  const again = spliced(replicas, intervalMs, random);
  expect(again.map(format).join("\n")).toBe(shown.map(format).join("\n"));
});

check("windows agree from two intervals inside their edges on", (shown, replicas, intervalMs, random) => {
  const times = replicas.flatMap((rows) => rows.map(({ t }) => t));
  const pick = () => (times[Math.floor(random() * times.length)] ?? 0) + Math.floor(random() * 3) - 1;
  const [startMs, endMs] = [pick(), pick()];
  const inside = ({ t }: Shown) => t >= startMs + 2 * intervalMs && t <= endMs - 2 * intervalMs;
  const again = spliced(replicas, intervalMs, random, startMs, endMs);
  expect(again.filter(inside).map(format).join("\n")).toBe(shown.filter(inside).map(format).join("\n"));
});

check("a marker is followed by no live sample of another replica within 1.5 intervals", (shown, replicas, intervalMs) => {
  for (const { t, replica } of shown.filter((sample) => sample.isStale)) {
    const contradicted = replicas.some(
      (rows, other) =>
        other !== replica && rows.some((row) => !isStale(row) && row.t > t && row.t - t <= 1.5 * intervalMs),
    );
    if (contradicted) {
      throw new Error(`marker at ${t}`);
    }
  }
});
