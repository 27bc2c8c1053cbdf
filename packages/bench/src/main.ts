/**
 * Runs the benchmark, one part after another: `node dist/main.js [--smoke] [--write] [part …]`.
 *
 *     --smoke    everything small and quick; fails only on wrong answers
 *     --write    puts the numbers into results.json and RESULTS.md
 *     merging    the core, over columns in memory
 *     strategies all strategies side by side
 *     wire       chunks, checksums, frames, and whole answers without a socket
 *     serving    the handler, between replicas and clients in processes of their own
 *     sizes      what the packages weigh in a browser
 *
 * Each part is a process: what the engine has learnt in one would change the times of the next.
 */
import { spawnSync } from "node:child_process";
import path from "node:path";
import { parseArgs } from "node:util";

const PARTS = ["merging", "strategies", "wire", "serving", "sizes"];

const { values, positionals } = parseArgs({
  options: { smoke: { type: "boolean" }, write: { type: "boolean" } },
  allowPositionals: true,
});
const unknown = positionals.filter((part) => !PARTS.includes(part));
if (unknown.length > 0) {
  throw new Error(`there is no part ${unknown.join(", ")}, only ${PARTS.join(", ")}`);
}
const flags = Object.keys(values).map((name) => `--${name}`);
for (const part of positionals.length === 0 ? PARTS : positionals) {
  const { status } = spawnSync(
    process.execPath,
    ["--expose-gc", path.join(import.meta.dirname, `${part}.js`), ...flags],
    { stdio: "inherit" },
  );
  if (status !== 0) {
    process.exit(status ?? 1);
  }
}
