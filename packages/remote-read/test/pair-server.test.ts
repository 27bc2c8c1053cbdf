/** One server that holds both members of a pair: what is read is sorted and complete, or an error that says what to do. */
import { compareLabelSets, type LabelSet, penalty, type Series, withoutLabels } from "@promsplice/core";
import { afterEach, describe, expect, test } from "vitest";

import { remoteReader, type RemoteReaderOptions } from "../src/client.ts";
import type { Matcher } from "../src/reader.ts";
import { splicedReader } from "../src/spliced-reader.ts";
import { type Answer, answerCut, startServer, stopServers, STREAMED_TYPE } from "./answering-server.ts";
import { concatenate } from "./bytes.ts";
import { EVERYTHING, frame, namesOf, readAll, readFrom, rowsOf } from "./client-exchange.ts";
import { spliceNaively } from "./naive-splice.ts";
import { steadyRows } from "./read-exchange.ts";

afterEach(stopServers);

const REPLICA = ["replica"];
const STATUSES = ["200", "404", "500"];

/** In the server's order: `status` sorts after `replica`, so the statuses begin anew at each member. */
const PAIR: readonly LabelSet[] = ["A", "B"].flatMap((replica) =>
  STATUSES.map((status) => ["__name__", "http", "replica", replica, "status", status]),
);
const UNNAMED: LabelSet = ["__name__", "http", "replica", "C", "status", "404"];
const BARE: LabelSet = ["__name__", "http", "status", "200"];
const STORED: readonly LabelSet[] = [...PAIR, UNNAMED, BARE];

/** The samples of a series, told apart from those of all others. */
const rowsOfStored = (labels: LabelSet): ReturnType<typeof steadyRows> =>
  steadyRows(1_700_000_000_000 + 1000 * STORED.indexOf(labels), 4);

/** All that was stored, by the labels without `replica`, equal ones by the whole label set. */
function sortNaively(stored: readonly LabelSet[], orderWithout: readonly string[]): LabelSet[] {
  return stored.toSorted(
    (one, other) =>
      compareLabelSets(withoutLabels(one, orderWithout), withoutLabels(other, orderWithout)) ||
      compareLabelSets(one, other),
  );
}

function isMatched(labels: LabelSet, { type, name, value }: Matcher): boolean {
  const at = labels.indexOf(name);
  const held = at < 0 ? "" : labels[at + 1]!;
  const isEqual = type.endsWith("~") ? new RegExp(`^(?:${value})$`).test(held) : held === value;
  return isEqual === type.startsWith("=");
}

/** A server that holds these, in this order, in pieces of the network of 50 bytes. */
function serve(stored: readonly LabelSet[]): Answer {
  return (response, { message }) => {
    const { matchers } = message.queries[0]!;
    const held = stored.filter((labels) => matchers.every((matcher) => isMatched(labels, matcher)));
    const body = concatenate(...held.map((labels) => frame(labels, rowsOfStored(labels))));
    response.writeHead(200, { "Content-Type": STREAMED_TYPE });
    for (let at = 0; at < body.length; at += 50) {
      response.write(body.subarray(at, at + 50));
    }
    response.end();
  };
}

function setsOf(series: readonly Series[]): LabelSet[] {
  return series.map(({ labels }) => labels);
}

const named: Partial<RemoteReaderOptions> = { members: { replica: ["A", "B"] } };

