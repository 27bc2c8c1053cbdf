/** A part of the benchmark: the core, over columns in memory. `node dist/merging.js [--smoke] [--write]`. */
import { parseArgs } from "node:util";
import { FULL, runBench, SMOKE } from "./bench.ts";
import { ensureGarbageCollector } from "./heap.ts";
import { describeCircumstances, describeRows, writeResults } from "./results.ts";

const { values } = parseArgs({ options: { smoke: { type: "boolean" }, write: { type: "boolean" } } });
ensureGarbageCollector();
const extent = values.smoke === true ? SMOKE : FULL;
const { cases, ratios } = await runBench(extent);
if (values.smoke === true) {
  console.log(`\nsmoke: ${cases.length} merging cases gave what they must; their times mean nothing`);
} else if (values.write === true) {
  const circumstances = describeCircumstances(
    `Node ${process.version}`,
    extent.rounds,
    describeRows(extent.rowsPerReplica),
  );
  writeResults({ bench: { circumstances, ratios, cases } });
}
