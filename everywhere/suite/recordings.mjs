/** Answers of real servers of both response types, read as a client does: floats and histograms of each series. */
import { equal, fromHex } from "./bits.mjs";
import { answering, collect, SAMPLES_TYPE, STREAMED_TYPE } from "./exchange.mjs";
import { rowsOf } from "./rows.mjs";

/** Checks one answer, whose series come as `[labels, rows of floats, rows of histograms]`. */
export async function checkRecording({ name, isStreamed, hex, series }, counts) {
  const all = await collect(answering(fromHex(hex), isStreamed ? STREAMED_TYPE : SAMPLES_TYPE));
  const read = all.map(({ labels, blocks }) => [labels, rowsOfKind(blocks, "float"), rowsOfKind(blocks, "histogram")]);
  equal(sortedTexts(read), sortedTexts(series), name);
  counts[isStreamed ? "streamedAnswers" : "samplesAnswers"]++;
  counts.series += series.length;
}

function rowsOfKind(blocks, kind) {
  return blocks.filter((block) => block.kind === kind).flatMap((block) => rowsOf(block));
}

/** Not all servers have the order of the reader's. */
function sortedTexts(series) {
  return series.map((each) => JSON.stringify(each)).toSorted();
}
