/** Runs the vector suite, bundled once, on every runtime that can be had, and fails if one disagrees. One line a runtime. */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

import { findRuntime, runtimeNames } from "../scripts/runtimes.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const recordings = path.join(root, "packages/remote-read/test/recordings");
const readJson = (file) => JSON.parse(readFileSync(file, "utf8"));

/** Times that a number cannot hold, or out of order: errors by design, which the tests under Node check. */
const REFUSED = /int64-extremes|beyond-2\^53|out-of-order/;

function collectData() {
  const vectors = path.join(recordings, "vectors");
  const chunks = [
    ...readJson(`${vectors}/vectors-3.14.0.json`).map(({ name, encoding, hex, decoded }) => ({
      name,
      encoding,
      hex,
      rows: decoded ?? [],
    })),
    ...readJson(`${vectors}/real-chunks.json`).map(({ sources, encoding, hex, samples }) => ({
      name: sources[0],
      encoding,
      hex,
      rows: samples,
    })),
  ].filter(
    ({ name, rows }) =>
      rows.length > 0 && !REFUSED.test(name) && rows.every(({ t }) => Number.isSafeInteger(Number(t))),
  );
  const cases = readFileSync(path.join(root, "packages/core/test/vectors/strategies.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter(
      ({ strategy, replicas }) =>
        strategy !== "penalty" && replicas.every(({ v }) => v.every((value) => typeof value !== "object")),
    );
  const answers = readdirSync(path.join(recordings, "p353/samples"))
    .filter((file) => file.endsWith(".json"))
    .flatMap((file) => {
      const base = path.join(recordings, "p353/samples", file.slice(0, -5));
      const results = readJson(`${base}.json`).response.decoded?.results;
      const series = results?.length === 1 ? results[0].timeseries : [];
      if (series.length !== 1 || series[0].samples.length === 0 || series[0].histograms.length > 0) {
        return [];
      }
      const [{ labels, samples }] = series;
      const known = [labels.flat(), samples.map(([t]) => t), samples.map(([, , bits]) => bits)];
      return [
        { hex: readFileSync(`${base}.resp.bin`).toString("hex"), type: "application/x-protobuf", series: [known] },
      ];
    });
  return { chunks, cases, recordings: answers };
}

const folder = mkdtempSync(path.join(tmpdir(), "promsplice-everywhere-"));
const bundle = path.join(folder, "suite.mjs");
const entry = `import { checkAll } from "./everywhere/suite.mjs";
  const say = (text) => (globalThis.document ? (document.body.textContent = text) : console.log(text));
  try { say("checked " + JSON.stringify(await checkAll(${JSON.stringify(collectData())}))); }
  catch (error) { say("failed " + error.stack); }`;
await build({
  stdin: { contents: entry, resolveDir: root },
  bundle: true,
  format: "esm",
  target: "es2023",
  outfile: bundle,
});
writeFileSync(path.join(folder, "package.json"), "{}");

const server = createServer((request, response) => {
  const isScript = request.url === "/suite.mjs";
  response.setHeader("Content-Type", isScript ? "text/javascript" : "text/html");
  response.end(
    isScript ? readFileSync(bundle) : '<body>not run</body><script type="module" src="/suite.mjs"></script>',
  );
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

/** @type {[string, string[]][]} */
const wanted = [...runtimeNames.map((name) => [name, []]), ["node", ["--disallow-code-generation-from-strings"]]];
const seen = new Set();
for (const [name, flags] of wanted) {
  const found = findRuntime(name);
  if (found === undefined) {
    process.exitCode ||= name === "chromium" && process.env.CI === "true" ? 1 : 0;
    continue;
  }
  const page = `http://127.0.0.1:${server.address().port}/`;
  const last = name === "chromium" ? ["--virtual-time-budget=60000", "--dump-dom", page] : [bundle];
  const output = await run(name, found.command, [...found.args, ...flags, ...last]);
  const result = /checked (\{[^}]*\})/.exec(output)?.[1];
  console.log(`${[name, found.version, ...flags].join(" ")}: ${result ?? `FAILED\n${output.slice(0, 1000)}`}`);
  seen.add(result);
}
server.close();
rmSync(folder, { recursive: true, force: true });
if (seen.size !== 1 || seen.has(undefined)) {
  console.log("everywhere: the runtimes do not agree");
  process.exitCode = 1;
}

function run(name, command, parameters) {
  return new Promise((resolve) => {
    const child = spawn(command, parameters, {
      stdio: ["ignore", "pipe", name === "chromium" ? "ignore" : "pipe"],
      timeout: 120_000,
    });
    let output = "";
    child.stdout.on("data", (piece) => (output += piece));
    child.stderr?.on("data", (piece) => (output += piece));
    child.on("error", (error) => resolve(String(error)));
    child.on("close", () => resolve(output));
  });
}
