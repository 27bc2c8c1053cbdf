/**
 * Made-up servers that merge their external labels in after they have sorted: what is read is everything, sorted and no set
 * twice, or `series-out-of-order`.
 */
import { compareLabelSets, type LabelSet } from "@promsplice/core";
import * as fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";

import { remoteReader, type RemoteReaderOptions } from "../src/client.ts";
import type { ReadOptions } from "../src/reader.ts";
import { answerWhole, stopServers, STREAMED_TYPE } from "./answering-server.ts";
import { concatenate } from "./bytes.ts";
import { EVERYTHING, frame, namesOf, type Outcome, readAll, readFrom, URL_OF_NOBODY } from "./client-exchange.ts";
import { labelsOf, steadyRows } from "./read-exchange.ts";
import { expectSortedOrRefused, type Sent } from "./sorted-twin.ts";

afterEach(stopServers);

/** An answer in these pieces, without a network. */
function answerInPieces(pieces: readonly Uint8Array[]): NonNullable<RemoteReaderOptions["fetch"]> {
  return async () => {
    const left = [...pieces];
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        const piece = left.shift();
        if (piece === undefined) {
          controller.close();
        } else {
          controller.enqueue(piece);
        }
      },
    });
    return new Response(body, { headers: { "Content-Type": STREAMED_TYPE } });
  };
}

function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const cuts = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  return cuts.slice(1).map((end, index) => bytes.slice(cuts[index], end));
}

/** A stored series and how many frames it takes. */
const storedSeries = fc.record({
  labels: fc.record(
    {
      a: fc.constantFrom("1", "2"),
      cluster: fc.constantFrom("b", "x"),
      m: fc.constantFrom("1", "2"),
      replica: fc.constantFrom("A", "B", "x"),
      s: fc.constantFrom("1", "2"),
    },
    { requiredKeys: [] },
  ),
  frames: fc.integer({ min: 1, max: 3 }),
});

function flatten(labels: Readonly<Record<string, string>>): LabelSet {
  return Object.entries(labels).toSorted(compareLabelSets).flat();
}

/** What is stored in the server's order, and as it is sent: with external labels of the value `x` where there are none. */
function sendAll(
  given: readonly { readonly labels: Readonly<Record<string, string>>; readonly frames: number }[],
  external: readonly string[],
): { readonly sent: Sent[]; readonly frames: Uint8Array[] } {
  const stored = new Map(given.map((one) => [flatten(one.labels).join(), one]));
  const sorted = [...stored.values()].toSorted((one, other) =>
    compareLabelSets(flatten(one.labels), flatten(other.labels)),
  );
  const sent: Sent[] = [];
  const frames: Uint8Array[] = [];
  for (const [id, one] of sorted.entries()) {
    const labels = flatten({ ...Object.fromEntries(external.map((name) => [name, "x"])), ...one.labels });
    const rows = steadyRows(1_700_000_000_000 + id, 2 * one.frames, 1000);
    sent.push({ labels, rows });
    for (let row = 0; row < rows.length; row += 2) {
      frames.push(frame(labels, rows.slice(row, row + 2)));
    }
  }
  return { sent, frames };
}

function read(frames: readonly Uint8Array[], cuts: readonly number[], options: ReadOptions): Promise<Outcome> {
  const fetch = answerInPieces(cutAt(concatenate(...frames), cuts));
  return readAll(remoteReader({ url: URL_OF_NOBODY, fetch }), EVERYTHING, options);
}

describe("a server that sorts before it merges its external labels in", () => {
  const external = fc.subarray(["cluster", "replica"]);
  const places = fc.array(fc.nat(5000), { maxLength: 12 });

  test("is always read sorted where it stores no labels of these names", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(storedSeries, { maxLength: 14 }),
        external,
        places,
        fc.boolean(),
        async (given, names, cuts, isWithout) => {
          const honest = given.map(({ labels, frames }) => ({
            labels: Object.fromEntries(Object.entries(labels).filter(([name]) => !names.includes(name))),
            frames,
          }));
          const { sent, frames } = sendAll(honest, names);
          const orderWithout = isWithout ? names : [];
          expect(expectSortedOrRefused(await read(frames, cuts, { orderWithout }), sent, orderWithout)).toBe("sorted");
        },
      ),
      { numRuns: 500 },
    );
  });

  test("is read sorted or refused whatever it stores, and always sorted where it is gathered", async () => {
    const counts = { sorted: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(
        fc.array(storedSeries, { maxLength: 14 }),
        external,
        places,
        fc.subarray(["replica", "m", "cluster"]),
        async (given, names, cuts, orderWithout) => {
          const { sent, frames } = sendAll(given, names);
          counts[expectSortedOrRefused(await read(frames, cuts, { orderWithout }), sent, orderWithout)]++;
          if (orderWithout.length > 0) {
            const alone = await read(frames, cuts, { orderWithout, isAlone: true });
            expect(expectSortedOrRefused(alone, sent, orderWithout)).toBe("sorted");
          }
        },
      ),
      { numRuns: 500 },
    );
    expect(counts.sorted).toBeGreaterThan(50);
    expect(counts.refused).toBeGreaterThan(50);
  });

  test("is read sorted where it holds the empty set and sets behind it", async () => {
    const labels = [{}, { a: "1" }, { a: "2" }, { m: "1" }];
    const { sent, frames } = sendAll(
      labels.map((one) => ({ labels: one, frames: 2 })),
      ["cluster"],
    );
    expect(sent.map((one) => one.labels.join(" "))).toEqual([
      "cluster x",
      "a 1 cluster x",
      "a 2 cluster x",
      "cluster x m 1",
    ]);
    for (const orderWithout of [[], ["cluster"]]) {
      const outcome = await readFrom(answerWhole(concatenate(...frames)), {}, EVERYTHING, { orderWithout });
      expect(expectSortedOrRefused(outcome, sent, orderWithout)).toBe("sorted");
      expect(namesOf(outcome.series)).toEqual(
        orderWithout.length === 0
          ? ["a 1 cluster x", "a 2 cluster x", "cluster x", "cluster x m 1"]
          : ["cluster x", "a 1 cluster x", "a 2 cluster x", "cluster x m 1"],
      );
    }
  });

  test("that steps back behind a set that was passed on is refused, both sets named, with what to do", async () => {
    for (const late of ["a=1", "a=2"]) {
      const body = concatenate(frame("a=2"), frame("a=3"), frame(late), frame("a=4"));
      const { error, series } = await readFrom(answerWhole(body));
      const [, value] = labelsOf(late);
      expect(error).toMatchObject({ code: "series-out-of-order", series: `{a="${value}"}` });
      expect(error!.message).toContain('after {a="2"} had been passed on');
      expect(error!.message).toMatch(/name them with `members`.*set `collect`/);
      expect(namesOf(series)).toEqual(["a 2"]);
    }
  });
});
