/** The whole of the benchmark: right answers first, then times, memory and ratios. */
import { type Case, makeComparedCases, makeOtherCases } from "./cases.ts";
import { makeRatios, type Ratio } from "./goals.ts";
import { measureAllocated } from "./heap.ts";
import { countDecodedBlocks, measureSpliceHeap } from "./limits-of-memory.ts";
import { timeOneByOne } from "./plain-table.ts";
import { ratioColumns } from "./render-results.ts";
import type { CaseResult } from "./results.ts";
import { detachOneBuffer, takeTurns, warmUp } from "./rounds.ts";
import { verifyAnswers } from "./verify.ts";

/** How much is run. */
export interface Extent {
  readonly rowsPerReplica: number;
  readonly rounds: number;
  readonly warmUps: number;
  readonly series: number;
  readonly heapRowsFew: number;
  readonly heapRowsMany: number;
  readonly decodedBlocks: number;
}

export const FULL: Extent = {
  rowsPerReplica: 1_000_000,
  rounds: 25,
  warmUps: 3_000,
  series: 100_000,
  heapRowsFew: 1e4,
  heapRowsMany: 1e7,
  decodedBlocks: 2_500,
};

/** Everything once, small: enough to see that it runs and that the answers are right, too little for times to mean much. */
export const SMOKE: Extent = {
  rowsPerReplica: 2_400,
  rounds: 2,
  warmUps: 1,
  series: 200,
  heapRowsFew: 1e3,
  heapRowsMany: 1e4,
  decodedBlocks: 50,
};

/** Rows on which answers are compared bit for bit: of every shape but the whole one they have gaps enough. */
const VERIFIED_ROWS = 20_000;
/** As short as one chunk, so that loops are compiled with their functions and not by themselves: see `warmUp`. */
const WARM_UP_ROWS = 120;
const WARM_UP_SERIES = 5;
const HEAP_ROWS = 20_000;
const HEAP_SERIES = 1_000;
const HEAP_ATTEMPTS = 5;

/**
 * Runs all and prints as it goes.
 *
 * @throws Error if an answer is wrong. Never because something took long.
 */
export async function runBench(extent: Extent): Promise<{ cases: CaseResult[]; ratios: Ratio[] }> {
  detachOneBuffer();
  await warmUp([...makeComparedCases(WARM_UP_ROWS), ...makeOtherCases(WARM_UP_ROWS, WARM_UP_SERIES)], extent.warmUps);
  console.log(`${verifyAnswers(Math.min(VERIFIED_ROWS, extent.rowsPerReplica))} answers equal the step-by-step loops'`);

  const compared = makeComparedCases(extent.rowsPerReplica);
  const others = makeOtherCases(extent.rowsPerReplica, extent.series);
  const times = new Map([
    ...(await takeTurns(compared, extent.rounds)),
    ...(await timeOneByOne(others, extent.rounds)),
  ]);
  // The others allocate so much that what they ask for is measured on less: see `measureAllocated`.
  const casesForHeap = [...compared, ...makeOtherCases(Math.min(HEAP_ROWS, extent.rowsPerReplica), HEAP_SERIES)];
  const cases: CaseResult[] = [];
  for (const one of casesForHeap) {
    cases.push(await describeCase(one, times.get(one.name)!));
  }
  printCases(cases);

  const decoded = countDecodedBlocks(extent.decodedBlocks);
  const ratios = [
    ...makeRatios(times),
    ...(await measureSpliceHeap(extent.heapRowsFew, extent.heapRowsMany)),
    ...decoded,
  ];
  if (extent !== SMOKE) {
    printRatios(ratios);
  }
  for (const { what, measured, limit } of decoded) {
    if (measured > limit!) {
      throw new Error(`${what}: ${measured}, at most ${limit} are right`);
    }
  }
  return { cases, ratios };
}

/** A case's time and what it allocates, both per input, so that they may come from inputs of different size. */
async function describeCase({ name, inputs, run }: Case, nsPerInput: number): Promise<CaseResult> {
  const { heapBytes, bufferBytes } = await measureAllocated(run, HEAP_ATTEMPTS);
  return { name, nsPerInput, heapBytesPerInput: heapBytes / inputs, bufferBytesPerInput: bufferBytes / inputs };
}

function printCases(cases: readonly CaseResult[]): void {
  console.log("\n      ns   heap B  buffer B   per input of");
  for (const { name, nsPerInput, heapBytesPerInput, bufferBytesPerInput } of cases) {
    const numbers = [
      nsPerInput.toFixed(2).padStart(8),
      heapBytesPerInput.toFixed(2).padStart(8),
      bufferBytesPerInput.toFixed(2).padStart(9),
    ];
    console.log(`${numbers.join(" ")}   ${name}`);
  }
}

/** Prints ratios beside their goals. */
export function printRatios(ratios: readonly Ratio[]): void {
  console.log("");
  for (const ratio of ratios) {
    const [goal, measured, reached] = ratioColumns(ratio);
    const name = `${ratio.what}${ratio.against === "–" ? "" : ` / ${ratio.against}`}`;
    console.log(
      `${name.padEnd(74)} ${measured.padStart(17)}   ${goal.padEnd(17)} ${reached.replaceAll("*", "")}`.trimEnd(),
    );
  }
}
