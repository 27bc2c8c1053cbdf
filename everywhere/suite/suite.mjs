/** The recorded vectors, checked with nothing but the public packages: runs wherever there is JavaScript with fetch. */
import { checkCase } from "./cases.mjs";
import { checkChunk } from "./chunks.mjs";
import { checkMarkers } from "./markers.mjs";
import { checkRecording } from "./recordings.mjs";
import { checkSeries } from "./series.mjs";

/**
 * Chunks, those that must be refused, rows, chunks encoded anew and those of them that are to be the same bytes, bytes of the
 * series of histograms; cases of each strategy; answers and their series; words compared on all ways, and stale markers.
 */
const COUNTED = [
  "chunks",
  "refused",
  "floats",
  "histograms",
  "encoded",
  "sameBytes",
  "seriesBytes",
  "penalty",
  "interval",
  "chain",
  "streamedAnswers",
  "samplesAnswers",
  "series",
  "words",
  "staleMarkers",
];

/**
 * Checks all and says how much that was, the same on every runtime.
 *
 * @param data What `data.mjs` collects: chunks, series of histograms, cases of the strategies, recorded answers.
 * @throws Error at the first thing that is not as recorded.
 */
export async function checkAll({ chunks, histogramSeries, cases, recordings }) {
  const counts = Object.fromEntries(COUNTED.map((name) => [name, 0]));
  for (const chunk of chunks) {
    await checkChunk(chunk, counts);
  }
  for (const [number, series] of histogramSeries.entries()) {
    await checkSeries(series, number, counts);
  }
  for (const recorded of cases) {
    checkCase(recorded, counts);
  }
  for (const recording of recordings) {
    await checkRecording(recording, counts);
  }
  await checkMarkers(counts);
  return counts;
}
