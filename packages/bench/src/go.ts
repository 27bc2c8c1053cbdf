/**
 * Compares with the originals in Go, by the programs in `../go`: Thanos' own iterator over the same columns, and Prometheus'
 * chunks. `node dist/go.js [--write] [chunks | merging]`, both by default. Without Go, or where its modules cannot be downloaded, it says so and is no failure; an answer
 * that differs from the original's is one.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { type Columns, dedup, penalty, splice } from "@promsplice/core";
import { printRatios } from "./bench.ts";
import { type Case, countRunRows, cutIntoOneBlock } from "./cases.ts";
import { checksumColumns, writeColumnsFile } from "./columns-file.ts";
import { makeReplicas, SHAPES, type Shape, WHOLE_SHAPES } from "./fixtures.ts";
import { CHUNKS_OF_SHAPE, CHUNKS_ROUNDS, compareChunks } from "./go-chunks.ts";
import { faster, type Ratio } from "./goals.ts";
import { ensureGarbageCollector } from "./heap.ts";
import { describeCircumstances, describeRows, type GoCaseResult, PACKAGE_PATH, writeResults } from "./results.ts";
import { detachOneBuffer, takeTurns, warmUp } from "./rounds.ts";

const ROUNDS = 25;
const ROWS_PER_REPLICA = 1_000_000;
const WARM_UP_ROWS = 120;
const WARM_UPS = 1_000;
const FASTER_MIN = 10;
const GO = process.platform === "win32" ? "go.exe" : "go";
const GO_PATH = path.join(PACKAGE_PATH, "go");
const THANOS_PATH = binaryPath("thanos-penalty");
const CHUNKS_PATH = binaryPath("prometheus-chunks");

interface GoCase {
  readonly shape: Shape;
  readonly replicas: number;
  readonly counter: boolean;
}

const GO_CASES: readonly GoCase[] = [
  ...SHAPES.map((shape) => ({ shape, replicas: 2, counter: false })),
  ...[3, 5].map((replicas) => ({ shape: "jitter" as const, replicas, counter: false })),
  ...(["jitter", "missed"] as const).map((shape) => ({ shape, replicas: 2, counter: true })),
];

/** What the Go program prints, one line a case. */
interface GoLine {
  readonly nsPerInputSample: number;
  readonly outputSamples: number;
  readonly checksum: string;
}

const { values, positionals } = parseArgs({ options: { write: { type: "boolean" } }, allowPositionals: true });
ensureGarbageCollector();
const builtWith = buildGoPrograms();
if (builtWith !== undefined) {
  detachOneBuffer();
  if (isWanted("chunks")) {
    await compareAllChunks(builtWith);
  }
  if (isWanted("merging")) {
    await compareAll(builtWith);
  }
}

function isWanted(part: "chunks" | "merging"): boolean {
  return positionals.length === 0 || positionals.includes(part);
}

function binaryPath(name: string): string {
  return path.join(PACKAGE_PATH, "dist", process.platform === "win32" ? `${name}.exe` : name);
}

/** Builds the programs and returns the version of Go, or says why not and returns undefined. */
function buildGoPrograms(): string | undefined {
  const version = runGo("version");
  if (version.status !== 0) {
    console.log("bench:go: skipped, there is no Go on this machine");
    return undefined;
  }
  // Lists what the programs are made of, for which it must be there: the download, told apart from a program that is wrong.
  const download = runGo("list", "-tags", "slicelabels", "-deps", "./...");
  if (download.status !== 0) {
    console.log(`bench:go: skipped, the modules could not be had: ${download.stderr.trim().split("\n").at(-1)}`);
    return undefined;
  }
  console.log("bench:go: building Thanos' iterator and Prometheus' chunks, which takes minutes the first time");
  for (const [source, target] of [
    [".", THANOS_PATH],
    ["./chunks", CHUNKS_PATH],
  ] as const) {
    const build = runGo("build", "-tags", "slicelabels", "-o", target, source);
    if (build.status !== 0) {
      throw new Error(`the Go program does not build: ${build.stderr}`);
    }
  }
  return version.stdout.trim().split(" ")[2] ?? "go";
}

async function compareAllChunks(goVersion: string): Promise<void> {
  const { cases, ratios } = await compareChunks(CHUNKS_PATH);
  printRatios(ratios);
  if (values.write === true) {
    const amount = `${CHUNKS_OF_SHAPE} chunks of each kind`;
    const circumstances = describeCircumstances(describeRuntime(goVersion), CHUNKS_ROUNDS, amount);
    writeResults({ goChunks: { circumstances, ratios, cases } });
  }
}

