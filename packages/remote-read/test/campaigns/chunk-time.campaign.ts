/**
 * Time grows in proportion to the bytes, whatever a chunk is made of: twice the bytes take about twice the time, five times in a
 * row, of honest chunks and of those that cost as much as a chunk can, to decode them and to encode what was decoded.
 */
import { chunkBlock, encodeBlock } from "../../src/chunk/chunk-block.ts";
import { campaign } from "./campaign.ts";
import { decodeAnyhow } from "./chunk-outcome.ts";
import { bytesMaxOf, CHUNK_SHAPES, type ChunkShape, chunkOfBytes } from "./chunk-shapes.ts";

const DOUBLINGS = 5;
/** The most that twice the bytes may take, in times of the half's. */
const RATIO_MAX = 2.6;
/** The longest chunk that is timed, unless the shape ends before; the shortest is a 32nd. */
const BYTES_MAX = 16_384;
/** A turn takes as many short chunks as have so many bytes, since clocks are coarse. */
const BYTES_OF_A_TURN = 16_384;
const ROUNDS = 5;
/** Machines are noisy: a pair whose ratio is too large is timed again up to so often. */
const MORE_ROUNDS_MAX = 300;

/** What is timed: makes of a chunk what is then run. */
interface Work {
  readonly name: string;
  prepare(type: number, data: Uint8Array): () => void;
}

const DECODE: Work = {
  name: "decode",
  prepare: (type, data) => () => void decodeAnyhow(type, data),
};
const ENCODE: Work = {
  name: "encode",
  prepare: (type, data) => {
    const outcome = decodeAnyhow(type, data);
    if (outcome.code !== undefined) {
      throw new Error(`it ended with ${outcome.code}`);
    }
    const block = chunkBlock(outcome.chunk);
    return () => void encodeBlock(block);
  },
};

const JOBS = CHUNK_SHAPES.flatMap((shape) =>
  (shape.isValid ? [DECODE, ENCODE] : [DECODE]).map((work) => ({ shape, work })),
);

campaign("the time of chunks", { count: 2 * JOBS.length, of: "series of doubled chunks", seconds: 8 }, (cases) => {
  let [largest, largestName] = [0, ""];
  for (const seed of cases) {
    const { shape, work } = JOBS[(seed >>> 0) % JOBS.length]!;
    const name = `${work.name}, type ${shape.type}, ${shape.name}`;
    const ratio = new Doubled(name, shape, work).worstRatio();
    if (ratio > largest) {
      [largest, largestName] = [ratio, name];
    }
  }
  return { "ways and shapes": JOBS.length, "largest ratio": largest, of: largestName };
});

/** A shape's chunks, each of twice the bytes of the one before, and the least time that each has taken. */
class Doubled {
  readonly #name: string;
  readonly #chunks: readonly Uint8Array[];
  readonly #runs: readonly (() => void)[];
  readonly #leastMs: number[];

  constructor(name: string, shape: ChunkShape, work: Work) {
    const longest = Math.min(BYTES_MAX, bytesMaxOf(shape));
    this.#name = name;
    this.#chunks = Array.from({ length: DOUBLINGS + 1 }, (_, index) =>
      chunkOfBytes(shape, longest / 2 ** (DOUBLINGS - index)),
    );
    for (const data of this.#chunks) {
      const { code } = decodeAnyhow(shape.type, data);
      if ((code === undefined) !== shape.isValid) {
        throw new Error(`${name}: ${data.length} bytes end with ${code}`);
      }
    }
    this.#runs = this.#chunks.map((data) => work.prepare(shape.type, data));
    this.#leastMs = this.#chunks.map(() => Infinity);
  }

  /** The largest of the ratios between two times. Throws if it is too large. */
  worstRatio(): number {
    for (let round = 0; round < ROUNDS; round++) {
      this.#chunks.forEach((_, index) => this.#time(index));
    }
    return Math.max(...this.#chunks.slice(1).map((_, index) => this.#ratio(index)));
  }

  /** How much more time chunk `half + 1` takes than chunk `half`, were it exactly twice as long. */
  #ratio(half: number): number {
    const bytes = this.#chunks[half + 1]!.length / this.#chunks[half]!.length;
    const ratio = (): number => (this.#leastMs[half + 1]! / this.#leastMs[half]!) * (2 / bytes);
    for (let round = 0; ratio() > RATIO_MAX && round < MORE_ROUNDS_MAX; round++) {
      this.#time(half + 1);
    }
    if (ratio() > RATIO_MAX) {
      const times = [half, half + 1].map(
        (at) => `${this.#chunks[at]!.length} bytes ${this.#leastMs[at]!.toFixed(3)} ms`,
      );
      throw new Error(`${this.#name}: ${times.join(", ")}`);
    }
    return ratio();
  }

  #time(index: number): void {
    const run = this.#runs[index]!;
    const times = Math.max(1, Math.floor(BYTES_OF_A_TURN / this.#chunks[index]!.length));
    const begin = performance.now();
    for (let time = 0; time < times; time++) {
      run();
    }
    this.#leastMs[index] = Math.min(this.#leastMs[index]!, (performance.now() - begin) / times);
  }
}
