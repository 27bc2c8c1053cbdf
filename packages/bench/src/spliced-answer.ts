/**
 * The answer that everything is for: two replicas' streamed bodies in, one spliced body out, everything between the sockets.
 *
 *     spliced   body a ─ remoteReader ─┬ splicedReader ─ readHandler ─ body     a is whole: its chunks are passed on
 *               body b ─ remoteReader ─┘
 *     recoded   the same, but each chunk of both is decoded, the columns go through `dedup`, and all is encoded again
 *     floor     the timestamps of a's chunks, and the checksums of both bodies and of the answer: what no way can save
 */
import { type Block, type Columns, columnsBlock, dedup, groupSeries, penalty, type Series } from "@promsplice/core";
import {
  type Query,
  type Reader,
  readHandler,
  remoteReader,
  type ReadReport,
  splicedReader,
} from "@promsplice/remote-read";
// The package keeps its codecs to itself; they are measured as they are built.
import { decodeXor } from "../../remote-read/dist/chunk/xor-decode.js";
import { encodeReadRequest } from "../../remote-read/dist/read-request.js";
import { crc32c } from "../../remote-read/dist/wire/crc32c.js";
import { compressSnappy } from "../../remote-read/dist/wire/snappy.js";
import { encodeFrames, fetchFromMemory, joinBytes, makeSentSeries, queryOf, REPLICA_NAMES } from "./answer-fixtures.ts";
import type { Case } from "./cases.ts";
import { CHUNK_ROWS, type ChunkShape, nameShape } from "./chunk-fixtures.ts";
import { sumSlicingBy8 } from "./slicing-by-8.ts";

const STREAMED_XOR_CHUNKS = 1;
const REPLICA_LABELS = ["replica"];

export interface AnswerCases {
  readonly spliced: Case;
  readonly recoded: Case;
  readonly floor: Case;
}

/**
 * The three, over series of one shape; their inputs are the samples of both replicas. The first two return the length of the
 * answer in bytes.
 *
 * @throws Error if the first two do not give the same bytes.
 */
export async function makeAnswerCases(shape: ChunkShape, seriesCount: number, chunks: number): Promise<AnswerCases> {
  const sent = REPLICA_NAMES.map((replica) => [...makeSentSeries(shape, replica, seriesCount, chunks)]);
  const framesIn = sent.map(encodeFrames);
  const readers = framesIn.map((frames, index) =>
    remoteReader({
      url: `http://${REPLICA_NAMES[index]}.invalid/api/v1/read`,
      fetch: fetchFromMemory(joinBytes(frames)),
    }),
  );
  const splice = readHandler(splicedReader(readers, { replicaLabels: REPLICA_LABELS, strategy: penalty() }));
  const recode = readHandler(recodingReader(readers));
  const request = encodeRequest(queryOf(chunks));
  const answer = joinBytes(await takeAnswer(splice, request));
  const name = nameShape(shape);
  if (Buffer.compare(answer, joinBytes(await takeAnswer(recode, request))) !== 0) {
    throw new Error(`${name}: the spliced answer is not what decoding and encoding everything gives`);
  }
  const inputs = 2 * seriesCount * chunks * CHUNK_ROWS;
  const expected = answer.length;
  const chunksShown = sent[0]!.flatMap((series) => series.chunks.map(({ data }) => data));
  // What goes out is as long as what comes in from the replica that is shown, but for its replica label.
  const summed = [...framesIn.flat(), ...framesIn[0]!];
  return {
    spliced: { name: `spliced answer, ${name}`, inputs, expected, run: () => countAnswer(splice, request) },
    recoded: { name: `recoded answer, ${name}`, inputs, expected, run: () => countAnswer(recode, request) },
    floor: {
      name: `floor of an answer, ${name}`,
      inputs,
      expected: sumUp(inputs / 2, summed, sumSlicingBy8),
      run: () => sumUp(countTimestamps(chunksShown), summed, crc32c),
    },
  };
}

/** A request for a streamed answer to one query, as its body. */
export function encodeRequest(query: Query): Uint8Array {
  const request = { queries: [query], acceptedResponseTypes: [STREAMED_XOR_CHUNKS] };
  return compressSnappy(encodeReadRequest(request));
}

type Handler = (request: Request) => Promise<Response>;

async function ask(handle: Handler, body: Uint8Array): Promise<ReadableStreamDefaultReader<Uint8Array>> {
  const response = await handle(new Request("http://bench.invalid/api/v1/read", { method: "POST", body }));
  if (response.status !== 200 || response.body === null) {
    throw new Error(`status ${response.status}: ${await response.text()}`);
  }
  return response.body.getReader();
}

async function takeAnswer(handle: Handler, body: Uint8Array): Promise<Uint8Array[]> {
  const reader = await ask(handle, body);
  const pieces: Uint8Array[] = [];
  for (let piece = await reader.read(); piece.value !== undefined; piece = await reader.read()) {
    pieces.push(piece.value);
  }
  return pieces;
}

async function countAnswer(handle: Handler, body: Uint8Array): Promise<number> {
  const reader = await ask(handle, body);
  let bytes = 0;
  for (let piece = await reader.read(); piece.value !== undefined; piece = await reader.read()) {
    bytes += piece.value.length;
  }
  return bytes;
}

function countTimestamps(chunks: readonly Uint8Array[]): number {
  const timestamps = new Float64Array(CHUNK_ROWS);
  let rows = 0;
  for (const data of chunks) {
    rows += decodeXor(data, timestamps);
  }
  return rows;
}

/** A number that hangs on the rows and on every checksum. */
function sumUp(rows: number, frames: readonly Uint8Array[], sum: (bytes: Uint8Array) => number): number {
  return frames.reduce((crc, frame) => (31 * crc + sum(frame)) | 0, rows);
}

const NO_REPORT: ReadReport = {
  series: 0,
  united: 0,
  bytes: 0,
  blocksDecoded: 0,
  blocksPassedOn: 0,
  replicas: [],
};

/** Merges readers the straightforward way: everything into columns, and those into one block that has no bytes. */
function recodingReader(readers: readonly Reader[]): Reader {
  return {
    read: (query, options = {}) => ({
      report: () => NO_REPORT,
      async *[Symbol.asyncIterator](): AsyncGenerator<Series, void, undefined> {
        const sources = readers.map((reader) => reader.read(query, { ...options, orderWithout: REPLICA_LABELS }));
        for await (const { labels, replicas } of groupSeries(sources, { replicaLabels: REPLICA_LABELS })) {
          const merged = dedup(
            replicas.map(({ blocks }) => decodeWhole([...blocks])),
            penalty(),
          );
          yield { labels, blocks: [columnsBlock(merged)] };
        }
      },
    }),
  };
}

/** The columns of all blocks, decoded straight into their place. */
function decodeWhole(blocks: readonly Block[]): Columns {
  const rows = blocks.reduce((sum, { count }) => sum + count, 0);
  const columns = { timestamps: new Float64Array(rows), values: new Float64Array(rows) };
  let row = 0;
  for (const { bytes } of blocks) {
    row += decodeXor(bytes!, columns.timestamps, columns.values, row);
  }
  return columns;
}
