/** The packages as a user gets them: packed, installed into an empty project, used from ESM, CommonJS and strict TypeScript. */
import { execFileSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

const NAMES = {
  core: "{ chain, columnsBlock, dedup, splice }",
  "remote-read": "{ memoryReader, readHandler, remoteReader }",
};

/** What is done with these names; `as const` and types are taken out where it is not TypeScript. */
const BODY = `
const columns = { timestamps: Float64Array.of(1000, 2000), values: Float64Array.of(1, 2) };
async function main() {
  const shown = dedup([columns, columns], chain());
  let rows = 0;
  for (const { start, end } of splice([[columnsBlock(columns)]], chain())) rows += end - start;
  const handle = readHandler(memoryReader([{ labels: ["__name__", "up"], blocks: [columnsBlock(columns)] }]));
  const fetch = (url/*: string*/, init/*: RequestInit*/) => handle(new Request(url, { ...init, signal: null }));
  const reader = remoteReader({ url: "http://splice.test/read", fetch });
  const matchers = [{ type: "="/* as const*/, name: "__name__", value: "up" }];
  const read/*: number[]*/ = [];
  for await (const { blocks } of reader.read({ startMs: 0, endMs: 5000, matchers })) {
    for (const block of blocks) read.push(...block.values());
  }
  const got = [shown.values.join(), rows, read.join()].join(" ");
  if (got !== "1,2 2 1,2") throw new Error(got);
}
void main();
`;

/** The options of a project that is as strict as can be, and checks the declarations of what it uses too. */
const STRICT =
  "--strict --exactOptionalPropertyTypes --noUncheckedIndexedAccess --skipLibCheck false --target es2023 --lib es2023,dom";
const RESOLUTIONS = [
  { module: "nodenext", moduleResolution: "nodenext" },
  { module: "esnext", moduleResolution: "bundler" },
];

/** Packs the packages, with what `npm publish` would, and installs them into this folder, which is empty. */
export function installTarballs(folder) {
  for (const name of Object.keys(NAMES)) {
    const packing = ["--yes", "pnpm@10.34.9", "pack", "--pack-destination", folder];
    run(path.join(root, "packages", name), "npx", packing);
  }
  const tarballs = readdirSync(folder).map((file) => `./${file}`);
  writeFileSync(path.join(folder, "package.json"), "{}");
  run(folder, "npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", ...tarballs]);
}

/** Uses what is installed in the folder in each way; throws where one fails. One line a way. */
export function checkTarballs(folder) {
  const esm = importsOf((names, from) => `import ${names} from ${from};`);
  const commonjs = importsOf((names, from) => `const ${names} = require(${from});`);
  writeFileSync(path.join(folder, "esm.mjs"), esm + BODY);
  writeFileSync(path.join(folder, "commonjs.cjs"), commonjs + BODY);
  writeFileSync(path.join(folder, "strict.mts"), esm + BODY.replaceAll(/\/\*|\*\//g, ""));
  for (const file of ["esm.mjs", "commonjs.cjs"]) {
    run(folder, process.execPath, [file]);
    console.log(`tarballs: ${file} gives what it should`);
  }
  const tsc = path.join(root, "node_modules/typescript/bin/tsc");
  for (const { module, moduleResolution } of RESOLUTIONS) {
    const options = [...STRICT.split(" "), "--types", "", "--module", module, "--moduleResolution", moduleResolution];
    run(folder, process.execPath, [tsc, ...options, "strict.mts"]);
    run(folder, process.execPath, ["strict.mjs"]);
    console.log(`tarballs: strict TypeScript with ${moduleResolution} compiles and gives what it should`);
  }
}

/** The names of each package, in the form that `form` gives them. */
function importsOf(form) {
  return Object.entries(NAMES)
    .map(([name, names]) => form(names, `"@promsplice/${name}"`))
    .join("\n");
}

function run(cwd, command, parameters) {
  try {
    execFileSync(command, parameters, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    throw new Error(`${command} ${parameters.join(" ")} failed:\n${error.stdout}${error.stderr}`, { cause: error });
  }
}
