/**
 * The results that are kept: numbers in `results.json`, and for people `RESULTS.md`, of which the program writes all but the
 * last section, which says in words what limits what is not reached.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { isReached, type Ratio } from "./goals.ts";

/** Where and on what something was measured. */
export interface Circumstances {
  readonly machine: string;
  readonly runtime: string;
  readonly commit: string;
  readonly date: string;
  readonly rounds: number;
  readonly rowsPerReplica: number;
}

/** One case; all numbers are per input (a sample, or a series where series are grouped). */
export interface CaseResult {
  readonly name: string;
  readonly nsPerInput: number;
  readonly heapBytesPerInput: number;
  readonly bufferBytesPerInput: number;
}

/** One case of the comparison with the original in Go, in ns an input sample. */
export interface GoCaseResult {
  readonly name: string;
  readonly thanosNs: number;
  readonly spliceNs: number;
  readonly dedupNs: number;
}

export interface Results {
  bench?: { circumstances: Circumstances; ratios: readonly Ratio[]; cases: readonly CaseResult[] };
  go?: { circumstances: Circumstances; ratios: readonly Ratio[]; cases: readonly GoCaseResult[] };
}

export const PACKAGE_PATH: string = path.dirname(import.meta.dirname);
const JSON_PATH = path.join(PACKAGE_PATH, "results.json");
const MARKDOWN_PATH = path.join(PACKAGE_PATH, "RESULTS.md");
const NOTES_HEADING = "## What limits the rest";

export function describeCircumstances(runtime: string, rounds: number, rowsPerReplica: number): Circumstances {
  return {
    machine: `${os.cpus()[0]?.model.trim() ?? "unknown"}, ${os.cpus().length} × ${os.arch()}, ${os.platform()}`,
    runtime,
    commit: describeCommit(),
    date: new Date().toISOString().slice(0, 10),
    rounds,
    rowsPerReplica,
  };
}

/** Puts new results in the place of old ones of their kind, in both files. */
export function writeResults(results: Results): void {
  const before = existsSync(JSON_PATH) ? (JSON.parse(readFileSync(JSON_PATH, "utf8")) as Results) : {};
  const merged = { ...before, ...results };
  writeFileSync(JSON_PATH, `${JSON.stringify(merged, undefined, 2)}\n`);
  const markdownBefore = existsSync(MARKDOWN_PATH) ? readFileSync(MARKDOWN_PATH, "utf8") : "";
  const notesAt = markdownBefore.indexOf(NOTES_HEADING);
  const notes = notesAt < 0 ? `${NOTES_HEADING}\n\nNothing has been written yet.\n` : markdownBefore.slice(notesAt);
  writeFileSync(MARKDOWN_PATH, `${renderResults(merged)}\n${notes}`);
}

function renderResults({ bench, go }: Results): string {
  const lines = [
    "# Results",
    "",
    "Written by `npm run bench -- --write` and `npm run bench:go -- --write`; the last section is written by hand and kept.",
    "Cases take turns and the least time of all rounds counts. Shapes: *whole* exactly 15 s apart, *jitter* ±10 ms, *gap* jitter",
    "and one scrape in a thousand missed, *missed* jitter and one in ten missed, on every replica by itself. A line without a",
    "goal is there to be known.",
  ];
  if (bench !== undefined) {
    lines.push("", "## Ratios", "", ...renderCircumstances(bench.circumstances), "", ...renderRatios(bench.ratios));
  }
  if (go !== undefined) {
    lines.push(
      "",
      "## Against Thanos' iterator in Go, decoded samples",
      "",
      ...renderCircumstances(go.circumstances),
      "",
      ...renderRatios(go.ratios),
      "",
      "| ns an input sample | Thanos | `splice` | `dedup` |",
      "|---|--:|--:|--:|",
      ...go.cases.map(
        ({ name, thanosNs, spliceNs, dedupNs }) =>
          `| ${name} | ${thanosNs.toFixed(2)} | ${spliceNs.toFixed(2)} | ${dedupNs.toFixed(2)} |`,
      ),
    );
  }
  if (bench !== undefined) {
    lines.push(
      "",
      "## Times and memory",
      "",
      "Per input sample, or per series where series are grouped. Buffers are the memory of typed arrays.",
      "",
      "| case | ns | heap bytes | buffer bytes |",
      "|---|--:|--:|--:|",
      ...bench.cases.map(
        ({ name, nsPerInput, heapBytesPerInput, bufferBytesPerInput }) =>
          `| ${name} | ${nsPerInput.toFixed(2)} | ${heapBytesPerInput.toFixed(2)} | ${bufferBytesPerInput.toFixed(2)} |`,
      ),
    );
  }
  return `${lines.join("\n")}\n`;
}

function renderCircumstances({ machine, runtime, commit, date, rounds, rowsPerReplica }: Circumstances): string[] {
  return [
    `${machine}; ${runtime}; commit ${commit}; ${date}.`,
    `${rounds} rounds, ${rowsPerReplica.toLocaleString("en")} samples a replica.`,
  ];
}

function renderRatios(ratios: readonly Ratio[]): string[] {
  return [
    "| what | against | goal | measured | reached |",
    "|---|---|---|--:|---|",
    ...ratios.map((ratio) => `| ${ratio.what} | ${ratio.against} | ${ratioColumns(ratio).join(" | ")} |`),
  ];
}

/** A ratio's goal, what was measured and whether that is enough, as text. */
export function ratioColumns(ratio: Ratio): [goal: string, measured: string, reached: string] {
  const { unit, measured, limit } = ratio;
  const isCount = unit === "bytes" || unit === "blocks";
  const reached = isReached(ratio);
  return [
    limit === undefined ? "–" : `${unit === "times faster" ? "at least" : "at most"} ${isCount ? limit : `${limit} ×`}`,
    isCount ? `${measured} ${unit}` : `${measured.toFixed(2)} ×${unit === "times faster" ? " faster" : ""}`,
    reached === undefined ? "" : reached ? "yes" : "**no**",
  ];
}

/** The commit, and whether the sources differ from it. */
function describeCommit(): string {
  const commit = git("rev-parse", "--short", "HEAD");
  const changed = git("status", "--porcelain", "--", "../core/src", "src", "go");
  return commit === undefined ? "none" : `${commit}${changed === "" ? "" : " with changes"}`;
}

function git(...parameters: string[]): string | undefined {
  const { status, stdout } = spawnSync("git", parameters, { cwd: PACKAGE_PATH, encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}
