/** Chunks of all six kinds: decoded as a client does, spliced as a single replica, and encoded anew as a handler does. */
import { columnsBlock, histogramBlock, penalty, spliceBlocks } from "@promsplice/core";
import { memoryReader, RemoteReadError } from "@promsplice/remote-read";

import { equal, fromHex, STALE, toHex } from "./bits.mjs";
import { answering, chunkFrame, chunksOfFrames, collect, served, STREAMED_TYPE } from "./exchange.mjs";
import { rowsOf, startsOf } from "./rows.mjs";

/**
 * Checks one chunk and counts what was in it.
 *
 * @param chunk What `data.mjs` made of a vector: `rows` are all rows, or for the fixtures the first and the last of `count`;
 * `error` is what reading the times says, where that is what it should do; `again` are the bytes that encoding may give.
 */
export async function checkChunk(chunk, counts) {
  const { name, hex, rows, starts, error } = chunk;
  const frame = chunkFrame({ ...chunk, data: fromHex(hex) });
  const [series] = await collect(answering(frame, STREAMED_TYPE));
  const blocks = series?.blocks ?? [];
  counts.chunks++;
  if (error !== undefined) {
    equal(
      messageOf(() => blocks[0].timestamps()),
      error,
      name,
    );
    counts.refused++;
    return;
  }
  if (rows.length === 0) {
    equal(blocks.length, 0, `${name}, which is empty`);
    return;
  }
  const decoded = blocks.flatMap((block) => rowsOf(block));
  equal(endsOf(decoded, chunk), rows, name);
  equal(
    endsOf(
      blocks.flatMap((block) => startsOf(block)),
      chunk,
    ),
    starts,
    `start timestamps of ${name}`,
  );
  const spliced = [...spliceBlocks([blocks], penalty())].flatMap((block) => rowsOf(block));
  equal(spliced, decoded, `${name}, spliced`);
  counts[blocks[0].kind === "float" ? "floats" : "histograms"] += decoded.length;
  counts.staleMarkers += decoded.filter((row) => row.split(" ")[1] === STALE).length;
  await checkEncoding(chunk, blocks, decoded, counts);
}

/** Serves the rows, which no longer know their chunk, as chunks and as samples, and reads them once more. */
async function checkEncoding({ name, again }, blocks, decoded, counts) {
  const columns = blocks.map((block) =>
    block.kind === "float"
      ? columnsBlock({ timestamps: block.timestamps(), values: block.values() })
      : histogramBlock(block.timestamps(), block.histograms()),
  );
  let chunks = [];
  const stored = memoryReader([{ labels: ["__name__", "up"], blocks: columns }]);
  const reader = served(stored, "STREAMED_XOR_CHUNKS", (body) => (chunks = chunksOfFrames(body)));
  const [asChunks] = await collect(reader);
  const rows = asChunks.blocks.flatMap((block) => rowsOf(block));
  equal(forgetReset(rows), forgetReset(decoded), `${name}, encoded and decoded again`);
  const [asSamples] = await collect(served(stored, "SAMPLES"));
  const samples = asSamples.blocks.flatMap((block) => rowsOf(block));
  equal(forgetReset(samples), forgetReset(decoded), `${name}, as samples`);
  counts.encoded++;
  if (again !== undefined) {
    const got = chunks.map(({ data }) => toHex(data)).join();
    equal(got, again.includes(got) ? got : again[0], `${name}, encoded`);
    counts.sameBytes++;
  }
}

/** A chunk that follows no other says nothing of a reset before its first row, unless it is of a gauge. */
function forgetReset([first, ...others]) {
  return [first.replace(/ hint [12] /, " hint 0 "), ...others];
}

function endsOf(rows, { count }) {
  return count === undefined ? rows : [rows.length === count ? rows[0] : `${rows.length} rows`, rows.at(-1)];
}

function messageOf(call) {
  try {
    call();
  } catch (error) {
    return error instanceof RemoteReadError ? `${error.code}: ${error.message}` : String(error);
  }
  return "no error";
}
