/**
 * Checks that the kernel's tests would notice: each mutant is one wrong reading of the rules, written as a patch. A mutant
 * counts as killed only if the patch applies, the types still check, and then a test fails by an assertion; a hang, a crash
 * of the runner or a failure of the unmutated sources does not count. Prints which test failed first.
 *
 *     node scripts/mutants.mjs [name …]        all mutants, or those whose names contain one of the words
 */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { FILL_MUTANTS } from "./mutants-fill.mjs";
import { MUTANTS as PENALTY_MUTANTS } from "./mutants-list.mjs";

const MUTANTS = [...PENALTY_MUTANTS, ...FILL_MUTANTS];

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");
const CORE = join(ROOT, "packages/core");
const WORK = join(CORE, ".mutants");
const BIN = join(ROOT, "node_modules/.bin");
/** Which tests are to notice, by the file that is broken: cheap ones first, since the first failure ends a run. */
const TESTS_OF = [
  {
    files: /^strategy\/(?:levels|filling|filling-state|interval-estimate)\.ts$/u,
    tests: ["fill-cases", "fill", "fill-checkpoint"],
  },
  {
    files: /^strategy\/(?:interval|chain|heads)\.ts$/u,
    tests: ["strategy-vectors", "interval-chain", "checkpoint", "histogram-strategies"],
  },
  { files: /^lanes\.ts$/u, tests: ["lanes"] },
  { files: /^spacing\.ts$/u, tests: ["coverage", "survey"] },
  { files: /^survey\.ts$/u, tests: ["survey"] },
  { files: /^/u, tests: ["penalty-vectors", "penalty", "normalise", "splice", "explain", "checkpoint"] },
];
const ALL_TESTS = [...new Set(TESTS_OF.flatMap(({ tests }) => tests))];
/** The unmutated run takes some ten seconds; a mutant that takes this long hangs. */
const RUN_MS_MAX = 240_000;
const AT_ONCE = 2;

function run(command, args, cwd) {
  return new Promise((resolve) => {
    execFile(command, args, { cwd, timeout: RUN_MS_MAX, maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
      resolve({ isOk: error === null, isTimeout: error?.killed === true, output: stdout + stderr });
    });
  });
}

/** Copies the sources and tests, with one patch applied, into a folder of its own inside the package. */
function prepare(folder, mutant) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  cpSync(join(CORE, "src"), join(folder, "src"), { recursive: true });
  cpSync(join(CORE, "test"), join(folder, "test"), { recursive: true });
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      extends: "../../tsconfig.json",
      compilerOptions: {
        composite: false,
        noEmit: true,
        rootDir: "src",
        noUnusedLocals: false,
        noUnusedParameters: false,
      },
      include: ["src"],
    }),
  );
  writeFileSync(
    join(folder, "vitest.config.mjs"),
    `export default { root: ${JSON.stringify(folder)}, test: { include: ["test/**/*.test.ts"], testTimeout: 120000 } };`,
  );
  if (mutant !== undefined) {
    const file = join(folder, "src", mutant.file);
    const source = readFileSync(file, "utf8");
    const parts = source.split(mutant.find);
    if (parts.length !== 2) {
      throw new Error(`${mutant.name}: the patch applies ${parts.length - 1} times in ${mutant.file}, not once`);
    }
    writeFileSync(file, parts.join(mutant.replace));
  }
}

/** Answers what some tests say of a folder, one after another: undefined if all pass, else the first failure. */
async function firstFailure(folder, tests) {
  for (const test of tests) {
    const failure = await failureOf(folder, `test/${test}.test.ts`);
    if (failure !== undefined) {
      return failure;
    }
  }
  return undefined;
}

async function failureOf(folder, testFile) {
  const report = join(folder, "report.json");
  const args = ["run", "--config", join(folder, "vitest.config.mjs"), "--bail", "1", "--no-file-parallelism"];
  const result = await run(
    join(BIN, "vitest"),
    [...args, "--reporter=json", `--outputFile=${report}`, testFile],
    folder,
  );
  if (result.isTimeout) {
    throw new Error(`no answer within ${RUN_MS_MAX / 1000} s`);
  }
  if (result.isOk) {
    return undefined;
  }
  const { testResults } = JSON.parse(readFileSync(report, "utf8"));
  const failed = testResults
    .flatMap(({ name, assertionResults }) =>
      assertionResults.map((test) => ({ file: name.replace(/^.*\//, ""), ...test })),
    )
    .find(({ status }) => status === "failed");
  if (failed === undefined) {
    throw new Error(`the tests failed without a failing test:\n${result.output.slice(-2000)}`);
  }
  return { test: `${failed.file}: ${failed.fullName}`, message: failed.failureMessages.join("\n") };
}

async function judge(mutant, folder) {
  try {
    prepare(folder, mutant);
    const types = await run(join(BIN, "tsc"), ["--project", join(folder, "tsconfig.json")], folder);
    if (!types.isOk) {
      return { isKilled: false, text: `the types do not check:\n${types.output}` };
    }
    const failure = await firstFailure(folder, TESTS_OF.find(({ files }) => files.test(mutant.file)).tests);
    if (failure === undefined) {
      return { isKilled: false, text: "SURVIVED: no test fails" };
    }
    return /AssertionError|Property failed|expected/i.test(failure.message)
      ? { isKilled: true, text: failure.test }
      : { isKilled: false, text: `not an assertion: ${failure.test}\n${failure.message.slice(0, 500)}` };
  } catch (error) {
    return { isKilled: false, text: error.message };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const words = process.argv.slice(2);
const chosen = MUTANTS.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
const unmutated = join(WORK, "unmutated");
prepare(unmutated, undefined);
const failure = await firstFailure(unmutated, ALL_TESTS);
if (failure !== undefined) {
  console.error(`the unmutated sources fail: ${failure.test}\n${failure.message}`);
  process.exit(1);
}
console.log("unmutated: all kernel tests pass");

let killed = 0;
const queue = [...chosen.entries()];
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [index, mutant] = next;
      const { isKilled, text } = await judge(mutant, join(WORK, String(index)));
      killed += isKilled ? 1 : 0;
      console.log(`${isKilled ? "killed  " : "NOT KILLED"} ${mutant.name}\n           ${text}`);
    }
  }),
);
rmSync(WORK, { recursive: true, force: true });
console.log(`${killed} of ${chosen.length} mutants killed`);
process.exit(killed === chosen.length && chosen.length > 0 ? 0 : 1);
