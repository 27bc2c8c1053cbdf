/**
 * Prints as JSON how many bytes of heap `splice` allocates over pairs of ten thousand and of a million rows; the built
 * package, `node --expose-gc`. One splice is kept alive throughout: where all objects of a class die, a full collection
 * throws the code away that was optimised for them, and what runs then in the interpreter allocates a number a row.
 */
import { columnsBlock, penalty, splice } from "../dist/index.js";

function replica(rows, offsetMs, missedEach) {
  const timestamps = new Float64Array(rows);
  for (let row = 0, scrape = 0; row < rows; scrape++) {
    if (scrape % missedEach !== missedEach - 1) {
      timestamps[row++] = scrape * 15_000 + offsetMs;
    }
  }
  return [columnsBlock({ timestamps, values: new Float64Array(rows) })];
}

function countRows(blocks) {
  let rows = 0;
  for (const run of splice(blocks, penalty())) {
    rows += run.end - run.start;
  }
  return rows;
}

const pairs = {};
for (const rows of [10_000, 1_000_000]) {
  for (const missedEach of [Infinity, 1000]) {
    pairs[`${rows} rows, one in ${missedEach} missed`] = [
      replica(rows, 0, missedEach),
      replica(rows, 2000, missedEach),
    ];
  }
}
const small = Object.values(pairs)[1];
const kept = splice(small, penalty());
kept.next();
for (let round = 0; round < 5000; round++) {
  countRows(small);
}
const allocated = {};
for (const [title, blocks] of Object.entries(pairs)) {
  let least = Infinity;
  for (let round = 0; round < 10; round++) {
    globalThis.gc();
    const before = process.memoryUsage().heapUsed;
    countRows(blocks);
    least = Math.min(least, process.memoryUsage().heapUsed - before);
  }
  allocated[title] = least;
}
kept.return();
console.log(JSON.stringify(allocated));
