import { type Block, type Series } from "@promsplice/core";
import { describe, expect, test } from "vitest";

import { chunkBlock, encodeBlock } from "../src/chunk/chunk-block.ts";
import { memoryReader } from "../src/memory-reader.ts";
import type { Matcher, Query, Reader, ReadOptions } from "../src/reader.ts";
import { bitsOf } from "./bytes.ts";
import { blockOf, EVERYTHING, queryOf, seriesOf, steadyRows } from "./read-exchange.ts";
import type { ClientRow } from "./strict-client.ts";

const ROWS = steadyRows(1000, 5, 1000);

async function gather(reader: Reader, query: Query, options: ReadOptions = {}): Promise<Series[]> {
  const gathered: Series[] = [];
  for await (const series of reader.read(query, options)) {
    gathered.push(series);
  }
  return gathered;
}

async function labelsFound(reader: Reader, ...matchers: readonly Matcher[]): Promise<string[]> {
  const found = await gather(reader, { ...EVERYTHING, matchers });
  return found.map(({ labels }) => labels.join(" "));
}

function rowsOf(blocks: Iterable<Block>): ClientRow[] {
  return [...blocks].flatMap((block) => {
    const bits = bitsOf(block.values());
    return Array.from(block.timestamps(), (timeMs, row): ClientRow => [timeMs, bits[row]!]);
  });
}

/** A block that is encoded, and tells if somebody decodes it. */
function encodedBlock(rows: readonly ClientRow[]): Block & { readonly decoded: () => boolean } {
  const block = chunkBlock(encodeBlock(blockOf(rows))[0]!);
  let isDecoded = false;
  return {
    kind: "float",
    firstMs: block.firstMs,
    lastMs: block.lastMs,
    count: block.count,
    detached: false,
    bytes: block.bytes,
    timestamps: () => {
      isDecoded = true;
      return block.timestamps();
    },
    values: () => block.values(),
    histograms: () => block.histograms(),
    valueAt: (row) => block.valueAt(row),
    staleRows: () => block.staleRows(),
    decoded: () => isDecoded,
  };
}

describe("matchers of memoryReader", () => {
  const reader = memoryReader([
    seriesOf("__name__=up", blockOf(ROWS)),
    seriesOf("__name__=up,x=y", blockOf(ROWS)),
    seriesOf("__name__=up,x=yes", blockOf(ROWS)),
    seriesOf("__name__=up,x=a\nb", blockOf(ROWS)),
    seriesOf("__name__=up,x=😀", blockOf(ROWS)),
  ]);
  const NONE = "__name__ up";
  const [Y, YES, BREAK, SMILE] = ["y", "yes", "a\nb", "😀"].map((value) => `__name__ up x ${value}`);

  test.each<[Matcher["type"], string, (string | undefined)[]]>([
    ["=", "y", [Y]],
    ["=", "", [NONE]],
    ["=", "nosuch", []],
    ["!=", "y", [NONE, BREAK, YES, SMILE]],
    ["!=", "", [BREAK, Y, YES, SMILE]],
    ["=~", "y", [Y]],
    ["=~", "y|yes", [Y, YES]],
    ["=~", "a.b", [BREAK]],
    ["=~", ".", [Y, SMILE]],
    ["=~", "", [NONE]],
    ["=~", ".*", [NONE, BREAK, Y, YES, SMILE]],
    ["=~", ".+", [BREAK, Y, YES, SMILE]],
    ["!~", "y.*", [NONE, BREAK, SMILE]],
    ["!~", ".+", [NONE]],
    ["!~", ".*", []],
  ])("x%s%j selects what RE2 and the rule of the missing label say", async (type, value, expected) => {
    expect(await labelsFound(reader, { type, name: "x", value })).toEqual(expected);
  });

  test("must all hold", async () => {
    const matchers: Matcher[] = [
      { type: "=~", name: "x", value: "y.*" },
      { type: "!=", name: "x", value: "y" },
    ];
    expect(await labelsFound(reader, ...matchers)).toEqual([YES]);
  });

  test("select nothing where there are none", async () => {
    expect(await labelsFound(reader)).toEqual([]);
  });

  test.each(["(", "(?i)a", ")(", "[[:alpha:]]"])(
    "that are no pattern of JavaScript, %s, are an error",
    async (value) => {
      await expect(labelsFound(reader, { type: "=~", name: "x", value })).rejects.toThrow(/^error parsing regexp: /);
    },
  );
});

describe("the range of memoryReader", () => {
  const reader = memoryReader([seriesOf("__name__=up", blockOf(ROWS), blockOf(steadyRows(6000, 5, 1000)))]);
  const all = [...ROWS, ...steadyRows(6000, 5, 1000)];

  test("is inclusive at both ends, whichever they are", async () => {
    for (let startMs = 500; startMs <= 11_000; startMs += 500) {
      for (let endMs = 500; endMs <= 11_000; endMs += 500) {
        const found = await gather(reader, { ...EVERYTHING, startMs, endMs });
        const expected = all.filter(([timeMs]) => timeMs >= startMs && timeMs <= endMs);
        expect(found.flatMap(({ blocks }) => rowsOf(blocks))).toEqual(expected);
        expect(found).toHaveLength(expected.length > 0 ? 1 : 0);
      }
    }
  });

  test("reaches to ±2^53", async () => {
    const rows: ClientRow[] = [-(2 ** 53), 0, 2 ** 53].map((timeMs) => [timeMs, "3ff0000000000000"]);
    const far = memoryReader([seriesOf("__name__=up", blockOf(rows))]);
    const after = await gather(far, { ...EVERYTHING, startMs: 0, endMs: 2 ** 53 });
    expect(after.flatMap(({ blocks }) => rowsOf(blocks))).toEqual(rows.slice(1));
    const before = await gather(far, { ...EVERYTHING, startMs: -(2 ** 53), endMs: 2 ** 53 - 1 });
    expect(before.flatMap(({ blocks }) => rowsOf(blocks))).toEqual(rows.slice(0, 2));
  });

  test("leaves blocks inside it as they are, and decodes neither them nor those outside", async () => {
    const blocks = [0, 1, 2, 3].map((index) => encodedBlock(steadyRows(index * 100_000, 5)));
    const found = await gather(memoryReader([seriesOf("__name__=up", ...blocks)]), {
      ...EVERYTHING,
      startMs: 100_000,
      endMs: 299_999,
    });
    expect([...found[0]!.blocks]).toEqual([blocks[1], blocks[2]]);
    expect(blocks.map(({ decoded }) => decoded())).toEqual([false, false, false, false]);
  });
});

