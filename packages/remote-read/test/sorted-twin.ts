/** What a reader makes of an answer, against a twin that sorts everything at the end. */
import { compareLabelSets, type LabelSet, type Series, withoutLabels } from "@promsplice/core";
import { expect } from "vitest";

import { type Outcome, rowsOf } from "./client-exchange.ts";
import { type PlainHistogram, plainRows } from "./plain-histogram.ts";
import type { ClientRow } from "./strict-client.ts";

/** A series as it was sent; of a row that is a histogram the text is its plain form as JSON. */
export interface Sent {
  readonly labels: LabelSet;
  readonly rows: readonly ClientRow[];
}

/** The twin: everything sorted, equal label sets united, the first of two rows at one time taken. */
function sortNaively(sent: readonly Sent[], orderWithout: readonly string[]): Sent[] {
  const together = new Map<string, Sent[]>();
  for (const one of sent) {
    const text = one.labels.join("\0");
    together.set(text, [...(together.get(text) ?? []), one]);
  }
  return [...together.values()]
    .map((equal) => ({ labels: equal[0]!.labels, rows: uniteNaively(equal) }))
    .filter(({ rows }) => rows.length !== 0)
    .toSorted(
      (one, other) =>
        compareLabelSets(withoutLabels(one.labels, orderWithout), withoutLabels(other.labels, orderWithout)) ||
        compareLabelSets(one.labels, other.labels),
    );
}

function uniteNaively(equal: readonly Sent[]): Sent["rows"] {
  const rows = new Map(equal.toReversed().flatMap((one) => one.rows));
  return [...rows].toSorted(([one], [other]) => one - other);
}

function readRows({ labels, blocks }: Series): Sent["rows"] {
  return [...blocks].flatMap((block) =>
    block.kind === "float" ? rowsOf({ labels, blocks: [block] }) : plainRows(block).map(histogramRow),
  );
}

/** A histogram as a row. */
export function histogramRow(histogram: PlainHistogram): ClientRow {
  return [Number(histogram.t), JSON.stringify(histogram)];
}

/** Asserts that an outcome is everything in order, or the error; answers which. */
export function expectSortedOrRefused(
  outcome: Outcome,
  sent: readonly Sent[],
  orderWithout: readonly string[],
): "sorted" | "refused" {
  const expected = sortNaively(sent, orderWithout);
  const got = outcome.series.map((one) => ({ labels: one.labels, rows: readRows(one) }));
  if (outcome.error !== undefined) {
    expect(outcome.error.code).toBe("series-out-of-order");
    // Label sets that have come are in order, and none of them twice.
    const known = got.map(({ labels }) => expected.findIndex((one) => compareLabelSets(one.labels, labels) === 0));
    expect(known).toEqual([...new Set(known)].toSorted((one, other) => one - other));
    expect(known).not.toContain(-1);
    return "refused";
  }
  expect(got).toEqual(expected);
  return "sorted";
}
