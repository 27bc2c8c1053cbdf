/**
 * Chunks of all six types that were changed: each is malformed, or decodes within its count to columns that are right, the
 * same in every way of decoding, and fast.
 */
import { encodeBlock } from "../../src/chunk/chunk-block.ts";
import type { Block } from "@promsplice/core";
import { campaign } from "./campaign.ts";
import { checkedBlock, decodeAnyhow, isIncreasing } from "./chunk-outcome.ts";
import { corpusSize, mutatedChunk } from "./mutated-chunks.ts";

/** How long a chunk of at most 64 KiB may take in one way of decoding. */
const DECODE_MS_MAX = 100;
const ATTEMPTS = 30;
const SHORT_BYTES_MAX = 65_536;

/** What a RemoteReadError about a chunk may say. */
const CODES: ReadonlySet<string> = new Set(["chunk-malformed", "limit-exceeded"]);

campaign("mutated chunks", { count: 1_000_000, of: "chunks", seconds: 8 }, (cases) => {
  const valid = new Map<number, number>();
  let [malformed, empty, slowestMs] = [0, 0, 0];
  for (const seed of cases) {
    const { type, data, how } = mutatedChunk(seed);
    const before = Buffer.from(data);
    try {
      const outcome = decodeAnyhow(type, data);
      slowestMs = Math.max(slowestMs, checkTime(type, data, outcome.slowestMs));
      if (outcome.code === undefined) {
        valid.set(type, (valid.get(type) ?? 0) + 1);
        const block = checkedBlock(outcome);
        if (block !== undefined && isIncreasing(outcome.timestamps)) {
          checkEncoded(block);
        }
      } else if (outcome.code === "empty") {
        empty++;
      } else if (CODES.has(outcome.code)) {
        malformed++;
      } else {
        throw new Error(`it is refused with ${outcome.code}`);
      }
      if (before.compare(data) !== 0) {
        throw new Error("its bytes were written to");
      }
    } catch (error) {
      throw new Error(`type ${type}, ${how}, ${before.toString("hex").slice(0, 200)}: ${String(error)}`, {
        cause: error,
      });
    }
  }
  const decoded = [...valid].toSorted(([one], [other]) => one - other).map(([type, count]) => `${type}: ${count}`);
  return { from: corpusSize(), malformed, empty, "decoded by type": decoded.join(", "), "slowest ms": slowestMs };
});

/** How long a chunk takes, the least of some attempts if that seems to be long. */
function checkTime(type: number, data: Uint8Array, tookMs: number): number {
  let leastMs = tookMs;
  for (let attempt = 1; attempt < ATTEMPTS && leastMs > DECODE_MS_MAX; attempt++) {
    leastMs = Math.min(leastMs, decodeAnyhow(type, data).slowestMs);
  }
  if (leastMs > DECODE_MS_MAX && data.length <= SHORT_BYTES_MAX) {
    throw new Error(`its ${data.length} bytes take ${leastMs} ms`);
  }
  return leastMs;
}

/** What was decoded can be sent on: our encoder takes it, and its chunks are as many rows at the same times. */
function checkEncoded(block: Block): void {
  let row = 0;
  const timestamps = block.timestamps();
  for (const { type, data, minMs, maxMs } of encodeBlock(block)) {
    const outcome = decodeAnyhow(type, data);
    if (outcome.code !== undefined) {
      throw new Error(`what we encode of it is ${outcome.code}`);
    }
    const again = outcome.timestamps;
    if (again.some((timeMs, at) => timeMs !== timestamps[row + at]) || again[0] !== minMs || again.at(-1) !== maxMs) {
      throw new Error(`what we encode of it has other times from row ${row} on`);
    }
    if (block.kind === "float") {
      const values = block.values().slice(row, row + again.length);
      const decoded = checkedBlock(outcome)!.values();
      if (
        Buffer.from(values.buffer).compare(Buffer.from(decoded.buffer, decoded.byteOffset, decoded.byteLength)) !== 0
      ) {
        throw new Error(`what we encode of it has other values from row ${row} on`);
      }
    }
    row += again.length;
  }
  if (row !== block.count) {
    throw new Error(`what we encode of it is ${row} rows of ${block.count}`);
  }
}