describe("the order of memoryReader", () => {
  test("is that of the labels' bytes, however the series were given", async () => {
    const names = ["b", "Ａ", "a,z=1", "😀", "a", "Z"];
    const reader = memoryReader(names.map((name) => seriesOf(`__name__=${name}`, blockOf(ROWS))));
    const found = await labelsFound(reader, { type: "=~", name: "__name__", value: ".+" });
    expect(found.map((labels) => labels.slice("__name__ ".length))).toEqual(["Z", "a", "a z 1", "b", "Ａ", "😀"]);
  });

  test("leaves the labels of orderWithout out of account, and goes by all where these are equal", async () => {
    const reader = memoryReader(
      ["a=1,r=B,s=1", "a=1,r=A,s=2", "a=1,r=A,s=1", "a=1,s=1", "a=1,r=B,s=2", "a=1,r=A"].map((labels) =>
        seriesOf(labels, blockOf(ROWS)),
      ),
    );
    const query = queryOf([["=", "a", "1"]]);
    const found = await gather(reader, query, { orderWithout: ["r"] });
    expect(found.map(({ labels }) => labels.join(""))).toEqual([
      "a1rA",
      "a1rAs1",
      "a1rBs1",
      "a1s1",
      "a1rAs2",
      "a1rBs2",
    ]);
  });

  test("takes label sets in any order of names, and without empty values", async () => {
    const reader = memoryReader([{ labels: ["job", "x", "zone", "", "__name__", "up"], blocks: [blockOf(ROWS)] }]);
    expect(await labelsFound(reader, { type: "=", name: "job", value: "x" })).toEqual(["__name__ up job x"]);
    expect(() => memoryReader([{ labels: ["a", "1", "a", "2"], blocks: [] }])).toThrow(/the name "a" twice/);
  });

  test("unites series of one label set, and rows of blocks that overlap", async () => {
    const [early, late] = [steadyRows(0, 4, 10), steadyRows(20, 4, 5)];
    const reader = memoryReader([
      seriesOf("__name__=up", blockOf(late)),
      seriesOf("__name__=up", blockOf(steadyRows(100, 2, 10)), blockOf(early)),
    ]);
    const reading = reader.read(EVERYTHING);
    const found: ClientRow[] = [];
    for await (const { blocks } of reading) {
      found.push(...rowsOf(blocks));
    }
    expect(found.map(([timeMs]) => timeMs)).toEqual([0, 10, 20, 25, 30, 35, 100, 110]);
    expect(reading.report()).toMatchObject({ series: 1, united: 1 });
  });
});

describe("a reading of memoryReader", () => {
  test("keeps values bit for bit", async () => {
    const bits = ["7ff0000000000002", "8000000000000000", "7ff8000000000001", "7ff4000000000abc", "fff8000000000000"];
    const rows = bits.map((value, row): ClientRow => [row, value]);
    const found = await gather(memoryReader([seriesOf("__name__=up", blockOf(rows))]), { ...EVERYTHING, startMs: 1 });
    expect(found.flatMap(({ blocks }) => rowsOf(blocks))).toEqual(rows.slice(1));
  });

  test("can be cancelled between two series", async () => {
    const reader = memoryReader([seriesOf("__name__=a", blockOf(ROWS)), seriesOf("__name__=b", blockOf(ROWS))]);
    const controller = new AbortController();
    const found: string[] = [];
    const read = async (): Promise<void> => {
      for await (const { labels } of reader.read(EVERYTHING, { signal: controller.signal })) {
        found.push(labels.join(" "));
        controller.abort();
      }
    };
    await expect(read()).rejects.toMatchObject({ name: "RemoteReadError", code: "aborted" });
    expect(found).toEqual(["__name__ a"]);
  });

  test("reports what it did, under the name that it was given", async () => {
    const series = [seriesOf("__name__=up", encodedBlock(ROWS), blockOf(steadyRows(9000, 2)))];
    for (const [reader, name] of [
      [memoryReader(series), "memory"],
      [memoryReader(series, { name: "A" }), "A"],
    ] as const) {
      const reading = reader.read(EVERYTHING);
      for await (const { labels } of reading) {
        expect(labels).toEqual(["__name__", "up"]);
      }
      expect(reading.report()).toEqual({
        series: 1,
        united: 0,
        bytes: 0,
        blocksDecoded: 0,
        blocksPassedOn: 1,
        replicas: [{ name, isUnverifiable: false }],
      });
    }
  });
});
