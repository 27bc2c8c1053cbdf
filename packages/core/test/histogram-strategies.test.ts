/** Every strategy over series of histograms, and over mixed ones, with stale markers of both kinds: equal to its twin. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Block, columnsBlock, histogramBlock, type HistogramColumn } from "../src/block.ts";
import { splice, spliceBlocks, type Strategy } from "../src/index.ts";
import { chainCase, drawIntervalCase, penaltyCase, type Replicas } from "./cases.ts";
import { drawFillCase, strategyOf } from "./fill-generators.ts";
import { scenes } from "./generators.ts";
import { addTo, columnsOf, formatRow, histogramRow, rowsOf as floatRowsOf, STALE } from "./samples.ts";
import { fillTwin } from "./twins/fill.ts";
import type { Row, Shown } from "./twins/penalty.ts";

/** Histograms by their numbers; a stale marker has none. */
class NumberedHistograms implements HistogramColumn {
  readonly numbers: readonly (number | undefined)[];

  constructor(numbers: readonly (number | undefined)[]) {
    this.numbers = numbers;
  }

  get length(): number {
    return this.numbers.length;
  }

  slice(start: number, end: number): NumberedHistograms {
    return new NumberedHistograms(this.numbers.slice(start, end));
  }

  isStale(row: number): boolean {
    return this.numbers[row] === undefined;
  }
}

/** A sample as the twins know it, to which a stale marker is one whatever its series holds, and what its block is of. */
interface MixedRow {
  readonly row: Row;
  readonly isHistogram: boolean;
}

/** Makes histograms of a share of the samples. */
function mix(rows: readonly Row[], share: number, random: () => number): MixedRow[] {
  return rows.map((row, number) => {
    const isStale = row.histogram === undefined && row.high === STALE[0] && row.low === STALE[1];
    const isHistogram = row.histogram !== undefined || random() < share;
    return { row: isStale || !isHistogram ? row : histogramRow(row.t, row.histogram ?? number), isHistogram };
  });
}

function cutMixed(rows: readonly MixedRow[], length: () => number): Block[] {
  const blocks: Block[] = [];
  for (let start = 0; start < rows.length;) {
    const { isHistogram } = rows[start]!;
    const rowsMax = length();
    let end = start + 1;
    while (end < rows.length && end - start < rowsMax && rows[end]!.isHistogram === isHistogram) {
      end++;
    }
    const part = rows.slice(start, end).map(({ row }) => row);
    blocks.push(
      isHistogram
        ? histogramBlock(
            Float64Array.from(part, ({ t }) => t),
            new NumberedHistograms(part.map(({ histogram }) => histogram)),
          )
        : columnsBlock(columnsOf(part)),
    );
    start = end;
  }
  return blocks;
}

function rowsOf(block: Block): Row[] {
  if (block.kind === "float") {
    return floatRowsOf(block);
  }
  const { numbers } = block.histograms() as NumberedHistograms;
  return Array.from(block.timestamps(), (t, row) =>
    numbers[row] === undefined
      ? { t, high: STALE[0], low: STALE[1], histogram: undefined }
      : histogramRow(t, numbers[row]),
  );
}

interface MixedCase {
  readonly strategy: Strategy;
  readonly isLoose: boolean;
  readonly replicas: readonly (readonly MixedRow[])[];
  readonly shown: readonly (Pick<Shown, "t" | "replica" | "row"> & { readonly add?: number })[];
}

type Draw = (
  replicas: Replicas,
  counter: boolean,
  random: () => number,
) => Pick<MixedCase, "strategy" | "isLoose" | "shown">;

const DRAWS: Readonly<Record<string, Draw>> = {
  penalty: (replicas, counter) => {
    const { strategy, twin, isLoose } = penaltyCase(counter);
    return { strategy, isLoose, shown: twin(replicas) };
  },
  interval: (replicas, _, random) => {
    const { strategy, twin, isLoose } = drawIntervalCase(random);
    return { strategy, isLoose, shown: twin(replicas) };
  },
  chain: (replicas) => {
    const { strategy, twin, isLoose } = chainCase();
    return { strategy, isLoose, shown: twin(replicas) };
  },
  fill: (replicas, counter, random) => {
    const options = { counter, intervalMs: [undefined, 3, 2500, 15_000][Math.floor(random() * 4)] };
    return { strategy: strategyOf(options), isLoose: false, shown: fillTwin(replicas, options).samples };
  },
};

function check({ strategy, isLoose, replicas, shown }: MixedCase, random: () => number): void {
  const lines = shown.map(({ t, replica, row, add = 0 }) => {
    const text = formatRow(addTo(replicas[replica]![row]!.row, add), isLoose);
    return { line: `${t} ${text}`, of: `${t} r${replica} ${text}` };
  });
  for (const rowsMax of [1, 9, Infinity]) {
    const blocks = replicas.map((rows) => cutMixed(rows, () => (rowsMax === 9 ? 1 + random() * 9 : rowsMax)));
    const runs: string[] = [];
    for (const { replica, block, start, end, add } of splice(blocks, strategy)) {
      for (const row of rowsOf(block).slice(start, end)) {
        runs.push(`${row.t} r${replica} ${formatRow(addTo(row, add), isLoose)}`);
      }
    }
    expect(runs).toEqual(lines.map(({ of }) => of));
    const spliced = [...spliceBlocks(blocks, strategy)].flatMap((block) => rowsOf(block));
    expect(spliced.map((row) => `${row.t} ${formatRow(row, isLoose)}`)).toEqual(lines.map(({ line }) => line));
  }
}

test.each(Object.entries(DRAWS))("%s agrees with its twin over histograms and mixed series", (_, draw) => {
  const seen = { histograms: 0, mixed: 0, stale: 0 };
  fc.assert(
    fc.property(scenes, ({ scene: { replicas: drawn, counter }, random }) => {
      const share = [0.05, 0.5, 1][Math.floor(random() * 3)]!;
      const replicas = drawn.map((rows) => mix(rows, share, random));
      const all = replicas.flat();
      seen.histograms += all.length > 0 && all.every(({ isHistogram }) => isHistogram) ? 1 : 0;
      seen.mixed += all.some(({ isHistogram }) => isHistogram) && !all.every(({ isHistogram }) => isHistogram) ? 1 : 0;
      seen.stale += all.some(({ row, isHistogram }) => isHistogram && row.histogram === undefined) ? 1 : 0;
      const plain = replicas.map((rows) => rows.map(({ row }) => row));
      check({ replicas, ...draw(plain, counter, random) }, random);
    }),
    { numRuns: 150 },
  );
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(10);
});

test("fill agrees with its twin over histograms and mixed series of scrapes as they are", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), (seed) => {
      const { replicas: drawn, options, random } = drawFillCase(seed, 0);
      const replicas = drawn.map((rows) => mix(rows, [0.5, 1][seed % 2]!, random));
      const plain = replicas.map((rows) => rows.map(({ row }) => row));
      const shown = fillTwin(plain, options).samples;
      check({ strategy: strategyOf(options), isLoose: false, replicas, shown }, random);
    }),
    { numRuns: 150 },
  );
});
