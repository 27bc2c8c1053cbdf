/** The whole screen, top to bottom. */
import type { PairReport } from "./examine.ts";
import { writeLegend, writePair } from "./report.ts";
import { writeSummary } from "./summary.ts";
import type { Terminal } from "./terminal.ts";

/** The lines of the demo but for the last one, which holds a time: at most 80 characters each, colours not counted. */
export function writeScreen(reports: readonly PairReport[], terminal: Terminal): string[] {
  return [
    ...writeLegend(terminal),
    "",
    ...reports.flatMap((report) => writePair(report, terminal).concat("")),
    ...writeSummary(reports, terminal),
    "",
  ];
}
