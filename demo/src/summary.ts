/** The last lines on the screen: the sums over the series of each pair, and what they do not say. */
import type { PairReport } from "./examine.ts";
import { formatBytes, formatShare, wrapText } from "./format.ts";
import { SCREEN_WIDTH } from "./report.ts";
import type { Terminal } from "./terminal.ts";

const CELL_WIDTHS = [10, 10, 9, 11, 8, 8, 8, 8];
const READING_WIDTHS = [9, 18, 9, 14, 10, 11];

export function writeSummary(reports: readonly PairReport[], terminal: Terminal): string[] {
  const holes = reports.reduce((sum, { totals }) => sum + totals.holes, 0);
  const holesOfPenalty = reports.reduce((sum, { totals }) => sum + totals.holesOfPenalty, 0);
  const remarks = [
    ...reports.map(
      ({ pair, totals, choice }) =>
        `Flicker, ${pair.name}: ${totals.flicker} of ${totals.points} points between A and B; between two readings of ` +
        `${choice.name}, cut differently, ${totals.splicedFlicker}.`,
    ),
    ...(holesOfPenalty === 0
      ? []
      : [`${holesOfPenalty} of the ${holes} holes of penalty lie where the other replica has samples.`]),
    "Blocks: the chunks that the replicas sent. Of a decoded one at least the times were needed; one that is passed on goes " +
      "out as the bytes it came in.",
  ];
  return [
    terminal.paint("heading", "In short"),
    terminal.paint("faint", writeRow(["", "", "samples", "covered", "holes", "dups", "swaps", "flips"], CELL_WIDTHS)),
    ...reports.flatMap((report) => writeStrategies(report)),
    "",
    terminal.paint(
      "faint",
      writeRow(["", "read over HTTP", "series", "blocks sent", "decoded", "passed on"], READING_WIDTHS),
    ),
    ...reports.map(({ pair, reading, blocksSent }) =>
      writeRow(
        [
          pair.name,
          formatBytes(reading.bytes),
          String(reading.series),
          String(blocksSent),
          String(reading.blocksDecoded),
          String(reading.blocksPassedOn),
        ],
        READING_WIDTHS,
      ),
    ),
    "",
    ...remarks.flatMap((text) => wrapText(text, SCREEN_WIDTH - 2, "  ").map((line) => `  ${line}`)),
  ];
}

function writeStrategies({ pair, totals }: PairReport): string[] {
  return totals.strategies.map(({ name, samples, coverage, holes, nearDuplicates, switches, flips }, index) =>
    writeRow(
      [
        index === 0 ? pair.name : "",
        name.padEnd(CELL_WIDTHS[1]!),
        String(samples),
        formatShare(coverage),
        ...[holes, nearDuplicates, switches, flips].map(String),
      ],
      CELL_WIDTHS,
    ),
  );
}

function writeRow(cells: readonly string[], widths: readonly number[]): string {
  const padded = cells.map((cell, index) =>
    index === 0 ? cell.padEnd(widths[index]!) : cell.padStart(widths[index]!),
  );
  return `  ${padded.join("")}`.trimEnd();
}
