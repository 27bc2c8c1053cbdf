/**
 * Chunks that nobody should send: real ones, the appenders' and our own, and the shapes of `chunk-shapes.ts`, all with
 * something changed. Made from a seed alone.
 */
import { columnsBlock } from "@promsplice/core";

import { encodeBlock } from "../../src/chunk/chunk-block.ts";
import { seededRandom } from "../../../core/test/random.ts";
import { concatenate, fromHex } from "../bytes.ts";
import { exactBlock } from "../exact-histogram.ts";
import { recordedSeries } from "../histogram-series.ts";
import { fixtureChunks, realChunks, vectors } from "../vectors.ts";
import { bytesMaxOf, CHUNK_SHAPES, chunkOfBytes } from "./chunk-shapes.ts";

export interface MutatedChunk {
  readonly type: number;
  readonly data: Uint8Array;
  /** What was done to it. */
  readonly how: string;
}

type Random = () => number;

const TYPES: readonly number[] = [1, 2, 3, 4, 5, 6];

/** What stays of a longer chunk before something is done to it, mostly. */
const USUAL_BYTES_MAX = 1_024;
/** One in so many may be longer: those take as long as thousands of others. */
const LONG_EVERY = 2_000;
/** The longest, spliced ones but for. */
const LONG_BYTES_MAX = 65_536;

const corpus: ReadonlyMap<number, readonly Uint8Array[]> = gatherCorpus();
/** The shapes, as long as they can be and at most as the longest. */
const longChunks: ReadonlyMap<number, readonly Uint8Array[]> = new Map(
  TYPES.map((type) => [
    type,
    CHUNK_SHAPES.filter((shape) => shape.type === type).map((shape) =>
      chunkOfBytes(shape, Math.min(bytesMaxOf(shape), LONG_BYTES_MAX)),
    ),
  ]),
);

/** How many chunks of each type there are to begin with, by type. */
export function corpusSize(): string {
  return TYPES.map((type) => `type ${type}: ${corpus.get(type)!.length}`).join(", ");
}

/** The chunk of a seed. */
export function mutatedChunk(seed: number): MutatedChunk {
  const random = seededRandom(seed);
  const type = choose(random, TYPES);
  const isLong = below(random, LONG_EVERY) === 0;
  const original = choose(random, (isLong ? longChunks : corpus).get(type)!);
  const rounds = below(random, 4) === 0 ? 2 : 1;
  let data: Uint8Array = original.slice(0, isLong ? LONG_BYTES_MAX : USUAL_BYTES_MAX);
  const how: string[] = [];
  for (let round = 0; round < rounds; round++) {
    const [name, mutate] = choose(random, MUTATIONS);
    how.push(name);
    data = mutate(data, random, type);
  }
  return { type, data, how: how.join(", ") };
}

const MUTATIONS: readonly (readonly [
  name: string,
  mutate: (data: Uint8Array, random: Random, type: number) => Uint8Array,
])[] = [
  ["bits flipped", flipBits],
  ["bits flipped", flipBits],
  ["bits flipped", flipBits],
  ["bytes changed", changeBytes],
  ["cut", (data, random) => data.slice(0, below(random, data.length + 1))],
  ["bytes inserted", insertBytes],
  ["bytes left out", leaveOutBytes],
  ["two halves", joinHalves],
  ["another count", changeCount],
  ["random bytes behind the header", (data, random) => replaceBehind(data, random, () => below(random, 256))],
  ["bits all 1 or all 0", (data, random) => fillBehind(data, random)],
  ["random bytes", (_data, random) => randomBytes(random, below(random, 200))],
];

function flipBits(data: Uint8Array, random: Random): Uint8Array {
  for (let left = 1 + below(random, 8); left > 0 && data.length > 0; left--) {
    data[below(random, data.length)]! ^= 1 << below(random, 8);
  }
  return data;
}

function changeBytes(data: Uint8Array, random: Random): Uint8Array {
  for (let left = 1 + below(random, 4); left > 0 && data.length > 0; left--) {
    data[below(random, data.length)] = choose(random, [0, 1, 127, 128, 254, 255, below(random, 256)]);
  }
  return data;
}

function insertBytes(data: Uint8Array, random: Random): Uint8Array {
  const at = below(random, data.length + 1);
  return concatenate(data.subarray(0, at), randomBytes(random, 1 + below(random, 12)), data.subarray(at));
}

