/**
 * A part of the benchmark: what the packages weigh in a browser, bundled, minified, and gzipped at level 9.
 * `node dist/sizes.js [--smoke] [--write]`; both do the same work, which is little.
 */
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";

import { build, version } from "esbuild";

import { printRatios } from "./bench.ts";
import type { Ratio } from "./goals.ts";
import { describeCircumstances, PACKAGE_PATH, type SizeCaseResult, writeResults } from "./results.ts";

interface Part {
  readonly name: string;
  /** A module that exports what is weighed. */
  readonly source: string;
  /** What is not weighed along. */
  readonly external?: readonly string[];
  /** In KiB, gzipped. */
  readonly limit?: number;
}

const CORE = "@promsplice/core";
const REMOTE_READ = "@promsplice/remote-read";

const PARTS: readonly Part[] = [
  { name: "core", source: `export * from "${CORE}"`, limit: 8 },
  { name: "core: `dedup` with `penalty`", source: `export { dedup, penalty } from "${CORE}"` },
  { name: "core: `dedup` with `chain`", source: `export { dedup, chain } from "${CORE}"` },
  { name: "remote-read with its dependencies", source: `export * from "${REMOTE_READ}"`, limit: 32 },
  { name: "remote-read without core", source: `export * from "${REMOTE_READ}"`, external: [CORE] },
  {
    name: "remote-read without core and dependencies",
    source: `export * from "${REMOTE_READ}"`,
    external: [CORE, "protobufjs", "snappyjs"],
  },
  { name: "`remoteReader` with dependencies", source: `export { remoteReader } from "${REMOTE_READ}"` },
  { name: "`readHandler` with dependencies", source: `export { readHandler } from "${REMOTE_READ}"` },
];

const { values } = parseArgs({ options: { smoke: { type: "boolean" }, write: { type: "boolean" } } });
const cases = await Promise.all(PARTS.map((part) => weigh(part)));
const ratios = PARTS.map(({ name, limit }, index): Ratio => {
  const measured = cases[index]!.gzippedBytes / 1024;
  return { what: name, against: "–", measured, unit: "KiB", ...(limit === undefined ? {} : { limit }) };
}).filter(({ limit }) => limit !== undefined);
if (values.smoke === true) {
  console.log(`smoke: ${cases.length} bundles of the packages could be made`);
} else {
  for (const { name, gzippedBytes } of cases) {
    console.log(`${(gzippedBytes / 1024).toFixed(1).padStart(8)} KiB   ${name}`);
  }
  printRatios(ratios);
}
if (values.write === true) {
  const amount = `Bundled and minified by esbuild ${version}, then gzipped at level 9`;
  writeResults({
    sizes: { circumstances: describeCircumstances(`Node ${process.version}`, 1, amount), ratios, cases },
  });
}

async function weigh({ name, source, external = [] }: Part): Promise<SizeCaseResult> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: PACKAGE_PATH },
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2023",
    external: [...external],
    write: false,
  });
  const { contents } = outputFiles[0]!;
  return { name, bytes: contents.length, gzippedBytes: gzipSync(contents, { level: 9 }).length };
}
