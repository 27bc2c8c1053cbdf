/** The order of one answer's series, and of several answers merged. */
import { type Block, compareLabelSets, type LabelSet, withoutLabels } from "@promsplice/core";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { mergeReceived } from "../src/merge-received.ts";
import { type ReceivedSeries, SeriesOrder, type SeriesOrderOptions, sortReceived } from "../src/ordered-series.ts";
import { RemoteReadError } from "../src/remote-read-error.ts";
import { errorOf } from "./error-code.ts";
import { labelsOf } from "./read-exchange.ts";

const OPTIONS: SeriesOrderOptions = {
  orderWithout: [],
  sortBytesMax: 1e9,
  seriesBytesMax: 1e9,
  seriesMax: 1e9,
  isCollected: false,
};

/** A piece of a series, told apart by its number. */
function pieceOf(id: number): Iterable<Block> & { readonly id: number } {
  return Object.assign([], { id });
}

/** What an order makes of label sets: the sets and, of each, the numbers of its pieces. */
interface Ordered {
  readonly labels: string;
  readonly pieces: readonly number[];
}

function show(series: readonly ReceivedSeries[]): Ordered[] {
  return series.map(({ labels, pieces }) => ({
    labels: labels.join(" "),
    pieces: pieces.map((piece) => (piece as ReturnType<typeof pieceOf>).id),
  }));
}

function order(sets: readonly LabelSet[], options: Partial<SeriesOrderOptions> = {}): ReceivedSeries[] {
  const ordering = new SeriesOrder({ ...OPTIONS, ...options });
  const passed = sets.flatMap((labels, id) => ordering.add(labels, pieceOf(id), 1));
  return [...passed, ...ordering.finish()];
}

function setsOf(...texts: readonly string[]): LabelSet[] {
  return texts.map((text) => (text === "" ? [] : labelsOf(text)));
}

function textsOf(series: readonly ReceivedSeries[]): string[] {
  return show(series).map(({ labels }) => labels);
}

/** The twin: everything sorted at the end. */
function naive(labelSets: readonly LabelSet[], orderWithout: readonly string[]): Ordered[] {
  const series = new Map<string, { readonly labels: LabelSet; readonly pieces: number[] }>();
  for (const [id, labels] of labelSets.entries()) {
    const text = labels.join(" ");
    series.set(text, { labels, pieces: [...(series.get(text)?.pieces ?? []), id] });
  }
  return [...series.values()]
    .toSorted(
      (one, other) =>
        compareLabelSets(withoutLabels(one.labels, orderWithout), withoutLabels(other.labels, orderWithout)) ||
        compareLabelSets(one.labels, other.labels),
    )
    .map(({ labels, pieces }) => ({ labels: labels.join(" "), pieces }));
}

function agree(labelSets: readonly LabelSet[], orderWithout: readonly string[]): "ordered" | "refused" {
  const collected = order(labelSets, { orderWithout, isCollected: true });
  expect(show(collected)).toEqual(naive(labelSets, orderWithout));
  try {
    const ordered = order(labelSets, { orderWithout });
    expect(show(ordered)).toEqual(naive(labelSets, orderWithout));
    const joined = labelSets.filter((labels, id) => id > 0 && compareLabelSets(labels, labelSets[id - 1]!) === 0);
    const united = ordered.reduce((sum, series) => sum + series.united, 0);
    expect(united).toBe(labelSets.length - joined.length - ordered.length);
    return "ordered";
  } catch (error) {
    expect(error).toBeInstanceOf(RemoteReadError);
    expect((error as RemoteReadError).code).toBe("series-out-of-order");
    return "refused";
  }
}

const labelSet = fc
  .record(
    {
      a: fc.constantFrom("1", "2"),
      m: fc.constantFrom("1", "2"),
      replica: fc.constantFrom("A", "B"),
      s: fc.constantFrom("1", "2"),
    },
    { requiredKeys: [] },
  )
  .map((labels): LabelSet =>
    Object.entries(labels)
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .flat(),
  );

