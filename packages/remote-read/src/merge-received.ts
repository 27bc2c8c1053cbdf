/** Merges the answers to several requests to one server, each in order by itself, into one that is. */
import { compareLabelSets, type LabelSet, withoutLabels } from "@promsplice/core";

import { type ReceivedSeries, uniteEqual } from "./ordered-series.ts";

/** The next series of one answer. */
interface Head {
  readonly key: LabelSet;
  readonly series: ReceivedSeries;
}

/**
 * Yields the series of all answers by their labels without those of `orderWithout`, equal ones by their whole label sets.
 * Each answer must be in that order and hold no set twice; what several of them hold is united.
 *
 * The answers are read at the same time, at most one series ahead. Left early, or after the first error, they are told to
 * end; that is not waited for.
 */
export async function* mergeReceived(
  answers: readonly AsyncGenerator<ReceivedSeries, void, undefined>[],
  orderWithout: readonly string[],
): AsyncGenerator<ReceivedSeries, void, undefined> {
  const heads: (Head | "unknown" | "ended")[] = answers.map(() => "unknown");
  const ask = async (index: number): Promise<void> => {
    const { done, value } = await answers[index]!.next();
    heads[index] = done === true ? "ended" : { key: withoutLabels(value.labels, orderWithout), series: value };
  };
  try {
    for (;;) {
      await Promise.all(heads.flatMap((head, index) => (head === "unknown" ? [ask(index)] : [])));
      const least = takeLeast(heads);
      if (least.length === 0) {
        return;
      }
      yield least.length === 1 ? least[0]! : uniteEqual(least)[0]!;
    }
  } finally {
    for (const answer of answers) {
      answer.return().catch(() => {});
    }
  }
}

/** Takes the smallest series from the heads, from each that has it. */
function takeLeast(heads: (Head | "unknown" | "ended")[]): ReceivedSeries[] {
  let least: Head[] = [];
  for (const head of heads) {
    if (typeof head === "object") {
      const order = least.length === 0 ? -1 : compareHeads(head, least[0]!);
      if (order < 0) {
        least = [head];
      } else if (order === 0) {
        least.push(head);
      }
    }
  }
  for (const head of least) {
    heads[heads.indexOf(head)] = "unknown";
  }
  return least.map(({ series }) => series);
}

function compareHeads(one: Head, other: Head): number {
  return compareLabelSets(one.key, other.key) || compareLabelSets(one.series.labels, other.series.labels);
}
