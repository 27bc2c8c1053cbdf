/** The last lines on the screen: the sums over both pairs, and what they do not say. */
import type { PairReport } from "./examine.ts";
import { formatShare, wrapText } from "./format.ts";
import { SCREEN_WIDTH } from "./report.ts";
import type { Terminal } from "./terminal.ts";

const CELL_WIDTHS = [9, 9, 9, 9, 15, 9, 7, 11];

export function writeSummary(reports: readonly PairReport[], terminal: Terminal): string[] {
  const holes = reports.reduce((sum, { totals }) => sum + totals.holes, 0);
  const holesOfPenalty = reports.reduce((sum, { totals }) => sum + totals.holesOfPenalty, 0);
  const remarks = [
    `${holesOfPenalty} of the ${holes} holes lie where the other replica has samples. They are penalty's: the rule of Thanos' ` +
      "iterator is kept as it is, holes included.",
    "Flicker of the spliced graph: read twice over the same window, the second time from other blocks. Where the window " +
      "moves between two refreshes, penalty may still change to the other replica.",
  ];
  return [
    terminal.paint("heading", "In short"),
    terminal.paint("faint", writeRow(["", "covered", "", "", "flicker", "", "holes", ""])),
    terminal.paint("faint", writeRow(["", "A", "B", "spliced", "A to B", "spliced", "all", "fillable"])),
    ...reports.map(({ pair, totals }) =>
      writeRow([
        pair.name,
        ...[...totals.replicaCoverage, totals.splicedCoverage].map(formatShare),
        `${totals.flicker} of ${totals.points}`,
        String(totals.splicedFlicker),
        String(totals.holes),
        String(totals.holesOfPenalty),
      ]),
    ),
    ...remarks.flatMap((text) => wrapText(text, SCREEN_WIDTH - 2, "").map((line) => `  ${line}`)),
  ];
}

function writeRow(cells: readonly string[]): string {
  const padded = cells.map((cell, index) =>
    index === 0 ? cell.padEnd(CELL_WIDTHS[index]!) : cell.padStart(CELL_WIDTHS[index]!),
  );
  return `  ${padded.join("")}`.trimEnd();
}
