/** What a message claims of a chunk's times, held against its rows. */
import type { Block } from "@promsplice/core";

import { RemoteReadError } from "../remote-read-error.ts";

/** The times of a block, if the first and last are the claimed ones. Throws RemoteReadError `chunk-malformed` if not. */
export function checkClaimedTimes(block: Block, timestamps: Float64Array): Float64Array {
  const firstMs = timestamps[0]!;
  const lastMs = timestamps[block.count - 1]!;
  if (firstMs !== block.firstMs || lastMs !== block.lastMs) {
    throw new RemoteReadError(
      "chunk-malformed",
      `chunk claims times ${block.firstMs} to ${block.lastMs}, its samples are at ${firstMs} to ${lastMs}`,
    );
  }
  return timestamps;
}
