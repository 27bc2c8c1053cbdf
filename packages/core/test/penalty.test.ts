/** `penalty` against its naive twin: at random, and exhaustively over tiny universes. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Block } from "../src/block.ts";
import { penalty, type Run, splice, spliceAsync } from "../src/index.ts";
import { scenes } from "./generators.ts";
import { onNeed, onNeedAsync } from "./on-need.ts";
import { addTo, cut, floatRow, formatRow, formatRun, formatRuns } from "./samples.ts";
import { penaltyTwin, type Row } from "./twins/penalty.ts";

type Replicas = readonly (readonly Row[])[];

function expectedLines(replicas: Replicas, counter: boolean): string[] {
  return penaltyTwin(replicas, counter).map(
    ({ t, replica, row, add }) => `${t} r${replica} ${formatRow(addTo(replicas[replica]![row]!, add), counter)}`,
  );
}

/** Runs with neighbours of the same replica joined where nothing was left out between them: what block boundaries leave. */
function joinedRuns(runs: Iterable<Run>): string[] {
  const joined: string[] = [];
  let key = "";
  for (const { replica, block, start, end, add } of runs) {
    const times = block.timestamps();
    const next = `${replica} +${add}`;
    if (next === key) {
      joined.push(`${joined.pop()!.replace(/ \S+$/, "")} ${times[end - 1]!}`);
    } else {
      joined.push(`${next} ${times[start]!} ${times[end - 1]!}`);
    }
    key = next;
  }
  return joined;
}

test("agrees with the twin, however the replicas are cut into blocks, handed over on need", () => {
  fc.assert(
    fc.property(scenes, ({ scene: { replicas, counter }, random }) => {
      const expected = expectedLines(replicas, counter);
      for (const rowsMax of [1, 2, 8, Infinity]) {
        const blocks = replicas.map((rows) => cut(rows, () => (rowsMax === 8 ? 1 + random() * 8 : rowsMax)));
        const asked = replicas.map(() => 0);
        const runs = splice(
          blocks.map((list, replica) => onNeed(list, asked, replica)),
          penalty({ counter }),
        );
        expect(formatRuns(runs, counter)).toEqual(expected);
        blocks.forEach((list, replica) => expect(asked[replica]).toBeLessThanOrEqual(list.length));
      }
    }),
    { numRuns: 2500 },
  );
});

test("agrees with the twin inside a window", () => {
  fc.assert(
    fc.property(scenes, ({ scene: { replicas, counter }, random }) => {
      const times = replicas.flatMap((rows) => rows.map(({ t }) => t));
      const pick = () => (times[Math.floor(random() * times.length)] ?? 0) + Math.floor(random() * 3) - 1;
      const [startMs, endMs] = [pick(), pick()];
      const inside = replicas.map((rows) => rows.filter(({ t }) => t >= startMs && t <= endMs));
      const blocks = replicas.map((rows) => cut(rows, () => 1 + random() * 9));
      const runs = splice(blocks, penalty({ counter }), { startMs, endMs });
      expect(formatRuns(runs, counter)).toEqual(expectedLines(inside, counter));
    }),
    { numRuns: 1500 },
  );
});

test("agrees with the twin through the asynchronous driver", async () => {
  await fc.assert(
    fc.asyncProperty(scenes, async ({ scene: { replicas, counter }, random }) => {
      const blocks = replicas.map((rows) => cut(rows, () => 1 + random() * 9));
      const lines: string[] = [];
      const runs = spliceAsync(
        blocks.map((list) => onNeedAsync(list)),
        penalty({ counter }),
      );
      for await (const run of runs) {
        lines.push(...formatRun(run, counter));
      }
      expect(lines).toEqual(expectedLines(replicas, counter));
    }),
    { numRuns: 500 },
  );
});

test("gives maximal runs, which do not depend on block boundaries once neighbours are joined", () => {
  fc.assert(
    fc.property(scenes, ({ scene: { replicas, counter }, random }) => {
      const whole = joinedRuns(
        splice(
          replicas.map((rows) => cut(rows, () => Infinity)),
          penalty({ counter }),
        ),
      );
      const blocks = replicas.map((rows) => cut(rows, () => 1 + random() * 6));
      expect(
        joinedRuns(
          splice(
            blocks.map((list, replica) => onNeed(list, [0, 0, 0, 0, 0], replica)),
            penalty({ counter }),
          ),
        ),
      ).toEqual(whole);
      let before: { replica: number; block: Block; end: number; add: number } | undefined;
      for (const { replica, block, start, end, add } of splice(blocks, penalty({ counter }))) {
        expect(start).toBeLessThan(end);
        const goesOn =
          before?.replica === replica && before.block === block && before.end === start && before.add === add;
        expect(goesOn).toBe(false);
        before = { replica, block, end, add };
      }
    }),
    { numRuns: 1000 },
  );
});

/** Every subset of `steps` times as a replica; with values that fall or rise from one replica to the next. */
function subsets(steps: number, unitMs: number, value: (step: number) => number): Row[][] {
  return Array.from({ length: 2 ** steps }, (_, bits) =>
    Array.from({ length: steps }, (_ignored, step) => step)
      .filter((step) => (bits >> step) & 1)
      .map((step) => floatRow(step * unitMs, value(step))),
  );
}

test("agrees with the twin on all pairs over seven times", () => {
  const falling = subsets(7, 3000, (step) => 50 - step);
  const rising = subsets(7, 3000, (step) => step * 2);
  let cases = 0;
  for (const a of falling) {
    for (const b of rising) {
      for (const counter of [false, true]) {
        const blocks = [a, b].map((rows) => cut(rows, () => 1 + (cases % 3)));
        expect(formatRuns(splice(blocks, penalty({ counter })), counter)).toEqual(expectedLines([a, b], counter));
        cases++;
      }
    }
  }
  expect(cases).toBe(2 * 128 * 128);
});

test("agrees with the twin on all triples over four times", () => {
  const choices = [
    subsets(4, 3000, (step) => 30 - step),
    subsets(4, 3000, (step) => 3 * step),
    subsets(4, 3000, (step) => 20 + step),
  ];
  let cases = 0;
  for (const a of choices[0]!) {
    for (const b of choices[1]!) {
      for (const c of choices[2]!) {
        for (const counter of [false, true]) {
          const blocks = [a, b, c].map((rows) => cut(rows, () => 1 + (cases % 2)));
          expect(formatRuns(splice(blocks, penalty({ counter })), counter)).toEqual(expectedLines([a, b, c], counter));
          cases++;
        }
      }
    }
  }
  expect(cases).toBe(2 * 16 ** 3);
});

test("refuses options that are none", () => {
  // @ts-expect-error: a string is no boolean
  expect(() => penalty({ counter: "yes" })).toThrow(/penalty: counter must be a boolean, got yes/);
});
