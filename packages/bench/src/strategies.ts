/**
 * A part of the benchmark: all strategies side by side, taking turns in one process. There the engine expects each of them at
 * every step, so all are slower than where one is used alone; what counts are the ratios. `node dist/strategies.js [--smoke]
 * [--write]`.
 */
import { parseArgs } from "node:util";
import {
  chain,
  type Columns,
  dedup,
  fill,
  interval,
  penalty,
  splice,
  spliceBlocks,
  type Strategy,
} from "@promsplice/core";
import { printRatios } from "./bench.ts";
import { type Case, countBlockRows, countRows, countRunRows, cutIntoOneBlock } from "./cases.ts";
import { cutIntoBlocks, INTERVAL_MS, makeReplicas, type Shape, SHAPES } from "./fixtures.ts";
import { type Ratio, slower, timeOf, type Times } from "./goals.ts";
import { ensureGarbageCollector } from "./heap.ts";
import { describeCircumstances, describeRows, writeResults } from "./results.ts";
import { detachOneBuffer, takeTurns, warmUp } from "./rounds.ts";

interface Extent {
  readonly rowsPerReplica: number;
  readonly rounds: number;
  readonly warmUps: number;
}

const FULL: Extent = { rowsPerReplica: 1_000_000, rounds: 25, warmUps: 3_000 };
const SMOKE: Extent = { rowsPerReplica: 2_400, rounds: 2, warmUps: 1 };
const WARM_UP_ROWS = 120;

const FILL_LIMITS: Readonly<Partial<Record<Shape, number>>> = { whole: 1.5, jitter: 1.5, missed: 3 };

const STRATEGIES: readonly (readonly [string, Strategy])[] = [
  ["penalty", penalty()],
  ["fill", fill()],
  ["fill, interval given", fill({ intervalMs: INTERVAL_MS })],
  ["interval", interval({ intervalMs: INTERVAL_MS })],
  ["chain", chain()],
];

const { values } = parseArgs({ options: { smoke: { type: "boolean" }, write: { type: "boolean" } } });
ensureGarbageCollector();
await run(values.smoke === true ? SMOKE : FULL);

async function run(extent: Extent): Promise<void> {
  detachOneBuffer();
  await warmUp(makeCases(WARM_UP_ROWS), extent.warmUps);
  const times = await takeTurns(makeCases(extent.rowsPerReplica), extent.rounds);
  const cases = [...times].map(([name, nsPerInput]) => ({ name, nsPerInput }));
  if (extent === SMOKE) {
    console.log(`smoke: ${cases.length} cases of strategies gave what they must; their times mean nothing`);
    return;
  }
  console.log("\n      ns   per input sample");
  for (const { name, nsPerInput } of cases) {
    console.log(`${nsPerInput.toFixed(2).padStart(8)}   ${name}`);
  }
  const ratios = makeRatios(times);
  printRatios(ratios);
  if (values.write === true) {
    const circumstances = describeCircumstances(
      `Node ${process.version}`,
      extent.rounds,
      describeRows(extent.rowsPerReplica),
    );
    writeResults({ strategies: { circumstances, ratios, cases } });
  }
}

/** Each strategy by each call, which must all give as many rows. */
function makeCases(rows: number): Case[] {
  return SHAPES.flatMap((shape) => {
    const pair = makeReplicas(shape, 2, rows);
    return STRATEGIES.flatMap(([name, strategy]) =>
      casesOf(pair, strategy).map((one) => ({ ...one, name: `${one.name}, ${name}, ${shape}` })),
    );
  });
}

function casesOf(pair: readonly Columns[], strategy: Strategy): Case[] {
  const whole = pair.map((columns) => cutIntoOneBlock(columns));
  const blocks = pair.map((columns) => cutIntoBlocks(columns));
  const inputs = countRows(pair);
  const expected = dedup(pair, strategy).timestamps.length;
  return [
    { name: "splice", inputs, expected, run: () => countRunRows(splice(whole, strategy)) },
    { name: "dedup", inputs, expected, run: () => dedup(pair, strategy).timestamps.length },
    { name: "spliceBlocks", inputs, expected, run: () => countBlockRows(spliceBlocks(blocks, strategy)) },
  ];
}

function makeRatios(times: Times): Ratio[] {
  return STRATEGIES.slice(1).flatMap(([name]) =>
    SHAPES.map((shape) =>
      slower(
        `splice with ${name}, ${shape}`,
        "with penalty",
        timeOf(times, `splice, ${name}, ${shape}`) / timeOf(times, `splice, penalty, ${shape}`),
        name === "fill" ? FILL_LIMITS[shape] : undefined,
      ),
    ),
  );
}