describe("the order of an answer", () => {
  test("passes a series on once a greater one has come", () => {
    const ordering = new SeriesOrder(OPTIONS);
    const passed = ["a=1", "b=1", "b=2"].map((text, id) => textsOf(ordering.add(labelsOf(text), pieceOf(id), 1)));
    expect(passed).toEqual([[], ["a 1"], ["b 1"]]);
    expect(textsOf(ordering.finish())).toEqual(["b 2"]);
  });

  test("holds back a stored set that begins the next ones under an external label", () => {
    const sent = setsOf("cluster=c", "a=1,cluster=c", "a=2,cluster=c", "cluster=c,d=1");
    const ordering = new SeriesOrder(OPTIONS);
    const passed = sent.map((labels, id) => textsOf(ordering.add(labels, pieceOf(id), 1)));
    expect(passed).toEqual([[], [], ["a 1 cluster c"], ["a 2 cluster c", "cluster c"]]);
    expect(textsOf(ordering.finish())).toEqual(["cluster c d 1"]);
  });

  test("joins what comes in a row and unites what comes again", () => {
    const ordered = order(setsOf("cluster=c", "cluster=c", "a=1,cluster=c", "cluster=c"));
    expect(show(ordered)).toEqual([
      { labels: "a 1 cluster c", pieces: [2] },
      { labels: "cluster c", pieces: [0, 1, 3] },
    ]);
    expect(ordered.map(({ united }) => united)).toEqual([0, 1]);
  });

  test("brings sets together that are equal without some labels, by the whole sets", () => {
    const ordered = order(setsOf("a=1,replica=B", "a=1,replica=A", "a=1", "b=1"), { orderWithout: ["replica"] });
    expect(textsOf(ordered)).toEqual(["a 1", "a 1 replica A", "a 1 replica B", "b 1"]);
  });

  test("refuses a step back behind what was passed on, and names both sets", () => {
    const error = errorOf(() => order(setsOf("a=2", "a=3", "a=1")));
    expect(error).toMatchObject({ code: "series-out-of-order", series: '{a="1"}' });
    expect(error.message).toContain('{a="2"}');
    expect(error.message).toMatch(/members.*collect/);
  });

  test("refuses a set that was passed on, so that none comes twice", () => {
    expect(errorOf(() => order(setsOf("a=1", "a=2", "a=1"))).code).toBe("series-out-of-order");
    expect(
      errorOf(() => order(setsOf("a=1,replica=A", "a=2,replica=A", "a=1,replica=B"), { orderWithout: ["replica"] }))
        .code,
    ).toBe("series-out-of-order");
  });

  test("compares by UTF-8 bytes", () => {
    expect(textsOf(order(setsOf("a=Ａ", "a=😀", "a=😁")))).toEqual(["a Ａ", "a 😀", "a 😁"]);
    expect(errorOf(() => order(setsOf("a=😀", "a=😁", "a=Ａ"))).code).toBe("series-out-of-order");
  });

  test("refuses more bytes that wait than allowed, the newest not counted", () => {
    const falling = setsOf("a=4", "a=3", "a=2", "a=1");
    expect(order(falling, { sortBytesMax: 3 })).toHaveLength(4);
    const error = errorOf(() => order(falling, { sortBytesMax: 2 }));
    expect(error).toMatchObject({ code: "series-out-of-order", series: '{a="1"}' });
    expect(error.message).toContain('{a="4"}');
  });

  test("frees what it passes on", () => {
    const rising = Array.from({ length: 1000 }, (_, index): LabelSet => ["a", String(index).padStart(4, "0")]);
    expect(order(rising, { sortBytesMax: 1 })).toHaveLength(1000);
  });

  test("refuses a series that is too large, and an answer too large to be collected", () => {
    const same = setsOf("a=1", "a=1", "a=1");
    expect(errorOf(() => order(same, { seriesBytesMax: 2 }))).toMatchObject({ code: "limit-exceeded" });
    const error = errorOf(() => order(setsOf("a=1", "a=2", "a=3"), { sortBytesMax: 1, isCollected: true }));
    expect(error).toMatchObject({ code: "limit-exceeded", series: '{a="3"}' });
  });

  test("is that of everything sorted, or an error, for all short answers of a tiny universe", () => {
    const universe = setsOf("", "a=1", "a=1,replica=A", "a=1,replica=B", "replica=A", "replica=A,s=1");
    const counts = { ordered: 0, refused: 0 };
    for (let length = 0; length <= 4; length++) {
      for (let number = 0; number < universe.length ** length; number++) {
        const sent = Array.from(
          { length },
          (_, place) => universe[Math.floor(number / universe.length ** place) % universe.length]!,
        );
        counts[agree(sent, [])]++;
        counts[agree(sent, ["replica"])]++;
      }
    }
    expect(counts.ordered).toBeGreaterThan(100);
    expect(counts.refused).toBeGreaterThan(100);
  });

  test("is that of everything sorted, or an error, for any answer", () => {
    fc.assert(
      fc.property(fc.array(labelSet, { maxLength: 12 }), fc.subarray(["replica", "m"]), (sent, orderWithout) => {
        agree(sent, orderWithout);
      }),
    );
  });

  test("takes every honest answer: sorted as stored, sent with external labels", () => {
    const external = fc.subarray(["m", "replica"], { minLength: 1 });
    let heldMax = 0;
    fc.assert(
      fc.property(fc.array(labelSet, { maxLength: 16 }), external, fc.boolean(), (given, names, isWithout) => {
        // Without stored labels of the external labels' names.
        const stored = naive(
          given.map((labels) => withoutLabels(labels, names)),
          [],
        );
        const sent = stored.map(({ labels }) => [
          ...(labels === "" ? [] : labels.split(" ")),
          ...names.flatMap((name) => [name, "x"]),
        ]);
        const sorted = sent.map((labels): LabelSet => {
          const pairs = labels.flatMap((name, index) => (index % 2 === 0 ? [[name, labels[index + 1]!]] : []));
          return pairs.toSorted(compareLabelSets).flat();
        });
        const orderWithout = isWithout ? names : [];
        const ordering = new SeriesOrder({ ...OPTIONS, orderWithout });
        let passed = 0;
        const ordered = sorted.flatMap((labels, id) => {
          const ready = ordering.add(labels, pieceOf(id), 1);
          passed += ready.length;
          heldMax = Math.max(heldMax, id + 1 - passed);
          return ready;
        });
        expect(show([...ordered, ...ordering.finish()])).toEqual(naive(sorted, orderWithout));
      }),
      { numRuns: 2000 },
    );
    expect(heldMax).toBeLessThanOrEqual(4);
  });
});

