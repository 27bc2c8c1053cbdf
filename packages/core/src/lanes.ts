/**
 * The lanes of a Thanos Querier: what it gives to `penalty` in place of the replicas. It pools the chunks of all replicas of
 * a series, keeps one of those with equal bytes, sorts them by time and deals each to the first lane that is free.
 *
 *     replica A   [──a1──]     [──a2──]                lane 0   [──a1──]  [───b2───]
 *     replica B     [──b1──] [───b2───]                lane 1     [──b1──]  [──a2──]      b2 begins before a2
 *
 * Sources: thanos-io/thanos pkg/store/proxy_merge.go (chainSeriesAndRemIdenticalChunks), pkg/store/storepb/custom.go (the
 * order), pkg/dedup/iter.go (NewOverlapSplit), v0.42. Chunks that begin and end together are sorted by their type and, as
 * the sign of the comparison is turned there, by their bytes from the greatest down.
 */
import type { Block } from "./block.ts";
import { checkBlock } from "./splicer.ts";

/** Lanes, and for each of their blocks the replica that it came from. */
export interface DealtLanes {
  readonly lanes: Block[][];
  readonly replicaOf: ReadonlyMap<Block, number>;
}

/**
 * Deals the blocks of all replicas of a series to lanes, to be spliced in place of the replicas, by `penalty`, where results
 * are to be compared with those of a Thanos Querier. Nothing is decoded: first and last times decide, and bytes where both
 * are equal. Blocks without bytes come after those with, in the order of the replicas.
 *
 * All blocks must be at hand, so iterables are read to their ends. Give the blocks of one query's window: with others in
 * front, later ones go to other lanes.
 *
 * @throws TypeError if one is not a block.
 */
export function thanosLanes(replicas: readonly Iterable<Block>[]): Block[][] {
  return dealLanes(replicas, -Infinity, Infinity).lanes;
}

/** As {@link thanosLanes}, of the blocks that reach into a window, both ends inclusive. */
export function dealLanes(replicas: readonly Iterable<Block>[], startMs: number, endMs: number): DealtLanes {
  const replicaOf = new Map<Block, number>();
  for (const [replica, blocks] of replicas.entries()) {
    for (const block of blocks) {
      checkBlock(replica, block);
      if (block.lastMs >= startMs && block.firstMs <= endMs && !replicaOf.has(block)) {
        replicaOf.set(block, replica);
      }
    }
  }
  const lanes: Block[][] = [];
  let before: Block | undefined;
  for (const block of [...replicaOf.keys()].toSorted(compareBlocks)) {
    if (before?.bytes === undefined || block.bytes === undefined || compareBlocks(before, block) !== 0) {
      const lane = lanes.find((blocks) => blocks.at(-1)!.lastMs < block.firstMs);
      if (lane === undefined) {
        lanes.push([block]);
      } else {
        lane.push(block);
      }
    }
    before = block;
  }
  return { lanes, replicaOf };
}

function compareBlocks(one: Block, other: Block): number {
  if (one.firstMs !== other.firstMs) {
    return one.firstMs - other.firstMs;
  }
  if (one.lastMs !== other.lastMs) {
    return one.lastMs - other.lastMs;
  }
  if (one.kind !== other.kind) {
    return one.kind === "float" ? -1 : 1;
  }
  if (one.bytes === undefined || other.bytes === undefined) {
    return Number(one.bytes === undefined) - Number(other.bytes === undefined);
  }
  return compareBytes(other.bytes, one.bytes);
}

function compareBytes(one: Uint8Array, other: Uint8Array): number {
  const length = Math.min(one.length, other.length);
  for (let at = 0; at < length; at++) {
    if (one[at] !== other[at]) {
      return one[at]! - other[at]!;
    }
  }
  return one.length - other.length;
}
