/**
 * The handler over two spliced replicas, as a process of its own. Started by `serving.ts` with the replicas' URLs and
 * `--expose-gc`. Sends the port that it listens on, and answers two messages:
 *
 *     { settleMs }   collects all garbage twice, waits so long after each, and begins to watch the memory   ──▶ { restBytes }
 *     "peak"         the most that the process has held since then, in bytes                               ──▶ { peakBytes }
 */
import { setTimeout as sleep } from "node:timers/promises";
import { penalty } from "@promsplice/core";
import { readHandler, remoteReader, splicedReader } from "@promsplice/remote-read";
import { listen } from "./child-server.ts";

/** How often the memory is looked at: between two looks not more than a few series go through. */
const WATCH_MS = 2;

const readers = process.argv.slice(2).map((url) => remoteReader({ url }));
let peakBytes = 0;

function look(): void {
  peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
}

/** Two collections: what the first one finishes off is freed by the second. The engine needs a moment to hand it back. */
async function comeToRest(settleMs: number): Promise<number> {
  for (let time = 0; time < 2; time++) {
    globalThis.gc?.();
    await sleep(settleMs);
  }
  return process.memoryUsage.rss();
}

async function answer(message: unknown): Promise<void> {
  if (message === "peak") {
    look();
    process.send?.({ peakBytes });
  } else {
    const restBytes = await comeToRest((message as { readonly settleMs: number }).settleMs);
    peakBytes = restBytes;
    setInterval(look, WATCH_MS).unref();
    process.send?.({ restBytes });
  }
}

process.on("message", (message) => void answer(message));
listen(readHandler(splicedReader(readers, { replicaLabels: ["replica"], strategy: penalty() })));
