/**
 * The results that are kept: numbers in `results.json`, and for people `RESULTS.md`, of which the programs write all but the
 * last section, which says in words what limits what is not reached.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Ratio } from "./goals.ts";
import { renderResults } from "./render-results.ts";

/** Where and on what something was measured. */
export interface Circumstances {
  readonly machine: string;
  readonly runtime: string;
  readonly commit: string;
  readonly date: string;
  /** 1 where nothing is timed. */
  readonly rounds: number;
  /** How much was run over in each round, in words. */
  readonly amount: string;
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

/** One case by its time alone: ns a sample, or a byte where bytes are counted. */
interface TimedCaseResult {
  readonly name: string;
  readonly nsPerInput: number;
}

/** Chunks of one kind, in ns a sample. */
export interface GoChunksCaseResult {
  readonly name: string;
  readonly goDecodeNs: number;
  readonly decodeNs: number;
  readonly decodeTimesNs: number;
  readonly goEncodeNs: number;
  readonly encodeNs: number;
}

/** Requests of one kind, sent by so many clients at a time. */
export interface ServingCaseResult {
  readonly name: string;
  readonly clients: number;
  readonly requestsPerSecond: number;
  /** From the request to the end of the body, in ms: half of the requests took at most so long, and 99 of 100. */
  readonly medianMs: number;
  readonly percentile99Ms: number;
  readonly bodyBytes: number;
}

/** What a bundle of some exports weighs, minified. */
export interface SizeCaseResult {
  readonly name: string;
  readonly bytes: number;
  readonly gzippedBytes: number;
}

/** What one part of the benchmark found. */
interface Section<CaseOfPart> {
  readonly circumstances: Circumstances;
  readonly ratios: readonly Ratio[];
  readonly cases: readonly CaseOfPart[];
}

export interface Results {
  bench?: Section<CaseResult>;
  go?: Section<GoCaseResult>;
  strategies?: Section<TimedCaseResult>;
  wire?: Section<TimedCaseResult>;
  goChunks?: Section<GoChunksCaseResult>;
  serving?: Section<ServingCaseResult>;
  sizes?: Section<SizeCaseResult>;
}

export const PACKAGE_PATH: string = path.dirname(import.meta.dirname);
const JSON_PATH = path.join(PACKAGE_PATH, "results.json");
const MARKDOWN_PATH = path.join(PACKAGE_PATH, "RESULTS.md");
const NOTES_HEADING = "## What limits the rest";

export function describeCircumstances(runtime: string, rounds: number, amount: string): Circumstances {
  return {
    machine: `${os.cpus()[0]?.model.trim() ?? "unknown"}, ${os.cpus().length} × ${os.arch()}, ${os.platform()}`,
    runtime,
    commit: describeCommit(),
    date: new Date().toISOString().slice(0, 10),
    rounds,
    amount,
  };
}

/** The amount of a part that merges columns. */
export function describeRows(rowsPerReplica: number): string {
  return `${rowsPerReplica.toLocaleString("en")} samples a replica`;
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

/** The commit, and whether the sources differ from it. */
function describeCommit(): string {
  const commit = git("rev-parse", "--short", "HEAD");
  const changed = git("status", "--porcelain", "--", "../core/src", "../remote-read/src", "src", "go");
  return commit === undefined ? "none" : `${commit}${changed === "" ? "" : " with changes"}`;
}

function git(...parameters: string[]): string | undefined {
  const { status, stdout } = spawnSync("git", parameters, { cwd: PACKAGE_PATH, encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}
