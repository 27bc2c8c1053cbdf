/** Installs the packed packages into an empty project and uses them from ESM, from CommonJS and from strict TypeScript. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), "promsplice-tarballs-"));
const run = (command, parameters, cwd = folder) =>
  execFileSync(command, parameters, { cwd, stdio: ["ignore", "pipe", "inherit"] });

const NAMES = {
  core: "{ chain, columnsBlock, dedup, splice }",
  "remote-read": "{ memoryReader, readHandler, remoteReader }",
};
const imports = (form) =>
  Object.entries(NAMES)
    .map(([name, names]) => form(names, `"@promsplice/${name}"`))
    .join("\n");
const BODY = `
const columns = { timestamps: Float64Array.of(1000, 2000), values: Float64Array.of(1, 2) };
async function main() {
  const shown = dedup([columns, columns], chain());
  let rows = 0;
  for (const { start, end } of splice([[columnsBlock(columns)]], chain())) rows += end - start;
  const handle = readHandler(memoryReader([{ labels: ["__name__", "up"], blocks: [columnsBlock(columns)] }]));
  const reader = remoteReader({ url: "http://splice.test/read", fetch: (url, init) => handle(new Request(url, { ...init, signal: null })) });
  const query = { startMs: 0, endMs: 5000, matchers: [{ type: "=" as const, name: "__name__", value: "up" }] };
  const read: number[] = [];
  for await (const { blocks } of reader.read(query)) for (const block of blocks) read.push(...block.values());
  if (shown.values.join() !== "1,2" || rows !== 2 || read.join() !== "1,2") throw new Error(\`\${shown.values.join()} \${rows} \${read.join()}\`);
}
void main();
`;
const plain = BODY.replace(" as const", "").replace(": number[]", "");

try {
  for (const name of Object.keys(NAMES)) {
    run("npx", ["--yes", "pnpm@10.34.9", "pack", "--pack-destination", folder], path.join(root, "packages", name));
  }
  const tarballs = readdirSync(folder);
  writeFileSync(path.join(folder, "package.json"), "{}");
  run("npm", ["install", "--no-audit", "--no-fund", ...tarballs.map((file) => `./${file}`)]);
  const esm = imports((names, from) => `import ${names} from ${from};`);
  writeFileSync(path.join(folder, "a.mjs"), esm + plain);
  writeFileSync(path.join(folder, "b.cjs"), imports((names, from) => `const ${names} = require(${from});`) + plain);
  writeFileSync(path.join(folder, "c.mts"), esm + BODY);
  for (const file of ["a.mjs", "b.cjs"]) {
    run(process.execPath, [file]);
    console.log(`tarballs: ${file} gives what it should`);
  }
  for (const module of [
    ["nodenext", "nodenext"],
    ["esnext", "bundler"],
  ]) {
    const options = [
      "--strict",
      "--exactOptionalPropertyTypes",
      "--noUncheckedIndexedAccess",
      "--skipLibCheck",
      "false",
      "--target",
      "es2023",
      "--lib",
      "es2023,dom",
    ];
    run(process.execPath, [
      path.join(root, "node_modules/typescript/bin/tsc"),
      ...options,
      "--types",
      "",
      "--module",
      module[0],
      "--moduleResolution",
      module[1],
      "c.mts",
    ]);
    run(process.execPath, ["c.mjs"]);
    console.log(`tarballs: strict TypeScript with ${module[1]} compiles and gives what it should`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
