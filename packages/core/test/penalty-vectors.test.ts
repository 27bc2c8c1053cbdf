/** The recorded outputs of Thanos' own code, reproduced by the twin and by the kernel. */
import { expect, test } from "vitest";
import { dedup, penalty, splice } from "../src/index.ts";
import { seededRandom } from "./random.ts";
import { addTo, columnsOf, cut, formatRow, formatRuns, rowsOfColumns } from "./samples.ts";
import { penaltyTwin } from "./twins/penalty.ts";
import { readPenaltyCases } from "./vectors.ts";

const COUNTS = { strategies: 1144, "thanos-pinned": 6, "penalty-mixed": 300 };

for (const [file, count] of Object.entries(COUNTS)) {
  const cases = readPenaltyCases(file);

  test(`${file} holds ${count} penalty cases`, () => {
    expect(cases).toHaveLength(count);
  });

  test(`the twin reproduces ${file}`, () => {
    for (const { id, counter, replicas, expected } of cases) {
      const shown = penaltyTwin(replicas, counter).map(({ replica, row, add }) => addTo(replicas[replica]![row]!, add));
      expect(
        shown.map((row) => [row.t, formatRow(row, counter)]),
        id,
      ).toEqual(expected.map((row) => [row.t, formatRow(row, counter)]));
    }
  });

  const random = seededRandom(1);
  const lengths = {
    "columns whole": () => Infinity,
    "one-row blocks": () => 1,
    "random blocks": () => 1 + random() * 6,
  };
  for (const [title, length] of Object.entries(lengths)) {
    test(`${file} is reproduced with ${title}`, () => {
      for (const { id, counter, replicas, expected } of cases) {
        const blocks = replicas.map((rows) => cut(rows, length));
        const lines = formatRuns(splice(blocks, penalty({ counter })), counter);
        expect(
          lines.map((line) => line.replace(/ r\d+/, "")),
          id,
        ).toEqual(expected.map((row) => `${row.t} ${formatRow(row, counter)}`));
      }
    });
  }

  test(`${file} is reproduced by dedup where all samples are floats`, () => {
    const allFloats = cases.filter(({ replicas }) => replicas.flat().every(({ histogram }) => histogram === undefined));
    expect(allFloats.length).toBeGreaterThan(0);
    for (const { id, counter, replicas, expected } of allFloats) {
      const spliced = dedup(
        replicas.map((rows) => columnsOf(rows)),
        penalty({ counter }),
      );
      expect(
        rowsOfColumns(spliced).map((row) => [row.t, formatRow(row, counter)]),
        id,
      ).toEqual(expected.map((row) => [row.t, formatRow(row, counter)]));
    }
  });
}
