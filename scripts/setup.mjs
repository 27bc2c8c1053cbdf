/**
 * Makes a clone ready to run, with nothing but Node and npm: installs the pinned tools if what names them has changed, then
 * builds what is out of date. Where all is done already, it takes a fraction of a second.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The newest line that runs on Node 20. */
const PNPM = "pnpm@10.34.9";
const NODE_MIN = [20, 19];

const root = fileURLToPath(new URL("..", import.meta.url));
const stampPath = path.join(root, "node_modules", ".promsplice-installed");

checkNode();
process.chdir(root);
const packages = [".", "examples", ...readdirSync("packages").map((name) => `packages/${name}`)].filter((folder) =>
  existsSync(`${folder}/package.json`),
);
const wanted = fingerprint([
  "pnpm-lock.yaml",
  "pnpm-workspace.yaml",
  ...packages.map((folder) => `${folder}/package.json`),
]);
if (!isInstalled()) {
  console.log(`setup: installing the tools of pnpm-lock.yaml with ${PNPM}`);
  rmSync(stampPath, { force: true });
  // The tools are development dependencies: they are wanted even where NODE_ENV or npm's settings say production.
  run("npx", ["--yes", PNPM, "install", "--frozen-lockfile", "--prod=false", "--loglevel=warn"], {
    shell: process.platform === "win32",
  });
  writeFileSync(stampPath, wanted);
}
run(process.execPath, ["node_modules/typescript/bin/tsc", "--build", "tsconfig.build.json"], {});

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < NODE_MIN[0] || (major === NODE_MIN[0] && minor < NODE_MIN[1])) {
    fail(`setup: this is Node ${process.versions.node}, and ${NODE_MIN.join(".")} or later is needed`, 1);
  }
}

/** What an install depends on, as one line of hexadecimal digits. */
function fingerprint(files) {
  const hash = createHash("sha256").update(PNPM);
  for (const file of files) {
    hash.update(`\n${file}\n`).update(readFileSync(file));
  }
  return hash.digest("hex");
}

function isInstalled() {
  return (
    existsSync(stampPath) &&
    readFileSync(stampPath, "utf8") === wanted &&
    packages.every((folder) => existsSync(`${folder}/node_modules`) || !hasDependencies(folder))
  );
}

function hasDependencies(folder) {
  const { dependencies = {}, devDependencies = {} } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  return Object.keys({ ...dependencies, ...devDependencies }).length > 0;
}

/** Runs a command to its end and shows what it prints; ends this one, with the same code, if it fails. */
function run(command, parameters, options) {
  const { status, error } = spawnSync(command, parameters, { stdio: "inherit", ...options });
  if (error !== undefined || status !== 0) {
    fail(
      `setup: ${[path.basename(command), ...parameters].join(" ")} failed${error ? `: ${error.message}` : ""}`,
      status ?? 1,
    );
  }
}

function fail(message, code) {
  console.error(message);
  process.exit(code);
}
