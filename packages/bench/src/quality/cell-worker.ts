/** What runs in a worker: measures the cells that it is sent, one after another. */
import { parentPort } from "node:worker_threads";
import type { Cell } from "./grid.ts";
import { type Extent, measureCell } from "./measure-cell.ts";

/** What is sent to a worker; it answers with the cell's scores. */
export interface CellTask {
  readonly cell: Cell;
  readonly extent: Extent;
}

parentPort?.on("message", (task: CellTask) => void answer(task));

async function answer({ cell, extent }: CellTask): Promise<void> {
  const scores = await measureCell(cell, extent);
  // A port has no origin.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  parentPort?.postMessage(scores);
}
