/**
 * Runs the campaigns: `node scripts/campaigns.mjs [--full [--write]] [name …]`. A short run goes on for some seconds each; a full
 * one until the counts are reached, and `--write` keeps its result in docs/campaigns.md. Names choose files.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const { values: flags, positionals: names } = parseArgs({
  options: { full: { type: "boolean", default: false }, write: { type: "boolean", default: false } },
  allowPositionals: true,
});
if (flags.write && (!flags.full || names.length > 0)) {
  console.error("--write keeps the result of all campaigns in full: use it with --full and without names");
  process.exit(2);
}
const folder = mkdtempSync(path.join(tmpdir(), "promsplice-campaigns-"));
const results = path.join(folder, "results.jsonl");
writeFileSync(results, "");
const { status } = spawnSync(
  process.execPath,
  ["node_modules/vitest/vitest.mjs", "run", "--config", "vitest.campaigns.config.ts", ...names],
  {
    stdio: "inherit",
    env: { ...process.env, CAMPAIGN_RESULTS: results, ...(flags.full ? { CAMPAIGN_FULL: "yes" } : {}) },
  },
);
const lines = readFileSync(results, "utf8")
  .split("\n")
  .filter(Boolean)
  .map((line) => JSON.parse(line));
rmSync(folder, { recursive: true });
if (status === 0 && flags.write) {
  writeFileSync("docs/campaigns.md", page(lines));
  console.log("written: docs/campaigns.md");
}
process.exitCode = status ?? 1;

function page(campaigns) {
  const dirty = git("status", "--porcelain", "--untracked-files=no") === "" ? "" : ", with changes";
  const rows = campaigns.map(
    ({ title, of, goal, count, seconds, figures }) =>
      `| ${title} | ${number(count)} ${of} (≥ ${number(goal)}) | ${Math.round(seconds)} s | ${Object.entries(figures)
        .map(([name, figure]) => `${name} ${number(figure)}`)
        .join("; ")} |`,
  );
  return `# Campaigns: the last full run

Hostile and simulated input in numbers, each case made from a seed of its own and checked against an oracle. Written by
\`bash .ci/full\`; \`npm run campaigns\` runs the same for some seconds each, from other seeds.

${new Date().toISOString().slice(0, 10)}, commit ${git("rev-parse", "--short", "HEAD")}${dirty}, Node ${process.versions.node}, ${availableParallelism()} cores.

| campaign | cases | took | figures |
|---|---|--:|---|
${rows.join("\n")}
`;
}

function number(figure) {
  return typeof figure === "string" ? figure : figure.toLocaleString("en-US", { maximumFractionDigits: 2 });
}

function git(...parameters) {
  return spawnSync("git", parameters, { encoding: "utf8" }).stdout.trim();
}
