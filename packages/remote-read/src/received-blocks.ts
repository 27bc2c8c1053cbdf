/** The blocks of one server's series: made when asked for, counted when decoded, and its name in what they throw. */
import { formatLabelSet, type Block, type LabelSet, SpliceError } from "@promsplice/core";

import { chunkBlock, chunkCount, type EncodedChunk } from "./chunk/chunk-block.ts";
import { clipBlocks } from "./clip-blocks.ts";
import { RemoteReadError } from "./remote-read-error.ts";
import { WatchedBlock } from "./watched-block.ts";

/** What the blocks of one reading have in common. */
export interface ReceivedBlocksContext {
  /** Name of the server. */
  readonly replica: string;
  /** Blocks of which at least the timestamps were asked for. */
  blocksDecoded: number;
}

/** The chunks of a frame as blocks, without the empty ones. Iterating throws what `chunkBlock` does. */
export class ChunkBlocks implements Iterable<Block> {
  readonly #chunks: readonly EncodedChunk[];
  readonly #histogramBucketsMax: number;

  constructor(chunks: readonly EncodedChunk[], histogramBucketsMax: number) {
    this.#chunks = chunks;
    this.#histogramBucketsMax = histogramBucketsMax;
  }

  *[Symbol.iterator](): Generator<Block, void, undefined> {
    for (const chunk of this.#chunks) {
      if (chunkCount(chunk) > 0) {
        yield chunkBlock(chunk, this.#histogramBucketsMax);
      }
    }
  }
}

/** A series may fail by itself: then its blocks throw, each time that they are iterated over, and the answer goes on. */
class FailingBlocks implements Iterable<Block> {
  readonly #error: RemoteReadError;

  constructor(error: RemoteReadError) {
    this.#error = error;
  }

  [Symbol.iterator](): Iterator<Block> {
    throw this.#error;
  }
}

/**
 * The blocks of a series between two times, both inclusive; an array, in order of time and not overlapping, or an iterable
 * that throws where the blocks cannot be made.
 */
export function receiveBlocks(
  labels: LabelSet,
  pieces: readonly Iterable<Block>[],
  window: { readonly startMs: number; readonly endMs: number },
  context: ReceivedBlocksContext,
): readonly Block[] | FailingBlocks {
  const watcher = {
    decoded: (): void => void context.blocksDecoded++,
    failed: (error: unknown): unknown => nameBlockError(error, labels, context),
  };
  try {
    const blocks: Block[] = [];
    for (const piece of pieces) {
      for (const block of piece) {
        blocks.push(new WatchedBlock(block, watcher));
      }
    }
    return clipBlocks(blocks, window.startMs, window.endMs);
  } catch (error) {
    const named = nameBlockError(error, labels, context);
    if (named instanceof RemoteReadError) {
      return new FailingBlocks(named);
    }
    throw error;
  }
}

/** The error with the name of the server and, where it is about one, of the series; others than ours stay as they are. */
export function nameError(error: unknown, replica: string, series?: string): unknown {
  if (!(error instanceof RemoteReadError) || error.replica !== undefined) {
    return error;
  }
  const { code, message, offset } = error;
  return new RemoteReadError(code, message, { cause: error, replica, offset, series: error.series ?? series });
}

function nameBlockError(error: unknown, labels: LabelSet, { replica }: ReceivedBlocksContext): unknown {
  // Rows that step back, or too many blocks at one time: found when blocks that overlap are united.
  const ours =
    error instanceof RangeError || error instanceof SpliceError
      ? new RemoteReadError("chunk-malformed", error.message, { cause: error })
      : error;
  return nameError(ours, replica, formatLabelSet(labels));
}
