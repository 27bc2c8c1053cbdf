/** The outputs of Thanos, VictoriaMetrics and Prometheus, reproduced to the bit: see packages/core/test/vectors/README.md. */
import { chain, columnsBlock, dedup, histogramBlock, interval, penalty, splice, spliceBlocks } from "@promsplice/core";

import { bitsOf, equal, fromBits, STALE } from "./bits.mjs";

const SPECIAL = new Map([
  ["stale", STALE],
  ["+Inf", "7ff0000000000000"],
  ["-Inf", "fff0000000000000"],
  ["-0", "8000000000000000"],
]);

/** Checks a line of those files: by runs, by blocks, and where all is floats by columns. */
export function checkCase({ id, strategy, params, replicas, expect }, counts) {
  const made = { chain, interval, penalty }[strategy](params ?? {});
  // In counter mode the original adds to NaNs and to −0, which changes their bits.
  const isLoose = params?.counter === true;
  const expected = linesOf(expect.t, expect.v.map(textOf), isLoose);
  const blocks = replicas.map((replica) => cutByKind(replica));
  const runs = [];
  for (const { block, start, end, add } of splice(blocks, made)) {
    const values = valueTexts(block, start, end).map((text) => addTo(text, add));
    runs.push(...linesOf([...block.timestamps()].slice(start, end), values, isLoose));
  }
  equal(runs, expected, id);
  if (!isLoose) {
    const spliced = [...spliceBlocks(blocks, made)].flatMap((block) =>
      linesOf([...block.timestamps()], valueTexts(block, 0, block.count), false),
    );
    equal(spliced, expected, `${id}, as blocks`);
  }
  if (replicas.every(({ v }) => v.every((value) => typeof value !== "object"))) {
    const columns = replicas.map(({ t, v }) => ({ timestamps: Float64Array.from(t), values: fromBits(v.map(textOf)) }));
    const { timestamps, values } = dedup(columns, made);
    equal(linesOf([...timestamps], bitsOf(values), isLoose), expected, `${id}, as columns`);
  }
  counts[strategy]++;
}

/** Blocks as long as may be: of floats, or of histograms, which are known by their numbers. */
function cutByKind({ t, v }) {
  const blocks = [];
  for (let start = 0, end = 0; start < t.length; start = end) {
    const isHistogram = typeof v[start] === "object";
    while (end < t.length && (typeof v[end] === "object") === isHistogram) {
      end++;
    }
    const timestamps = Float64Array.from(t.slice(start, end));
    const rows = v.slice(start, end).map(textOf);
    blocks.push(isHistogram ? histogramBlock(timestamps, rows) : columnsBlock({ timestamps, values: fromBits(rows) }));
  }
  return blocks;
}

function valueTexts(block, start, end) {
  return block.kind === "histogram" ? block.histograms().slice(start, end) : bitsOf(block.values().slice(start, end));
}

function linesOf(times, texts, isLoose) {
  return times.map((timeMs, row) => `${timeMs} ${isLoose ? loosen(texts[row]) : texts[row]}`);
}

/** All NaNs are one, and so are both zeros. */
function loosen(text) {
  const isNan = /^[7f]ff/.test(text) && !/^[7f]ff0{13}$/.test(text);
  return isNan ? "NaN" : text === "8000000000000000" ? "0000000000000000" : text;
}

function addTo(text, add) {
  return add === 0 || text.startsWith("h") ? text : bitsOf(Float64Array.of(fromBits([text])[0] + add))[0];
}

/** A recorded value as bits, or a histogram as `h` and its number. */
function textOf(value) {
  if (typeof value === "object") {
    return `h${value.h}`;
  }
  return typeof value === "number"
    ? bitsOf(Float64Array.of(value))[0]
    : (SPECIAL.get(value) ?? value.slice(2).padStart(16, "0"));
}
