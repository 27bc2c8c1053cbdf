import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Block, columnsBlock } from "../src/block.ts";
import { groupSeries } from "../src/group-series.ts";
import type { GroupSeriesOptions, Series, SeriesGroup } from "../src/series.ts";
import { SeriesMerge } from "../src/series-merge.ts";
import { SpliceError } from "../src/splice-error.ts";
import { dropLabels, groupAtOnce, makeLabels, type SentSeries, sortAsSent, type TwinRules } from "./twins/group.ts";

const REPLICA = { replicaLabels: ["replica"] };
const RULES: TwinRules = { replicaLabels: ["replica"], replicaOrder: [], orderWithout: [] };

describe("groupSeries", () => {
  it("brings the series of several sources together that differ in the replica label alone", async () => {
    const sources = [
      [series({ __name__: "a", replica: "A" }), series({ __name__: "b", replica: "A" })],
      [series({ __name__: "a", replica: "B" }), series({ __name__: "c", replica: "B" })],
    ] as const;
    expect(await collect(sources, REPLICA)).toEqual([
      {
        labels: ["__name__", "a"],
        replicas: [
          { source: 0, ...sources[0][0] },
          { source: 1, ...sources[1][0] },
        ],
        united: 0,
      },
      { labels: ["__name__", "b"], replicas: [{ source: 0, ...sources[0][1] }], united: 0 },
      { labels: ["__name__", "c"], replicas: [{ source: 1, ...sources[1][1] }], united: 0 },
    ]);
  });

  it("hands labels and blocks on as they came, and reads none of them", async () => {
    const blocks = {
      [Symbol.iterator](): never {
        throw new Error("the blocks were read");
      },
    };
    const sent = { labels: makeLabels({ a: "1", replica: "A" }), blocks };
    const [group] = await collect([[sent]], REPLICA);
    expect(group!.replicas[0]!.labels).toBe(sent.labels);
    expect(group!.replicas[0]!.blocks).toBe(blocks);
  });

  it("ends at once without sources, and where none has a series", async () => {
    expect(await collect([], REPLICA)).toEqual([]);
    expect(await collect([[], []], REPLICA)).toEqual([]);
  });

  it("takes series that differ in the replica label for replicas where they come from one source too", async () => {
    const sources = [
      [series({ a: "1", replica: "B" }), series({ a: "1", replica: "A" }), series({ a: "1" })],
      [series({ a: "1", replica: "A" })],
    ];
    expect(await collectReplicas(sources, REPLICA)).toEqual([["0", "0 A", "1 A", "0 B"]]);
  });

  it("takes equal label sets of different sources for replicas", async () => {
    const sources = [[series({ a: "1" })], [series({ a: "1" })], [series({ a: "1" })]];
    expect(await collectReplicas(sources, REPLICA)).toEqual([["0", "1", "2"]]);
    expect(await collectReplicas(sources, { replicaLabels: [] })).toEqual([["0", "1", "2"]]);
  });

  it("unites equal label sets of one source, counts them, and leaves those beside them alone", async () => {
    const [a, b, again, more] = [
      series({ a: "1", replica: "A" }, 2),
      series({ a: "1", replica: "B" }),
      series({ a: "1", replica: "A" }),
      series({ a: "1", replica: "A" }),
    ] as const;
    const other = series({ a: "1", replica: "A" });
    expect(await collect([[a, b, again, more], [other]], REPLICA)).toEqual([
      {
        labels: ["a", "1"],
        replicas: [
          { source: 0, labels: a.labels, blocks: [...a.blocks, ...again.blocks, ...more.blocks] },
          { source: 1, ...other },
          { source: 0, ...b },
        ],
        united: 2,
      },
    ]);
  });

  it("orders replicas by their labels' UTF-8 bytes, a missing one first, then by source", async () => {
    const values = ["\u{1f600}", "\u{ff21}", "é", "Z", "a"];
    const sources = [
      ...values.map((replica) => [series({ a: "1", replica })]),
      [series({ a: "1" })],
      [series({ a: "1", replica: "Z" })],
    ];
    expect(await collectReplicas(sources, REPLICA)).toEqual([
      ["5", "3 Z", "6 Z", "4 a", "2 é", "1 \u{ff21}", "0 \u{1f600}"],
    ]);
  });

  it("orders replicas by several labels in the order in which these are named", async () => {
    const sources = [
      [series({ a: "1", zone: "1", member: "B" }), series({ a: "1", zone: "2", member: "A" })],
      [
        series({ a: "1", zone: "2", member: "B" }),
        series({ a: "1", zone: "1", member: "A" }),
        series({ a: "1", zone: "2" }),
      ],
    ];
    expect(await collectReplicas(sources, { replicaLabels: ["zone", "member"] })).toEqual([
      ["1 A 1", "0 B 1", "1 2", "0 A 2", "1 B 2"],
    ]);
    expect(await collectReplicas(sources, { replicaLabels: ["member", "zone"] })).toEqual([
      ["1 2", "1 A 1", "0 A 2", "0 B 1", "1 B 2"],
    ]);
  });

  it("lets a list of values say which replicas come first", async () => {
    const sources = [
      [series({ a: "1", replica: "A" }), series({ a: "1", replica: "C" }), series({ a: "1" })],
      [series({ a: "1", replica: "B" }), series({ a: "1", replica: "C" }), series({ a: "1", replica: "D" })],
    ];
    expect(await collectReplicas(sources, { ...REPLICA, replicaOrder: ["C", "unknown", "B"] })).toEqual([
      ["0 C", "1 C", "1 B", "0", "0 A", "1 D"],
    ]);
    expect(await collectReplicas(sources, { ...REPLICA, replicaOrder: ["D", ""] })).toEqual([
      ["1 D", "0", "0 A", "1 B", "0 C", "1 C"],
    ]);
  });

  it("keeps series together that are equal without the labels that the order leaves out, a group for each of them", async () => {
    const sources = [
      [
        series({ a: "1", x: "2", replica: "A" }),
        series({ a: "1", x: "1", replica: "A" }),
        series({ a: "2", replica: "A" }),
      ],
      [
        series({ a: "1", replica: "B" }),
        series({ a: "1", x: "2", replica: "B" }),
        series({ a: "2", x: "1", replica: "B" }),
      ],
    ];
    const groups = await collect(sources, { ...REPLICA, orderWithout: ["x"] });
    expect(groups.map(({ labels, replicas }) => [labels.join(" "), replicas.length])).toEqual([
      ["a 1", 1],
      ["a 1 x 1", 1],
      ["a 1 x 2", 2],
      ["a 2", 1],
      ["a 2 x 1", 1],
    ]);
  });

  it("unites blocks that can be read only once", async () => {
    const sent = [1, 2, 3].map((count) => series({ a: "1" }, count));
    const once = sent.map(({ labels, blocks }) => ({ labels, blocks: blocks.values() }));
    const [group] = await collect([once], REPLICA);
    expect(group!.united).toBe(2);
    expect(group!.replicas[0]!.blocks).toEqual(sent.flatMap(({ blocks }) => blocks));
  });

  it("agrees with its twin, whichever source answers first", async () => {
    await fc.assert(
      fc.asyncProperty(inputs, fc.infiniteStream(fc.nat(4)), async ({ sources, rules }, ticks) => {
        const groups = await take(
          groupSeries(
            sources.map((all) => slowly(all, ticks)),
            rules,
          ),
        );
        expect(flatten(groups)).toEqual(groupAtOnce(sources, rules));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("a source that steps back", () => {
  it("is an error that names the source and both label sets as sent", async () => {
    const sources = [
      [series({ __name__: "up", replica: "A" })],
      [series({ __name__: "up", job: "x", replica: "A" }), series({ __name__: "up", replica: "B" })],
    ];
    const { error } = await takeUntilError(groupSeries(sources.map(deliver), REPLICA));
    expect(error).toBeInstanceOf(SpliceError);
    expect(error).toMatchObject({
      code: "series-out-of-order",
      replica: 1,
      message:
        'source 1: up{replica="B"} came after up{job="x", replica="A"}, expected label sets without replica in increasing order',
    });
  });

  it("is found in every position of every source, after the groups before it and with no clean end", async () => {
    const values = ["1", "2", "3", "4", "5"];
    for (let source = 0; source < 3; source++) {
      for (let position = 1; position <= values.length; position++) {
        const sources = ["A", "B", "C"].map((replica) => values.map((a) => series({ a, replica })));
        sources[source]!.splice(position, 0, series({ a: "0", replica: "Z" }));
        const { groups, error } = await takeUntilError(groupSeries(sources.map(deliver), REPLICA));
        expect(error).toMatchObject({ code: "series-out-of-order", replica: source });
        expect(groups.map(({ labels }) => labels[1])).toEqual(values.slice(0, position - 1));
        expect(groups.every(({ replicas }) => replicas.length === 3)).toBe(true);
      }
    }
  });

  it("does not step back where only labels differ that the order leaves out", async () => {
    const sources = [[series({ a: "1", replica: "B", x: "2" }), series({ a: "1", replica: "A", x: "1" })]];
    await expect(collect(sources, { ...REPLICA, orderWithout: ["x"] })).resolves.toHaveLength(2);
    await expect(collect(sources, REPLICA)).rejects.toMatchObject({ code: "series-out-of-order" });
  });
});

describe("the sources of groupSeries", () => {
  it("are all asked before one has answered, and again as soon as their series are taken", async () => {
    const sources = [new HandSource(), new HandSource(), new HandSource()] as const;
    const groups = groupSeries(sources, REPLICA);
    expect(sources.map(({ asked }) => asked)).toEqual([0, 0, 0]);
    const first = groups.next();
    expect(sources.map(({ asked }) => asked)).toEqual([1, 1, 1]);
    sources[2].answer(series({ a: "1", replica: "C" }));
    sources[0].answer(series({ a: "1", replica: "A" }));
    await settle();
    expect(sources.map(({ asked }) => asked)).toEqual([1, 1, 1]);
    sources[1].answer(series({ a: "2", replica: "B" }));
    await settle();
    expect(sources.map(({ asked }) => asked)).toEqual([2, 1, 2]);
    sources[0].answer(series({ a: "3", replica: "A" }));
    sources[2].end();
    expect((await first).value).toMatchObject({ labels: ["a", "1"], replicas: [{ source: 0 }, { source: 2 }] });
    await settle();
    expect(sources.map(({ asked }) => asked)).toEqual([2, 1, 2]);
  });

  it("are read at most one series ahead of the group at hand", async () => {
    const sources = [
      ["1", "2", "2", "4", "5"].map((a, index) => series({ a, replica: `A${index}` })),
      ["1", "3", "4", "4", "4"].map((a, index) => series({ a, replica: `B${index}` })),
      ["5", "6"].map((a) => series({ a, replica: "C" })),
    ];
    const read = sources.map(() => 0);
    const counted = sources.map(async function* (all, source): AsyncGenerator<Series> {
      for (const one of all) {
        read[source]!++;
        yield one;
      }
    });
    const history: string[] = [];
    for await (const { labels } of groupSeries(counted, REPLICA)) {
      await settle();
      history.push(`${labels[1]}: ${read.join(" ")}`);
    }
    expect(history).toEqual(["1: 2 2 1", "2: 4 2 1", "3: 4 3 1", "4: 5 5 1", "5: 5 5 2", "6: 5 5 2"]);
  });

  it("are cancelled once each when the reader leaves early, those that have ended excepted", async () => {
    const sources = [[], [series({ a: "1" })], [series({ a: "1" }), series({ a: "2" })], [series({ a: "3" })]].map(
      (all) => new HandSource().answer(...all).end(),
    );
    for await (const { labels } of groupSeries(sources, REPLICA)) {
      expect(labels).toEqual(["a", "1"]);
      break;
    }
    expect(sources.map(({ cancelled }) => cancelled)).toEqual([0, 0, 1, 1]);
  });

  it("are cancelled when the reader leaves before the first group", async () => {
    const sources = [new HandSource(), new HandSource()];
    const groups = groupSeries(sources, REPLICA);
    await groups.return!();
    await groups.return!();
    expect(sources.map(({ asked, cancelled }) => [asked, cancelled])).toEqual([
      [0, 1],
      [0, 1],
    ]);
    expect(await groups.next()).toEqual({ done: true, value: undefined });
  });

  it("are not waited for by a reader who leaves", async () => {
    const sources = [new HandSource(), new HandSource()] as const;
    const groups = groupSeries(sources, REPLICA);
    const pending = groups.next();
    sources[0].answer(series({ a: "1" }));
    expect(await groups.return!()).toEqual({ done: true, value: undefined });
    expect(await pending).toEqual({ done: true, value: undefined });
    expect(sources.map(({ cancelled }) => cancelled)).toEqual([1, 1]);
    // What comes too late is neither an answer nor a failure.
    sources[1].answer(series({ a: "0" }));
    await settle();
    expect(await groups.next()).toEqual({ done: true, value: undefined });
  });

  it("are not waited for either where they are generators in mid-answer or refuse to be cancelled", async () => {
    const stuck = (async function* (): AsyncGenerator<Series> {
      yield series({ a: "1" });
      await new Promise(() => {});
    })();
    const stubborn = new HandSource().answer(series({ a: "1" }), series({ a: "2" }));
    stubborn.return = () => new Promise(() => {});
    const groups = groupSeries([stuck, stubborn], REPLICA);
    const pending = groups.next();
    await settle();
    expect(await groups.return!()).toEqual({ done: true, value: undefined });
    expect(await pending).toEqual({ done: true, value: undefined });
  });

  it("are cancelled when one of them fails, and its error is what the reader sees", async () => {
    for (let failing = 0; failing < 3; failing++) {
      const sources = [new HandSource(), new HandSource(), new HandSource()];
      const groups = groupSeries(sources, REPLICA);
      const pending = groups.next();
      // The others never answer.
      sources[failing]!.fail(new Error("the connection broke"));
      await expect(pending).rejects.toThrow("the connection broke");
      expect(sources.every(({ cancelled }, source) => cancelled === 1 || source === failing)).toBe(true);
      expect(await groups.next()).toEqual({ done: true, value: undefined });
    }
  });

  it("are cancelled when one of them steps back", async () => {
    const sources = [
      [series({ a: "1" }), series({ a: "0" })],
      [series({ a: "1" }), series({ a: "2" })],
    ].map((all) => new HandSource().answer(...all).end());
    const { error } = await takeUntilError(groupSeries(sources, REPLICA));
    expect(error).toMatchObject({ code: "series-out-of-order" });
    expect(sources.map(({ cancelled }) => cancelled)).toEqual([1, 1]);
  });

  it("tell the error that comes first, and no other one", async () => {
    const sources = [new HandSource(), new HandSource(), new HandSource()] as const;
    const groups = groupSeries(sources, REPLICA);
    const pending = groups.next();
    sources[2].fail(new Error("first"));
    await expect(pending).rejects.toThrow("first");
    // A rejection that nobody handles would fail the test run.
    sources[0].fail(new Error("second"));
    sources[1].answer(series({ a: "1" }));
    await settle();
    expect(await groups.next()).toEqual({ done: true, value: undefined });
  });

  it("may fail in next() and in return() at once instead of by a promise", async () => {
    const source: AsyncIterable<Series> = {
      [Symbol.asyncIterator]: () => ({
        next(): never {
          throw new Error("no next");
        },
        return(): never {
          throw new Error("no return");
        },
      }),
    };
    const other = new HandSource();
    await expect(groupSeries([source, other], REPLICA).next()).rejects.toThrow("no next");
    expect(other.cancelled).toBe(1);
  });
});

describe("what groupSeries is given", () => {
  it.each<[string, () => unknown, string]>([
    ["sources that are no array", () => groupSeries(bad(deliver([])), REPLICA), "sources must be an array"],
    ["sources left out", () => groupSeries(bad(undefined), REPLICA), "sources must be an array, got undefined"],
    [
      "a source that is an array",
      () => groupSeries([deliver([]), bad([])], REPLICA),
      "source 1: expected an async iterable",
    ],
    ["a source that is nothing", () => groupSeries([bad(null)], REPLICA), "source 0: expected an async iterable"],
    ["no options", () => groupSeries([], bad(undefined)), "undefined"],
    ["no replica labels", () => groupSeries([], bad({})), "replicaLabels must be an array of strings, got undefined"],
    [
      "a replica label alone",
      () => groupSeries([], bad({ replicaLabels: "replica" })),
      "replicaLabels must be an array",
    ],
    ["a number as a label", () => groupSeries([], bad({ replicaLabels: ["a", 1] })), "replicaLabels must be an array"],
    ["an empty name", () => groupSeries([], { replicaLabels: ["a", ""] }), "replicaLabels must not hold an empty name"],
    [
      "an empty name to order without",
      () => groupSeries([], { ...REPLICA, orderWithout: [""] }),
      "orderWithout must not",
    ],
    [
      "an order that is no array",
      () => groupSeries([], bad({ ...REPLICA, replicaOrder: "A" })),
      "replicaOrder must be",
    ],
    [
      "an order of nothing",
      () => groupSeries([], { replicaLabels: [], replicaOrder: ["A"] }),
      "replicaOrder lists values",
    ],
  ])("is refused at once if it is %s", (_, call, message) => {
    expect(call).toThrow(TypeError);
    expect(call).toThrow(message);
  });

  it.each<[string, unknown, string]>([
    ["nothing", undefined, "source 1: expected a series with an iterable of blocks, got undefined"],
    ["no series", "up", "source 1: expected a series"],
    ["a series without blocks", { labels: [] }, "source 1: expected a series with an iterable of blocks, got Object"],
    ["a series without labels", { blocks: [] }, "source 1: a label set must be an array"],
    ["half a label", { labels: ["a"], blocks: [] }, "source 1: a label set must be pairs"],
    [
      "labels out of order",
      { labels: ["b", "1", "a", "1"], blocks: [] },
      'source 1: label names must increase by their UTF-8 bytes, "a" comes after "b"',
    ],
    ["an empty value", { labels: ["a", ""], blocks: [] }, 'source 1: label "a" has an empty value'],
  ])("is refused, and no clean end, if a source delivers %s", async (_, delivered, message) => {
    const sources = [deliver([series({ a: "1" })]), deliver([series({ a: "1" }), delivered as Series])];
    const { groups, error } = await takeUntilError(groupSeries(sources, REPLICA));
    expect(groups).toEqual([]);
    expect(error).toBeInstanceOf(TypeError);
    expect((error as Error).message).toContain(message);
  });

  it("is taken one step after another", async () => {
    const source = new HandSource();
    const groups = groupSeries([source], REPLICA);
    const first = groups.next();
    await expect(groups.next()).rejects.toThrow(TypeError);
    source.answer(series({ a: "1" }));
    await settle();
    source.end();
    expect((await first).value).toMatchObject({ labels: ["a", "1"] });
    expect(await groups.next()).toEqual({ done: true, value: undefined });
  });
});

describe("SeriesMerge", () => {
  it("agrees with its twin on all pairs of sources of up to three series in a tiny universe, steps back included", () => {
    const [first, second, third] = [1, 2, 3].map(() =>
      ["1", "2"].flatMap((a) => [series({ a }), series({ a, replica: "A" }), series({ a, replica: "B" })]),
    ) as [SentSeries<Block>[], SentSeries<Block>[], SentSeries<Block>[]];
    const pairs = first.flatMap((one) => second.map((two) => [one, two]));
    const lists = [
      [],
      ...first.map((one) => [one]),
      ...pairs,
      ...pairs.flatMap((pair) => [third[1]!, third[3]!].map((three) => [...pair, three])),
    ];
    const orders = [
      (needed: readonly number[]): readonly number[] => needed,
      (needed: readonly number[]): readonly number[] => needed.toReversed(),
    ];
    let stepsBack = 0;
    for (const one of lists) {
      for (const two of lists) {
        const sources = [one, two];
        const isSorted = sources.every((all) => sortAsSent(all, RULES).every((sent, index) => sent === all[index]));
        for (const order of orders) {
          const groups = merge(sources, REPLICA, order);
          if (isSorted) {
            agree(groups, groupAtOnce(sources, RULES), sources);
          } else {
            stepsBack++;
            agree(groups, undefined, sources);
          }
        }
      }
    }
    expect(stepsBack).toBeGreaterThan(1_000);
  });

  it("needs all sources whose series are not known, takes them in any order, and goes on after the end as before", () => {
    const all = new SeriesMerge(2, REPLICA);
    expect(all.next()).toEqual([0, 1]);
    all.give(1, series({ a: "1" }));
    expect(all.next()).toEqual([0]);
    all.give(0, series({ a: "2" }));
    expect(all.next()).toEqual([1]);
    all.finish(1);
    expect(all.next()).toMatchObject({ labels: ["a", "1"] });
    expect(all.next()).toEqual([0]);
    all.finish(0);
    expect(all.next()).toMatchObject({ labels: ["a", "2"] });
    expect(all.next()).toBeUndefined();
    expect(all.next()).toBeUndefined();
  });
});

/** Compared as text first, since that is quick and there are many. */
function agree(
  groups: SeriesGroup[] | undefined,
  expected: ReturnType<typeof groupAtOnce> | undefined,
  sources: unknown,
): void {
  const [got, wanted] = [groups === undefined ? undefined : flatten(groups), expected];
  if (JSON.stringify(got) !== JSON.stringify(wanted)) {
    expect({ sources, groups: got }).toEqual({ sources, groups: wanted });
  }
}

/** All groups; undefined if a source steps back. */
function merge(
  sources: readonly (readonly Series[])[],
  options: GroupSeriesOptions,
  order: (needed: readonly number[]) => readonly number[],
): SeriesGroup[] | undefined {
  const rest = sources.map((all) => all.values());
  const all = new SeriesMerge(sources.length, options);
  const groups: SeriesGroup[] = [];
  try {
    for (let step = all.next(); step !== undefined; step = all.next()) {
      if ("labels" in step) {
        groups.push(step);
        continue;
      }
      for (const source of order(step)) {
        const { done, value } = rest[source]!.next();
        if (done === true) {
          all.finish(source);
        } else {
          all.give(source, value);
        }
      }
    }
  } catch (error) {
    expect(error).toMatchObject({ code: "series-out-of-order" });
    return undefined;
  }
  return groups;
}

/** One to four sources over few names and values, so that much is equal or nearly so, in the order that the rules ask for. */
const TEXTS = ["a", "Z", "é", "\u{ff21}", "\u{1f600}", "aZ", "a\u{ff21}", "a\u{1f600}"];

const inputs = fc
  .record({
    names: fc.shuffledSubarray(TEXTS, { minLength: 3, maxLength: 4 }),
    values: fc.shuffledSubarray(TEXTS, { minLength: 2, maxLength: 3 }),
    drops: fc.nat(2),
    leavesOut: fc.nat(1),
    repeats: fc.boolean(),
    ordered: fc.shuffledSubarray([...TEXTS, ""], { maxLength: 3 }),
  })
  .chain(({ names, values, drops, leavesOut, repeats, ordered }) => {
    const dropped = names.slice(0, drops);
    const rules: TwinRules = {
      replicaLabels: repeats ? [...dropped, ...dropped] : dropped,
      replicaOrder: drops === 0 ? [] : ordered,
      orderWithout: names.slice(drops, drops + leavesOut),
    };
    const labels = fc
      .dictionary(fc.constantFrom(...names), fc.constantFrom(...values), { maxKeys: 4, noNullPrototype: true })
      .map(makeLabels);
    const blocks = fc.nat(2).map((count) => Array.from({ length: count }, makeBlock));
    const source = fc.array(fc.record({ labels, blocks }), { maxLength: 8 });
    return fc.array(source, { minLength: 1, maxLength: 4 }).map((sources) => ({
      rules,
      sources: sources.map((all) => sortAsSent(all, rules)),
    }));
  });

let blocksMade = 0;

/** A block unlike all others, as its time shows. */
function makeBlock(): Block {
  return columnsBlock({ timestamps: new Float64Array([++blocksMade]), values: new Float64Array(1) });
}

function series(values: Readonly<Record<string, string>>, blocks: number = 1): SentSeries<Block> {
  return { labels: makeLabels(values), blocks: Array.from({ length: blocks }, makeBlock) };
}

function flatten(groups: readonly SeriesGroup[]): ReturnType<typeof groupAtOnce> {
  return groups.map(({ labels, replicas, united }) => ({
    labels,
    replicas: replicas.map((replica) => ({ ...replica, blocks: [...replica.blocks] })),
    united,
  }));
}

async function* deliver(all: readonly Series[]): AsyncGenerator<Series, void, undefined> {
  yield* all;
}

/** Answers after as many turns of the loop of microtasks as the stream of numbers says. */
async function* slowly(all: readonly Series[], ticks: Iterator<number>): AsyncGenerator<Series, void, undefined> {
  for (const one of all) {
    for (let left = ticks.next().value as number; left > 0; left--) {
      await Promise.resolve();
    }
    yield one;
  }
}

async function take(groups: AsyncIterable<SeriesGroup>): Promise<SeriesGroup[]> {
  const taken: SeriesGroup[] = [];
  for await (const group of groups) {
    taken.push(group);
  }
  return taken;
}

function collect(sources: readonly (readonly Series[])[], options: GroupSeriesOptions): Promise<SeriesGroup[]> {
  return take(groupSeries(sources.map(deliver), options));
}

/** Of each group its replicas, as the source and the values of the labels that it has besides the group's. */
async function collectReplicas(
  sources: readonly (readonly Series[])[],
  options: GroupSeriesOptions,
): Promise<string[][]> {
  const groups = await collect(sources, options);
  return groups.map((group) =>
    group.replicas.map(({ source, labels }) =>
      [source, ...dropLabels(labels, group.labels).filter((_, index) => index % 2 === 1)].join(" "),
    ),
  );
}

async function takeUntilError(groups: AsyncIterable<SeriesGroup>): Promise<{ groups: SeriesGroup[]; error: unknown }> {
  const taken: SeriesGroup[] = [];
  try {
    for await (const group of groups) {
      taken.push(group);
    }
  } catch (error) {
    return { groups: taken, error };
  }
  return expect.unreachable("the groups came to a clean end");
}

/** Lets all promises that can be settled be so. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

interface Answer {
  readonly promise: Promise<IteratorResult<Series, undefined>>;
  resolve(result: IteratorResult<Series, undefined>): void;
  reject(error: Error): void;
}

/** A source that gives the answers that it is told to, and counts what it is asked. */
class HandSource implements AsyncIterableIterator<Series, undefined> {
  asked = 0;
  cancelled = 0;
  #answered = 0;
  readonly #answers: Answer[] = [];

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Series, undefined>> {
    return this.#answer(this.asked++).promise;
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.cancelled++;
    return { done: true, value: undefined };
  }

  answer(...all: readonly Series[]): this {
    for (const value of all) {
      this.#answer(this.#answered++).resolve({ done: false, value });
    }
    return this;
  }

  end(): this {
    this.#answer(this.#answered++).resolve({ done: true, value: undefined });
    return this;
  }

  fail(error: Error): void {
    this.#answer(this.#answered++).reject(error);
  }

  #answer(index: number): Answer {
    this.#answers[index] ??= makeAnswer();
    return this.#answers[index];
  }
}

function makeAnswer(): Answer {
  let answer: Omit<Answer, "promise"> | undefined;
  const promise = new Promise<IteratorResult<Series, undefined>>((resolve, reject) => {
    answer = { resolve, reject };
  });
  return { promise, ...answer! };
}

/** What a caller without types may pass. */
function bad(value: unknown): never {
  return value as never;
}
