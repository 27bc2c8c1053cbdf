/**
 * Runs the benchmark: `node dist/main.js [--smoke] [--write]`.
 *
 *     --smoke    everything small and quick; fails only on wrong answers
 *     --write    puts the numbers into results.json and RESULTS.md
 */
import { parseArgs } from "node:util";
import { FULL, runBench, SMOKE } from "./bench.ts";
import { ensureGarbageCollector } from "./heap.ts";
import { describeCircumstances, writeResults } from "./results.ts";

const { values } = parseArgs({ options: { smoke: { type: "boolean" }, write: { type: "boolean" } } });
ensureGarbageCollector();
const extent = values.smoke === true ? SMOKE : FULL;
const { cases, ratios } = await runBench(extent);
if (values.smoke === true) {
  console.log(`\nsmoke: ${cases.length} cases gave what they must; their times mean nothing`);
} else if (values.write === true) {
  const circumstances = describeCircumstances(`Node ${process.version}`, extent.rounds, extent.rowsPerReplica);
  writeResults({ bench: { circumstances, ratios, cases } });
}
