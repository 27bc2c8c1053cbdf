/** Measures many cells, on as many threads as there are processors. */
import { once } from "node:events";
import os from "node:os";
import { Worker } from "node:worker_threads";
import type { CellTask } from "./cell-worker.ts";
import type { Cell } from "./grid.ts";
import type { CellScores, Extent } from "./measure-cell.ts";

/** The scores in the order of the cells. `report` is called after each cell with how many are done. */
export async function measureGrid(
  cells: readonly Cell[],
  extent: Extent,
  report: (done: number) => void,
): Promise<CellScores[]> {
  const results: CellScores[] = [];
  let next = 0;
  let done = 0;
  const work = async () => {
    const worker = new Worker(new URL("./cell-worker.js", import.meta.url));
    while (next < cells.length) {
      const index = next++;
      // A worker has no origin.
      // oxlint-disable-next-line unicorn/require-post-message-target-origin
      worker.postMessage({ cell: cells[index]!, extent } satisfies CellTask);
      // An error in the worker rejects.
      const [scores] = (await once(worker, "message")) as [CellScores];
      results[index] = scores;
      report(++done);
    }
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: Math.min(os.availableParallelism(), cells.length) }, () => work()));
  return results;
}
