/**
 * What decoding a chunk allocates is at most a factor of its bytes, and a constant; the factor is that of its type. Measured as
 * the growth of array buffers and of the heap while nothing is collected, for shapes that cost as much as a chunk can and for
 * changed chunks.
 *
 *     type        bytes a byte   of what that is
 *     1 XOR           272        rows of 2 bits, 16 bytes each: 64; four times that where the last row is refused, since times
 *                                and values are asked for, and the careful decoder looks again for the reason
 *     4 XOR2          320        rows of 1 bit, 16 bytes each; start times are decoded with times of their own: 16 more
 *     2, 5            200        buckets of 1 bit in the first row, 24 bytes each: 8 of the column's, 16 of the decoder's own
 *     3, 6            192        rows of 4 bits, 41 bytes each, and start times 16; room for a bucket a bit, 8 bytes each
 */
import { chunkBlock, chunkCount } from "../../src/chunk/chunk-block.ts";
import { RemoteReadError } from "../../src/remote-read-error.ts";
import { campaign } from "./campaign.ts";
import { decodeAnyhow } from "./chunk-outcome.ts";
import { bytesMaxOf, CHUNK_SHAPES, chunkOfBytes, CLAIMING_SHAPES } from "./chunk-shapes.ts";
import { mutatedChunk } from "./mutated-chunks.ts";

/** The most bytes that are allocated for each byte of a chunk, by its type. */
const FACTORS: readonly number[] = [0, 272, 200, 192, 320, 200, 192];
/** Columns are cut from buffers of 64 KiB, new ones where something is tried again; objects of a fixed number. */
const CONSTANT_BYTES = 8 * 65_536;
/** The longest chunk that is measured. */
const BYTES_MAX = 65_536;
/**
 * Measured so often: of the heap, which grows by what the engine does for itself as well, the least counts; of buffers the most,
 * since older ones may be freed meanwhile.
 */
const ATTEMPTS = 2;

const SHAPES = [...CHUNK_SHAPES, ...CLAIMING_SHAPES];

campaign("the memory of chunks", { count: 500, of: "chunks", seconds: 5 }, (cases) => {
  const largest = FACTORS.map(() => 0);
  for (const seed of cases) {
    const { type, data, name } = chunkOf(seed);
    const most = FACTORS[type]! * data.length + CONSTANT_BYTES;
    const allocated = measureAllocated(type, data);
    if (allocated > most) {
      throw new Error(`type ${type}, ${name}: ${data.length} bytes allocate ${allocated}, at most ${most} are right`);
    }
    largest[type] = Math.max(largest[type]!, (allocated - CONSTANT_BYTES) / data.length);
  }
  return Object.fromEntries(largest.map((factor, type) => [`type ${type}`, factor] as const).slice(1));
});

/** A shape in one of its lengths, for seeds that are even; else a changed chunk. */
function chunkOf(seed: number): { readonly type: number; readonly data: Uint8Array; readonly name: string } {
  if (seed % 2 !== 0) {
    const { how, ...chunk } = mutatedChunk(seed);
    return { ...chunk, name: how };
  }
  const index = seed >>> 1;
  const shape = SHAPES[index % SHAPES.length]!;
  // What is found out late is claimed in full.
  const halvings = shape.isValid ? Math.floor(index / SHAPES.length) % 6 : 0;
  const longest = Math.min(bytesMaxOf(shape), BYTES_MAX);
  return { type: shape.type, data: chunkOfBytes(shape, longest / 2 ** halvings), name: shape.name };
}

/** What all that a block of the chunk can be asked for allocates together: its times, its values, its start times. */
function measureAllocated(type: number, data: Uint8Array): number {
  let [minMs, maxMs] = [0, 0];
  const outcome = decodeAnyhow(type, data);
  if (outcome.code === undefined) {
    ({ minMs, maxMs } = outcome.chunk);
  }
  let [heapBytes, bufferBytes] = [Infinity, 0];
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    globalThis.gc!();
    const before = process.memoryUsage();
    askForAll(type, data, minMs, maxMs);
    const after = process.memoryUsage();
    heapBytes = Math.min(heapBytes, Math.max(0, after.heapUsed - before.heapUsed));
    bufferBytes = Math.max(bufferBytes, after.arrayBuffers - before.arrayBuffers);
  }
  return heapBytes + bufferBytes;
}

function askForAll(type: number, data: Uint8Array, minMs: number, maxMs: number): void {
  // What is refused must not have allocated more than what is not.
  ignoreRefusal(() => {
    if (chunkCount({ type, data }) > 0) {
      const block = chunkBlock({ type, data, minMs, maxMs });
      ignoreRefusal(() => block.timestamps());
      ignoreRefusal(() => (block.kind === "float" ? block.values() : block.histograms()));
      ignoreRefusal(() => block.startTimestamps?.());
    }
  });
}

function ignoreRefusal(action: () => unknown): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof RemoteReadError)) {
      throw error;
    }
  }
}