function leaveOutBytes(data: Uint8Array, random: Random): Uint8Array {
  const at = below(random, data.length + 1);
  return concatenate(data.subarray(0, at), data.subarray(at + 1 + below(random, 12)));
}

/** The beginning of one chunk, and the end of another one, of any type. */
function joinHalves(data: Uint8Array, random: Random, type: number): Uint8Array {
  const other = choose(random, corpus.get(below(random, 4) === 0 ? choose(random, TYPES) : type)!);
  return concatenate(
    data.subarray(0, below(random, data.length + 1)),
    other.subarray(below(random, Math.min(other.length, USUAL_BYTES_MAX)), USUAL_BYTES_MAX),
  );
}

function changeCount(data: Uint8Array, random: Random): Uint8Array {
  if (data.length >= 2) {
    const count = (data[0]! << 8) | data[1]!;
    const bits = 8 * data.length;
    const next = choose(random, [
      count + 1,
      count - 1,
      2 * count,
      count >> 1,
      bits,
      bits >> 1,
      bits >> 2,
      16_383,
      65_535,
      below(random, 65_536),
      below(random, bits + 1),
    ]);
    data[0] = next >> 8;
    data[1] = next;
  }
  return data;
}

function replaceBehind(data: Uint8Array, random: Random, byte: () => number): Uint8Array {
  const start = 2 + below(random, 40);
  const end = random() < 0.5 ? data.length : start + below(random, 16);
  for (let at = start; at < Math.min(end, data.length); at++) {
    data[at] = byte();
  }
  return data;
}

function fillBehind(data: Uint8Array, random: Random): Uint8Array {
  const byte = choose(random, [0, 255]);
  return replaceBehind(data, random, () => byte);
}

function gatherCorpus(): Map<number, Uint8Array[]> {
  const chunks = new Map<number, Uint8Array[]>(TYPES.map((type) => [type, []]));
  for (const { encoding, hex } of [...vectors, ...realChunks, ...fixtureChunks]) {
    chunks.get(encoding)!.push(fromHex(hex));
  }
  for (const { float, rows, chunks: theirs } of recordedSeries) {
    const type = float ? 3 : 2;
    chunks.get(type)!.push(...theirs.map(fromHex), ...encodeBlock(exactBlock(float, rows)).map(({ data }) => data));
  }
  chunks.get(1)!.push(...encodedFloats());
  for (const shape of CHUNK_SHAPES) {
    chunks.get(shape.type)!.push(shape.write(3), shape.write(20));
  }
  const random = seededRandom(1);
  for (const type of [2, 3]) {
    chunks.get(type + 3)!.push(...chunks.get(type)!.map((data) => withStartTimes(data, random)));
  }
  return chunks;
}

/** Series of floats as our encoder writes them: with and without jitter, of every kind of value. */
function encodedFloats(): Uint8Array[] {
  return Array.from({ length: 60 }, (_, index) => {
    const random = seededRandom(index);
    const rows = 2 + below(random, 119);
    const jitterMs = choose(random, [0, 10, 5_000, 500_000]);
    let value = 100;
    const values = Float64Array.from({ length: rows }, () => {
      value += choose(random, [0, 0, 1, below(random, 100), random(), -1e9 * random()]);
      return value;
    });
    const timestamps = Float64Array.from(
      { length: rows },
      (_row, row) => 1_700_000_000_000 + row * 1_000_000 + below(random, jitterMs + 1),
    );
    return encodeBlock(columnsBlock({ timestamps, values }))[0]!.data;
  });
}

/** A histogram chunk of type 2 or 3 as one of type 5 or 6, which has the same rows if no start times are claimed. */
function withStartTimes(data: Uint8Array, random: Random): Uint8Array {
  const copy = data.slice();
  if (copy.length > 2) {
    copy[0] = (data[2]! & 0xc0) | (data[0]! & 0x3f);
    copy[2] = choose(random, [0, 0, 0, 1, 0x80, 0x81, 5, 127, 255]);
  }
  return copy;
}

function randomBytes(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => below(random, 256));
}

function choose<Item>(random: Random, items: readonly Item[]): Item {
  return items[below(random, items.length)]!;
}

function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}
