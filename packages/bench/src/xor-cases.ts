/** Cases over XOR chunks: decoding them, their timestamps alone, and encoding. */
import type { Columns } from "@promsplice/core";
// The package keeps its codecs to itself; they are measured as they are built.
import { wordsOf } from "../../remote-read/dist/chunk/value-words.js";
import { decodeXor } from "../../remote-read/dist/chunk/xor-decode.js";
import { encodeXor, xorRoom } from "../../remote-read/dist/chunk/xor-encode.js";
import type { ChunkCases } from "./chunk-cases.ts";
import { CHUNK_ROWS, type ChunkShape, encodeChunks, makeChunkColumns, nameShape } from "./chunk-fixtures.ts";
import { checksumColumns } from "./columns-file.ts";
import { compareColumns } from "./verify.ts";

const SEED = 12_345;

/**
 * The cases of one shape, over so many chunks.
 *
 * @throws Error if decoding does not give the columns that were encoded, bit for bit, or encoding not the same bytes.
 */
export function makeXorCases(shape: ChunkShape, chunkCount: number): ChunkCases {
  const columns = makeChunkColumns(shape, chunkCount, SEED);
  const chunks = encodeChunks(columns).map(({ data }) => data);
  const inputs = columns.timestamps.length;
  const timestamps = new Float64Array(CHUNK_ROWS);
  const values = new Float64Array(CHUNK_ROWS);
  const words = wordsOf(columns.values);
  const bytes = chunks.reduce((sum, { length }) => sum + length, 0);
  const target = new Uint8Array(bytes + xorRoom(CHUNK_ROWS));
  const view = new DataView(target.buffer);
  const name = nameShape(shape);
  verifyCodec(name, columns, chunks);
  return {
    name,
    type: 1,
    chunks,
    samples: inputs,
    checksum: checksumColumns(columns),
    decode: {
      name: `XOR decode, ${name}`,
      inputs,
      expected: inputs,
      run: () => decodeAll(chunks, timestamps, values),
    },
    decodeTimes: {
      name: `XOR timestamps, ${name}`,
      inputs,
      expected: inputs,
      run: () => decodeAllTimes(chunks, timestamps),
    },
    encode: {
      name: `XOR encode, ${name}`,
      inputs,
      expected: bytes,
      run: () => encodeAll(columns.timestamps, words, view),
    },
  };
}

function decodeAll(chunks: readonly Uint8Array[], timestamps: Float64Array, values: Float64Array): number {
  let rows = 0;
  for (const data of chunks) {
    rows += decodeXor(data, timestamps, values);
  }
  return rows;
}

function decodeAllTimes(chunks: readonly Uint8Array[], timestamps: Float64Array): number {
  let rows = 0;
  for (const data of chunks) {
    rows += decodeXor(data, timestamps);
  }
  return rows;
}

/** Encodes all rows in chunks, one behind the other as into a frame; returns the bytes that they take. */
function encodeAll(timestamps: Float64Array, words: Int32Array, view: DataView): number {
  let at = 0;
  for (let row = 0; row < timestamps.length; row += CHUNK_ROWS) {
    at = encodeXor(timestamps, words, row, Math.min(row + CHUNK_ROWS, timestamps.length), view, at);
  }
  return at;
}

function verifyCodec(name: string, columns: Columns, chunks: readonly Uint8Array[]): void {
  const rows = columns.timestamps.length;
  const decoded = { timestamps: new Float64Array(rows), values: new Float64Array(rows) };
  const walked = new Float64Array(rows);
  let row = 0;
  for (const data of chunks) {
    decodeXor(data, walked, undefined, row);
    row += decodeXor(data, decoded.timestamps, decoded.values, row);
  }
  compareColumns(`XOR decode, ${name}`, decoded, columns);
  compareColumns(`XOR timestamps, ${name}`, { timestamps: walked, values: columns.values }, columns);
}
