/**
 * Installs the packed packages into an empty project, uses them in every way (tarballs.mjs), and runs the suite (suite/), bundled
 * once over these packages, on every runtime that can be had. One line a runtime; fails if one of them fails, or counts otherwise.
 *
 *     node everywhere/run.mjs [runtime …]    of those that scripts/runtimes.mjs knows; all without
 */
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

import { findRuntime, runtimeNames } from "../scripts/runtimes.mjs";
import { collectData } from "./data.mjs";
import { checkTarballs, installTarballs } from "./tarballs.mjs";

const RUN_MS_MAX = 120_000;
const PAGE =
  '<!doctype html><link rel="icon" href="data:,"><body>not run</body><script type="module" src="/bundle.mjs"></script>';

/** The runtimes, and Node once more where it must not make code of strings, as under many a content security policy. */
const names = process.argv.slice(2);
const wanted = [
  ...runtimeNames.map((name) => ({ name, flags: [] })),
  { name: "node", flags: ["--disallow-code-generation-from-strings"] },
].filter(({ name }) => names.length === 0 || names.includes(name));

const folder = mkdtempSync(path.join(tmpdir(), "promsplice-everywhere-"));
try {
  installTarballs(folder);
  checkTarballs(folder);
  const bundle = await bundleSuite();
  const server = await servePage(bundle);
  const results = new Set();
  for (const { name, flags } of wanted) {
    const found = findRuntime(name);
    if (found !== undefined) {
      const page = `http://127.0.0.1:${server.address().port}/`;
      const last = name === "chromium" ? [`--virtual-time-budget=${RUN_MS_MAX}`, "--dump-dom", page] : [bundle];
      const output = await run(name, found.command, [...found.args, ...flags, ...last]);
      const result = /checked (.+\d)/.exec(output)?.[1];
      console.log(`${[name, found.version, ...flags].join(" ")}: ${result ?? `FAILED\n${output.slice(0, 2000)}`}`);
      results.add(result);
    }
  }
  server.close();
  if (results.size !== 1 || results.has(undefined)) {
    console.log("everywhere: the runtimes do not agree");
    process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The suite and its data as one file, beside the installed packages. */
async function bundleSuite() {
  cpSync(fileURLToPath(new URL("suite", import.meta.url)), path.join(folder, "suite"), { recursive: true });
  const data = JSON.stringify(JSON.stringify(collectData()));
  const contents = `
    import { checkAll } from "./suite/suite.mjs";
    const say = (text) => (globalThis.document ? (document.body.textContent = text) : console.log(text));
    try {
      const counts = Object.entries(await checkAll(JSON.parse(${data})));
      say("checked " + counts.map((pair) => pair.join(" ")).join(", "));
    } catch (error) {
      say("failed " + error.stack);
    }`;
  const outfile = path.join(folder, "bundle.mjs");
  await build({ stdin: { contents, resolveDir: folder }, bundle: true, format: "esm", target: "es2023", outfile });
  return outfile;
}

async function servePage(bundle) {
  const server = createServer((request, response) => {
    const isScript = request.url === "/bundle.mjs";
    response.setHeader("Content-Type", isScript ? "text/javascript" : "text/html");
    response.end(isScript ? readFileSync(bundle) : PAGE);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

/** What it prints. Chromium's complaints about its surroundings are not of interest. */
function run(name, command, parameters) {
  return new Promise((resolve) => {
    const child = spawn(command, parameters, {
      stdio: ["ignore", "pipe", name === "chromium" ? "ignore" : "pipe"],
      timeout: RUN_MS_MAX,
    });
    let output = "";
    child.stdout.on("data", (piece) => (output += piece));
    child.stderr?.on("data", (piece) => (output += piece));
    child.on("error", (error) => resolve(String(error)));
    child.on("close", () => resolve(output));
  });
}
