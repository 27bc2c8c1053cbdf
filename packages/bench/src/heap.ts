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
 * What one run allocates: of the heap the median of some attempts, since the engine's own work lands there as well, and a
 * collection may come in between; of buffers the most, since older ones may be freed meanwhile. A run that asks for more
 * than the young generation holds (16 MB) is collected every time, so measure it on less.
 */
export async function measureAllocated(run: Case["run"], attempts: number): Promise<Allocated> {
  const heapBytes: number[] = [];
  const bufferBytes: number[] = [];
  for (let attempt = 0; attempt < attempts; attempt++) {
    collectYoungGarbage();
    const before = process.memoryUsage();
    const answer = run();
    if (typeof answer !== "number") {
      await answer;
    }
    const after = process.memoryUsage();
    heapBytes.push(after.heapUsed - before.heapUsed);
    bufferBytes.push(after.arrayBuffers - before.arrayBuffers);
  }
  heapBytes.sort((one, other) => one - other);
  return { heapBytes: heapBytes[attempts >>> 1]!, bufferBytes: Math.max(...bufferBytes) };
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
