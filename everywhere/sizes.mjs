/** Prints what the packages weigh in a browser: bundled, minified and gzipped at level 9, in KiB. */
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

const PARTS = {
  "core, whole": ['export * from "@promsplice/core"', []],
  "core, `dedup` and `penalty`": ['export { dedup, penalty } from "@promsplice/core"', []],
  "remote-read with its dependencies": ['export * from "@promsplice/remote-read"', []],
  "remote-read without core": ['export * from "@promsplice/remote-read"', ["@promsplice/core"]],
  "`remoteReader` alone, with dependencies": ['export { remoteReader } from "@promsplice/remote-read"', []],
};

for (const [name, [contents, external]] of Object.entries(PARTS)) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: fileURLToPath(new URL("..", import.meta.url)) },
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2023",
    external,
    write: false,
  });
  const bytes = gzipSync(outputFiles[0].contents, { level: 9 }).length;
  console.log(`${name}: ${(bytes / 1024).toFixed(1)} KiB`);
}
