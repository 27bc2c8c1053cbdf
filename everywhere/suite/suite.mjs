/** The recorded vectors, checked with nothing but the public packages: runs wherever there is JavaScript with fetch. */
import { checkCase } from "./cases.mjs";
import { checkChunk } from "./chunks.mjs";
import { checkMarkers } from "./markers.mjs";
import { checkRecording } from "./recordings.mjs";

/** Chunks, those that must be refused, their rows, those encoded anew and to the same bytes; cases; answers; NaNs and others. */
const COUNTED = [
  "chunks",
  "refused",
  "floats",
  "histograms",
  "encoded",
  "sameBytes",
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
 * @param data What `data.mjs` collects: chunks, cases of the strategies, recorded answers.
 * @throws Error at the first thing that is not as recorded.
 */
export async function checkAll({ chunks, cases, recordings }) {
  const counts = Object.fromEntries(COUNTED.map((name) => [name, 0]));
  for (const chunk of chunks) {
    await checkChunk(chunk, counts);
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
