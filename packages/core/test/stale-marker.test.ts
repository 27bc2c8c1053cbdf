/** Stale markers and all other NaNs keep their bits on every way through, in cold code and after warm-up. */
import { expect, test } from "vitest";
import { dedup, penalty, slice, splice, spliceAsync, spliceBlocks } from "../src/index.ts";
import { blockOf, columnsOf, cut, floatRow, formatRow, rowsOf, rowsOfColumns, STALE } from "./samples.ts";
import { penaltyTwin, type Row } from "./twins/penalty.ts";

const NANS: readonly (readonly [number, number])[] = [STALE, [0x7ff80000, 1], [0xfff80000, 0xdead], [0x7ff00000, 1]];

function nanRow(t: number, which: number): Row {
  const [high, low] = NANS[which % NANS.length]!;
  return { t, high, low, histogram: undefined };
}

/** A pair in which short and long runs take turns, of nothing but NaNs. */
function nanPair(): Row[][] {
  return [0, 700].map((offsetMs, replica) =>
    Array.from({ length: 400 }, (_, scrape) => scrape)
      .filter((scrape) => (scrape < 200 ? scrape % 7 !== replica : Math.floor(scrape / 50) % 2 === replica))
      .map((scrape) => nanRow(scrape * 15_000 + offsetMs, scrape)),
  );
}

function bits(rows: readonly Row[]): string[] {
  return rows.map((row) => `${row.t} ${formatRow(row, false)}`);
}

const pair = nanPair();
const expected = bits(penaltyTwin(pair, false).map(({ replica, row }) => pair[replica]![row]!));

async function* asynchronous<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

/** Every way on which values leave the library. */
const WAYS: Readonly<Record<string, (counter: boolean) => Row[] | Promise<Row[]>>> = {
  dedup: (counter) =>
    rowsOfColumns(
      dedup(
        pair.map((rows) => columnsOf(rows)),
        penalty({ counter }),
      ),
    ),
  spliceBlocks: (counter) =>
    [
      ...spliceBlocks(
        pair.map((rows) => cut(rows, () => 30)),
        penalty({ counter }),
      ),
    ].flatMap((block) => rowsOf(block)),
  "slices of runs": (counter) =>
    Array.from(
      splice(
        pair.map((rows) => cut(rows, () => 30)),
        penalty({ counter }),
      ),
      ({ block, start, end, add }) => rowsOf(slice(block, start, end, { add })),
    ).flat(),
  "slices of slices with a number added": () =>
    Array.from(splice([[blockOf(pair[0]!)], [blockOf(pair[1]!)]], penalty()), ({ block, start, end }) =>
      rowsOf(slice(slice(block, start, end, { add: 3 }), 0, end - start, { add: 4 })),
    ).flat(),
  "the asynchronous driver": async (counter) => {
    const rows: Row[] = [];
    const blocks = pair.map((replica) => asynchronous(cut(replica, () => 30)));
    for await (const { block, start, end, add } of spliceAsync(blocks, penalty({ counter }))) {
      rows.push(...rowsOf(slice(block, start, end, { add })));
    }
    return rows;
  },
};

test("the pair shows long and short runs and every kind of NaN", () => {
  expect(new Set(expected.map((line) => line.split(" ")[1])).size).toBe(NANS.length);
  const lengths = Array.from(
    splice([[blockOf(pair[0]!)], [blockOf(pair[1]!)]], penalty()),
    ({ start, end }) => end - start,
  );
  expect(Math.min(...lengths)).toBeLessThan(8);
  expect(Math.max(...lengths)).toBeGreaterThan(32);
});

test.each(Object.entries(WAYS))("all bits survive %s, cold and warm, with counter and without", async (_, way) => {
  for (let round = 0; round < 300; round++) {
    expect(bits(await way(round % 2 === 1))).toEqual(expected);
  }
});

test("a NaN is not added to, and a number beside it is", () => {
  const rows = [nanRow(1, 0), floatRow(2, 1.5), nanRow(3, 2)];
  const raised = rowsOf(slice(blockOf(rows), 0, 3, { add: 2 }));
  expect(bits(raised)).toEqual(bits([rows[0]!, floatRow(2, 3.5), rows[2]!]));
});