describe("a server that holds both members of a pair", () => {
  test("is read in the order without their label where they are named, with what has none of their values", async () => {
    const { error, series, server, report } = await readFrom(serve(STORED), named, EVERYTHING, {
      orderWithout: REPLICA,
    });
    expect(error).toBeUndefined();
    expect(setsOf(series)).toEqual(sortNaively(STORED, REPLICA));
    for (const one of series) {
      const stored = STORED.find((labels) => compareLabelSets(labels, one.labels) === 0)!;
      expect(rowsOf(one)).toEqual(rowsOfStored(stored));
    }
    expect(report).toMatchObject({ series: STORED.length, united: 0 });
    expect(server.requests.map(({ message }) => message.queries[0]!.matchers.length)).toEqual([2, 2, 2]);
  });

  test("is read in the whole order by one request where they are not, and by three where they are", async () => {
    for (const options of [{}, named]) {
      const { error, series, server } = await readFrom(serve(STORED), options);
      expect(error).toBeUndefined();
      expect(setsOf(series)).toEqual(STORED);
      expect(server.requests).toHaveLength(options === named ? 3 : 1);
    }
  });

  test("steps back where they are not named, and the error says to name them", async () => {
    const { error, series } = await readFrom(serve(STORED), {}, EVERYTHING, { orderWithout: REPLICA });
    expect(error).toMatchObject({ code: "series-out-of-order", series: 'http{replica="B", status="200"}' });
    expect(error!.message).toContain('http{replica="A", status="404"}');
    expect(error!.message).toMatch(/name them with `members`/);
    expect(setsOf(series)).toEqual(PAIR.slice(0, series.length));
  });

  test("is gathered whole and sorted where it is read alone, before anything is passed on", async () => {
    const { error, series } = await readFrom(serve(STORED), {}, EVERYTHING, { orderWithout: REPLICA, isAlone: true });
    expect(error).toBeUndefined();
    expect(setsOf(series)).toEqual(sortNaively(STORED, REPLICA));
    // Nothing has come where the answer breaks off behind its last series.
    const bytes = concatenate(...PAIR.map((labels) => frame(labels)));
    const cut = answerCut("content-length", bytes, bytes.length + 1, STREAMED_TYPE);
    const broken = await readFrom(cut, {}, EVERYTHING, { orderWithout: REPLICA, isAlone: true });
    expect([broken.error?.code, broken.series]).toEqual(["body-truncated", []]);
  });

  test("over the bytes that may be gathered says to name them", async () => {
    const limits = { sortBytesMax: 1000 };
    const alone = { orderWithout: REPLICA, isAlone: true };
    const { error, series } = await readFrom(serve(STORED), { limits }, EVERYTHING, alone);
    expect(error).toMatchObject({ code: "limit-exceeded" });
    expect(error!.message).toMatch(/name them with `members`/);
    expect(series).toEqual([]);
    expect((await readFrom(serve(STORED), { limits, ...named }, EVERYTHING, alone)).error).toBeUndefined();
  });

  test("is spliced by itself, its members named or not", async () => {
    for (const options of [{}, named]) {
      const { url } = await startServer(serve(STORED));
      const spliced = splicedReader([remoteReader({ url, ...options })], {
        replicaLabels: REPLICA,
        strategy: penalty(),
      });
      const { error, series } = await readAll(spliced);
      expect(error).toBeUndefined();
      expect(setsOf(series)).toEqual(STATUSES.map((status) => ["__name__", "http", "status", status]));
      // The replicas go by the value of `replica`, the one without it first.
      const replicas = STATUSES.map((status) => [BARE, ...PAIR, UNNAMED].filter((labels) => labels.at(-1) === status));
      expect(series.map((one) => rowsOf(one))).toEqual(
        replicas.map((sets) => spliceNaively(sets.map((labels) => rowsOfStored(labels)))),
      );
    }
  });

  test("beside another server is left out where it steps back, with the error that says to name its members", async () => {
    const servers = [await startServer(serve(PAIR)), await startServer(serve([BARE]))];
    const spliced = splicedReader(
      servers.map(({ url }, index) => remoteReader({ url, name: String(index) })),
      { replicaLabels: REPLICA, strategy: penalty() },
    );
    const reading = spliced.read(EVERYTHING);
    const series: Series[] = [];
    for await (const one of reading) {
      series.push(one);
    }
    const [first, second] = reading.report().replicas;
    expect(first!.error).toMatchObject({ code: "series-out-of-order", message: expect.stringMatching(/`members`/) });
    expect(second!.error).toBeUndefined();
    expect(new Set(namesOf(series)).size).toBe(series.length);
  });
});
