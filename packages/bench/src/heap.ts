/** How much memory a case asks for: growth of the heap and of array buffers while it runs once, nothing collected. */
import { spawnSync } from "node:child_process";
import type { Case } from "./cases.ts";
import { collectYoungGarbage } from "./rounds.ts";

export interface Allocated {
  readonly heapBytes: number;
  /** The memory of typed arrays, which lies outside the heap. */
  readonly bufferBytes: number;
}

/**
 * What one run allocates: the least of a few, since the engine's own work (compiling, feedback) lands in the heap as well.
 * A run that asks for more than the young generation holds is collected meanwhile and then seems to have asked for less.
 */
export async function measureAllocated(run: Case["run"], attempts: number): Promise<Allocated> {
  let heapBytes = Infinity;
  let bufferBytes = Infinity;
  for (let attempt = 0; attempt < attempts; attempt++) {
    collectYoungGarbage();
    const before = process.memoryUsage();
    const answer = run();
    if (typeof answer !== "number") {
      await answer;
    }
    const after = process.memoryUsage();
    heapBytes = Math.min(heapBytes, after.heapUsed - before.heapUsed);
    bufferBytes = Math.min(bufferBytes, after.arrayBuffers - before.arrayBuffers);
  }
  return { heapBytes, bufferBytes };
}

/**
 * Runs this program again with `--expose-gc` if it was started without, and ends with the exit code of that. Returns where
 * garbage can be collected on demand.
 */
export function ensureGarbageCollector(): void {
  if (globalThis.gc !== undefined) {
    return;
  }
  const { status } = spawnSync(process.execPath, ["--expose-gc", ...process.execArgv, ...process.argv.slice(1)], {
    stdio: "inherit",
  });
  process.exit(status ?? 1);
}
