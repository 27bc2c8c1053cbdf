/**
 * Runs the benchmark of quality: `node dist/quality.js [--tenth | --whole] [--write]`.
 *
 *     --tenth    a fixed tenth of the grid, 4,000 scrapes a replica and seed: a minute of one processor (the default)
 *     --whole    the whole grid, 20,000 scrapes a replica and seed: an hour of one processor; uses all there are
 *     --write    puts the tables into QUALITY.md and quality.csv, and the picture into docs/quality.svg
 *
 * Ends with exit code 1 where a bar is broken.
 */
import { parseArgs } from "node:util";
import { judge } from "./quality/bars.ts";
import { tenthOfGrid, wholeGrid } from "./quality/grid.ts";
import { LONG, SHORT } from "./quality/measure-cell.ts";
import { measureGrid } from "./quality/measure-grid.ts";
import { renderBars, renderSummary, writeReport } from "./quality/report.ts";

const PROGRESS_EVERY_MS = 10_000;

const { values } = parseArgs({
  options: { tenth: { type: "boolean" }, whole: { type: "boolean" }, write: { type: "boolean" } },
});
if (values.tenth === true && values.whole === true) {
  throw new RangeError("either --tenth or --whole, not both");
}
const cells = values.whole === true ? wholeGrid() : tenthOfGrid();
const extent = values.whole === true ? LONG : SHORT;
const startedMs = Date.now();
let reportedMs = startedMs;
const results = await measureGrid(cells, extent, (done) => {
  const nowMs = Date.now();
  if (nowMs - reportedMs >= PROGRESS_EVERY_MS) {
    reportedMs = nowMs;
    const secondsLeft = Math.round((((nowMs - startedMs) / done) * (cells.length - done)) / 1_000);
    console.error(`${done} of ${cells.length} cells, about ${secondsLeft} s to go`);
  }
});
const bars = judge(results);
console.log(renderSummary(results).join("\n"));
console.log(`\n${renderBars(bars).join("\n")}`);
for (const { what, broken } of bars) {
  if (broken.length > 0) {
    console.log(`\nBROKEN in ${broken.length} cells: ${what}\n  ${broken.slice(0, 10).join("\n  ")}`);
  }
}
console.log(`\n${cells.length} cells in ${Math.round((Date.now() - startedMs) / 1_000)} s`);
if (values.write === true) {
  writeReport(results, bars, extent);
}
process.exitCode = bars.some(({ broken }) => broken.length > 0) ? 1 : 0;
