/** The last lines on the screen: the sums over both pairs, and what they do not say. */
import type { PairReport } from "./examine.ts";
import { formatBytes, formatShare, wrapText } from "./format.ts";
import { SCREEN_WIDTH } from "./report.ts";
import type { Terminal } from "./terminal.ts";

const CELL_WIDTHS = [9, 9, 9, 9, 15, 9, 7, 11];
const READING_WIDTHS = [9, 18, 9, 14, 10, 11];

export function writeSummary(reports: readonly PairReport[], terminal: Terminal): string[] {
  const holes = reports.reduce((sum, { totals }) => sum + totals.holes, 0);
  const holesOfPenalty = reports.reduce((sum, { totals }) => sum + totals.holesOfPenalty, 0);
  const remarks = [
    "Blocks: the chunks that the replicas sent. Of a decoded one at least the times were needed; one that is passed on goes " +
      "out as the bytes it came in.",
    ...(holesOfPenalty === 0
      ? []
      : [
          `${holesOfPenalty} of the ${holes} holes lie where the other replica has samples. They are penalty's: the rule of Thanos' ` +
            "iterator is kept as it is, holes included.",
        ]),
    "Flicker of the spliced graph: read twice over the same window, the second time from other blocks. Where the window " +
      "moves between two refreshes, penalty may still change to the other replica.",
  ];
  return [
    terminal.paint("heading", "In short"),
    terminal.paint("faint", writeRow(["", "covered", "", "", "flicker", "", "holes", ""], CELL_WIDTHS)),
    terminal.paint("faint", writeRow(["", "A", "B", "spliced", "A to B", "spliced", "all", "fillable"], CELL_WIDTHS)),
    ...reports.map(({ pair, totals }) =>
      writeRow(
        [
          pair.name,
          ...[...totals.replicaCoverage, totals.splicedCoverage].map(formatShare),
          `${totals.flicker} of ${totals.points}`,
          String(totals.splicedFlicker),
          String(totals.holes),
          String(totals.holesOfPenalty),
        ],
        CELL_WIDTHS,
      ),
    ),
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
    ...remarks.flatMap((text) => wrapText(text, SCREEN_WIDTH - 2, "").map((line) => `  ${line}`)),
  ];
}

function writeRow(cells: readonly string[], widths: readonly number[]): string {
  const padded = cells.map((cell, index) =>
    index === 0 ? cell.padEnd(widths[index]!) : cell.padStart(widths[index]!),
  );
  return `  ${padded.join("")}`.trimEnd();
}