describe("the order of samples", () => {
  test("counts sets that come again, also in a row", () => {
    const received = setsOf("b=1", "a=1", "a=1").map((labels, id): ReceivedSeries => {
      return { labels, pieces: [pieceOf(id)], bytes: 0, united: 0 };
    });
    const sorted = sortReceived(received, []);
    expect(show(sorted)).toEqual([
      { labels: "a 1", pieces: [1, 2] },
      { labels: "b 1", pieces: [0] },
    ]);
    expect(sorted[0]!.united).toBe(1);
  });
});

describe("several answers", () => {
  test("come as one that is sorted, whatever holds what", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(labelSet, { maxLength: 8 }), { minLength: 1, maxLength: 4 }),
        fc.subarray(["replica", "m"]),
        async (answers, orderWithout) => {
          const merged: ReceivedSeries[] = [];
          const sorted = answers.map((sent, index) =>
            sortReceived(
              sent.map((labels, id) => ({ labels, pieces: [pieceOf(index * 100 + id)], bytes: 1, united: 0 })),
              orderWithout,
            ),
          );
          for await (const series of mergeReceived(sorted.map(generate), orderWithout)) {
            merged.push(series);
          }
          expect(textsOf(merged)).toEqual(naive(answers.flat(), orderWithout).map(({ labels }) => labels));
          expect(merged.flatMap(({ pieces }) => pieces)).toHaveLength(answers.flat().length);
        },
      ),
    );
  });

  test("end together when one fails", async () => {
    let left = 0;
    const endless = async function* (): AsyncGenerator<ReceivedSeries, void, undefined> {
      try {
        for (let id = 0; ; id++) {
          yield { labels: ["a", String(id)], pieces: [], bytes: 0, united: 0 };
        }
      } finally {
        left++;
      }
    };
    const merged = mergeReceived([endless(), failSoon()], []);
    await expect(merged.next()).resolves.toMatchObject({ value: { united: 1 } });
    await expect(merged.next()).rejects.toThrow("broken");
    await new Promise(setImmediate);
    expect(left).toBe(1);
  });
});

async function* generate(series: readonly ReceivedSeries[]): AsyncGenerator<ReceivedSeries, void, undefined> {
  yield* series;
}

async function* failSoon(): AsyncGenerator<ReceivedSeries, void, undefined> {
  yield { labels: ["a", "0"], pieces: [], bytes: 0, united: 0 };
  throw new Error("broken");
}
