/** The recorded outputs of VictoriaMetrics' and Prometheus' own code, reproduced bit for bit by the twins and the kernel. */
import { expect, test } from "vitest";
import { dedup, splice } from "../src/index.ts";
import { chainCase, intervalCase } from "./cases.ts";
import { seededRandom } from "./random.ts";
import { columnsOf, cut, formatRow, formatRuns, rowsOfColumns } from "./samples.ts";
import type { Row } from "./twins/penalty.ts";
import { readChainCases, readIntervalCases } from "./vectors.ts";

const random = seededRandom(1);
const LENGTHS = {
  "columns whole": () => Infinity,
  "one-row blocks": () => 1,
  "random blocks": () => 1 + random() * 6,
};

const KINDS = {
  interval: readIntervalCases().map((recorded) => ({ ...recorded, ...intervalCase(recorded.intervalMs) })),
  chain: readChainCases().map((recorded) => ({ ...recorded, ...chainCase() })),
};

function format(rows: readonly Row[]): string[] {
  return rows.map((row) => `${row.t} ${formatRow(row, false)}`);
}

test("there are 191 cases of interval and 165 of chain", () => {
  expect(KINDS.interval).toHaveLength(191);
  expect(KINDS.chain).toHaveLength(165);
});

for (const [name, cases] of Object.entries(KINDS)) {
  test(`the twin reproduces ${name}`, () => {
    for (const { id, twin, replicas, expected } of cases) {
      const shown = twin(replicas).map(({ replica, row }) => replicas[replica]![row]!);
      expect(format(shown), id).toEqual(format(expected));
    }
  });

  test.each(Object.entries(LENGTHS))(`${name} is reproduced with %s`, (_, length) => {
    for (const { id, strategy, replicas, expected } of cases) {
      const lines = formatRuns(
        splice(
          replicas.map((rows) => cut(rows, length)),
          strategy,
        ),
        false,
      );
      expect(
        lines.map((line) => line.replace(/ r\d+/, "")),
        id,
      ).toEqual(format(expected));
    }
  });

  test(`${name} is reproduced by dedup`, () => {
    for (const { id, strategy, replicas, expected } of cases) {
      const spliced = dedup(
        replicas.map((rows) => columnsOf(rows)),
        strategy,
      );
      expect(format(rowsOfColumns(spliced)), id).toEqual(format(expected));
    }
  });
}
