/** The rows of a block as texts, one a row, in which no bit is lost; `data.mjs` writes what was recorded the same way. */
import { bitsOf, bitsOfWords } from "./bits.mjs";

/** All of each row, but for the start timestamp. */
export function rowsOf(block) {
  if (block.kind === "float") {
    const bits = bitsOf(block.values());
    return Array.from(block.timestamps(), (timeMs, row) => `${timeMs} ${bits[row]}`);
  }
  const rows = block.histograms();
  const sums = bitsOfWords(rows.sums);
  return Array.from(block.timestamps(), (timeMs, row) => {
    const sample = rows.at(row);
    return histogramText({
      ...sample,
      t: String(timeMs),
      sum: sums[row],
      count: String(sample.count),
      zeroCount: String(sample.zeroCount),
      positiveBuckets: sample.positiveBuckets.map(String),
      negativeBuckets: sample.negativeBuckets.map(String),
    });
  });
}

/** The start timestamp of each row, 0 where it is not known. */
export function startsOf(block) {
  return Array.from(block.startTimestamps?.() ?? new Float64Array(block.count), String);
}

/** A histogram as a text: time, sum as bits, hint, layout, counts and buckets; the counts are decimal texts. */
export function histogramText(histogram) {
  const { t, sum, hint, schema, zeroThreshold, customValues, count, zeroCount } = histogram;
  const { positiveSpans, negativeSpans, positiveBuckets, negativeBuckets } = histogram;
  const layout = [schema, zeroThreshold, customValues, positiveSpans, negativeSpans];
  return `${t} ${sum} hint ${hint} ${JSON.stringify([...layout, count, zeroCount, positiveBuckets, negativeBuckets])}`;
}
