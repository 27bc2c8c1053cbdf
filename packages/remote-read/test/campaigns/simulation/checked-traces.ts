/**
 * The hashes of the traces of the first 100 seeds, as they are checked in: what a simulated world does may not change unless that
 * is meant, and may depend on neither the machine nor the version of Node.
 */
import { readFileSync, writeFileSync } from "node:fs";

import { simulate } from "./simulate.ts";

export const CHECKED_SEEDS = 100;

const file = new URL("trace-hashes.json", import.meta.url);
/** Set to keep what comes out now. */
const isWritten = process.env["SIMULATION_TRACES"] === "write";

export async function hashTraces(count: number): Promise<string[]> {
  const hashes: string[] = [];
  for (let seed = 0; seed < count; seed++) {
    hashes.push((await simulate(seed)).trace.hash());
  }
  return hashes;
}

/**
 * Compares the traces of the first seeds with those that are checked in; all of them are needed to write them anew.
 *
 * @throws Error that names the seeds whose traces are others.
 */
export function checkTraces(hashes: readonly string[]): void {
  if (isWritten && hashes.length === CHECKED_SEEDS) {
    writeFileSync(file, `${JSON.stringify(hashes, null, 2)}\n`);
  }
  const checked = JSON.parse(readFileSync(file, "utf8")) as readonly string[];
  const others = hashes.flatMap((hash, seed) => (hash === checked[seed] ? [] : [seed]));
  if (others.length > 0) {
    throw new Error(
      `${others.length} of ${hashes.length} simulated worlds went another way than they did, those of the seeds ` +
        `${others.slice(0, 10).join(", ")}: if that is meant, write their traces anew with ` +
        "`SIMULATION_TRACES=write npm run campaigns -- simulation`, and say why in the commit",
    );
  }
}