function describeRuntime(goVersion: string): string {
  return `Node ${process.version}, ${goVersion}`;
}

async function compareAll(goVersion: string): Promise<void> {
  for (const { shape, replicas: count, counter } of GO_CASES) {
    const replicas = makeReplicas(shape, count, WARM_UP_ROWS);
    const rows = dedup(replicas, penalty({ counter })).timestamps.length;
    await warmUp(makeOurCases(replicas, counter, rows), WARM_UPS);
  }
  const cases: GoCaseResult[] = [];
  const ratios: Ratio[] = [];
  const folder = mkdtempSync(path.join(os.tmpdir(), "promsplice-bench-"));
  try {
    for (const one of GO_CASES) {
      const result = await compare(one, path.join(folder, "case.columns"));
      cases.push(result);
      const isGoal = one.replicas === 2 && !one.counter && WHOLE_SHAPES.includes(one.shape);
      const ratio = result.thanosNs / result.spliceNs;
      ratios.push(faster(`splice, ${result.name}`, "Thanos in Go", ratio, isGoal ? FASTER_MIN : undefined));
      console.log(
        `${result.name}: Thanos ${result.thanosNs.toFixed(2)}, splice ${result.spliceNs.toFixed(2)}, ` +
          `dedup ${result.dedupNs.toFixed(2)} ns an input sample; the answers are equal`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  printRatios(ratios);
  if (values.write === true) {
    const circumstances = describeCircumstances(describeRuntime(goVersion), ROUNDS, describeRows(ROWS_PER_REPLICA));
    writeResults({ go: { circumstances, ratios, cases } });
  }
}

/** Runs one case in both languages: ours before and after the original, so that both get the machine's better moments. */
async function compare({ shape, replicas: count, counter }: GoCase, filePath: string): Promise<GoCaseResult> {
  const name = `${count === 2 ? "" : `${count} replicas, `}${shape}${counter ? ", counter" : ""}`;
  const replicas = makeReplicas(shape, count, ROWS_PER_REPLICA);
  writeColumnsFile(filePath, replicas);
  const merged = dedup(replicas, penalty({ counter }));
  const ours = makeOurCases(replicas, counter, merged.timestamps.length);
  const before = await timeEach(ours);
  const original = runOriginal(filePath, counter);
  const after = await timeEach(ours);
  if (merged.timestamps.length !== original.outputSamples || checksumColumns(merged) !== original.checksum) {
    throw new Error(
      `${name}: the answer differs from Thanos' (${merged.timestamps.length} and ${original.outputSamples} rows)`,
    );
  }
  const [spliceNs, dedupNs] = before.map((ns, index) => Math.min(ns, after[index]!)) as [number, number];
  return { name, thanosNs: original.nsPerInputSample, spliceNs, dedupNs };
}

/** One case after the other, since the garbage of `dedup` is not to be collected while `splice` runs. */
async function timeEach(cases: readonly Case[]): Promise<number[]> {
  const times: number[] = [];
  for (const one of cases) {
    times.push(...(await takeTurns([one], ROUNDS)).values());
  }
  return times;
}

function makeOurCases(replicas: readonly Columns[], counter: boolean, expected: number): [splice: Case, dedup: Case] {
  const blocks = replicas.map(cutIntoOneBlock);
  const strategy = penalty({ counter });
  const inputs = replicas.reduce((total, { timestamps }) => total + timestamps.length, 0);
  return [
    { name: "splice", inputs, expected, run: () => countRunRows(splice(blocks, strategy)) },
    { name: "dedup", inputs, expected, run: () => dedup(replicas, strategy).timestamps.length },
  ];
}

function runOriginal(filePath: string, counter: boolean): GoLine {
  const parameters = ["-rounds", String(ROUNDS), counter ? `counter=${filePath}` : filePath];
  const { status, stdout, stderr } = spawnSync(THANOS_PATH, parameters, { encoding: "utf8" });
  if (status !== 0) {
    throw new Error(`the Go program failed: ${stderr}`);
  }
  return JSON.parse(stdout) as GoLine;
}

function runGo(...parameters: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(GO, parameters, { cwd: GO_PATH, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
}
