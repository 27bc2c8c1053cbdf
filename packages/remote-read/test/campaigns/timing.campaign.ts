/** The bytes of a spliced answer do not depend on when the replicas' bytes come: not on the order of who answers, not on pieces. */
import { compareLabelSets, formatLabelSet, type LabelSet, penalty } from "@promsplice/core";
import { expect } from "vitest";

import { seededRandom } from "../../../core/test/random.ts";
import { remoteReader, type RemoteReaderOptions } from "../../src/client.ts";
import { readHandler } from "../../src/handler.ts";
import { decodeReadRequest } from "../../src/read-request.ts";
import { splicedReader } from "../../src/spliced-reader.ts";
import { uncompressSnappy } from "../../src/wire/snappy.ts";
import { concatenate } from "../bytes.ts";
import { frame } from "../client-exchange.ts";
import { spliceNaively } from "../naive-splice.ts";
import { answerOf, BOTH, EVERYTHING, type Handler, post, STREAMED_TYPE } from "../read-exchange.ts";
import { type ClientAnswer, type ClientRow, readStrictly } from "../strict-client.ts";
import { campaign } from "./campaign.ts";

/** So many of them run at the same time, which makes their timing vary the more. */
const TOGETHER = 10;
const SERIES = 200;
const REPLICAS = ["A", "B", "C"];

/** A series of one replica as its server sends it; the same label set may come again after another. */
interface Sent {
  readonly labels: LabelSet;
  readonly rows: ClientRow[];
}

/** Scrapes each 15 s with gaps of some of them. */
function scrape(random: () => number, offsetMs: number): ClientRow[] {
  const rows: ClientRow[] = [];
  for (let number = 0, gapEnd = 0; number < 12; number++) {
    gapEnd = random() < 0.1 ? number + 2 + Math.floor(random() * 3) : gapEnd;
    if (number >= gapEnd) {
      const low = Math.floor(random() * 2 ** 32)
        .toString(16)
        .padStart(8, "0");
      rows.push([1_700_000_000_000 + number * 15_000 + offsetMs, `3ff00000${low}`]);
    }
  }
  return rows;
}

/**
 * The answers of the replicas: of the first all series, of the others every second and every third. Every fourteenth comes
 * twice, and another one, which sorts before it, in between.
 */
function makeAnswers(random: () => number): Sent[][] {
  return REPLICAS.map((replica, index) => {
    const sent: Sent[] = [];
    for (let number = 100; number < 100 + SERIES; number++) {
      const name = ["__name__", `m${number}`];
      const labels = [...name, "cluster", "c", "replica", replica];
      const rows = scrape(random, 700 * index);
      if (number % 14 === 0) {
        sent.push({ labels, rows: rows.slice(0, -1) });
        sent.push({ labels: [...name, "a", "1", ...labels.slice(2)], rows: scrape(random, 700 * index) });
        sent.push({ labels, rows: rows.slice(1) });
      } else if (number % (index + 1) === 0) {
        sent.push({ labels, rows });
      }
    }
    return sent;
  });
}

/** A label set without its last label, the replica's. */
function bare(labels: LabelSet): LabelSet {
  return labels.slice(0, labels.indexOf("replica"));
}

/** What comes out, made step by step: equal label sets united, then spliced. */
function spliceAll(
  answers: readonly (readonly Sent[])[],
): { readonly labels: string; readonly rows: readonly ClientRow[] }[] {
  const all = new Map(answers.flat().map(({ labels }) => [formatLabelSet(bare(labels)), bare(labels)]));
  return [...all.values()].toSorted(compareLabelSets).map((labels) => {
    const replicas = answers
      .map((sent) => sent.filter((one) => compareLabelSets(bare(one.labels), labels) === 0))
      .map((equal) => [...new Map(equal.flatMap(({ rows }) => rows))].toSorted(([one], [other]) => one - other))
      .filter((rows) => rows.length > 0);
    return { labels: labels.join(" "), rows: spliceNaively(replicas) };
  });
}

/** Waits for nothing, for some turns of the microtasks, or for some of the event loop. */
async function pause(random: () => number): Promise<void> {
  const kind = random();
  const turns = kind < 0.4 ? 0 : 1 + Math.floor(random() * 3);
  for (let turn = 0; turn < turns; turn++) {
    await (kind > 0.8 ? new Promise(setImmediate) : undefined);
  }
}

/** A server that answers with these, in pieces and with pauses at random. */
function serve(answers: ReadonlyMap<string, Uint8Array>, random: () => number): RemoteReaderOptions["fetch"] {
  return async (_, { body }) => {
    const { queries } = decodeReadRequest(uncompressSnappy(body as Uint8Array, 1 << 20));
    const matcher = queries[0]!.matchers.at(-1)!;
    const bytes = matcher.name === "replica" ? (answers.get(matcher.value) ?? NOTHING) : answers.get("A")!;
    const pieceBytes = 500 + random() * bytes.length;
    let at = 0;
    await pause(random);
    return new Response(
      new ReadableStream<Uint8Array>({
        pull: async (controller) => {
          await pause(random);
          if (at === bytes.length) {
            controller.close();
          } else {
            const end = Math.min(bytes.length, at + 1 + Math.floor(random() * pieceBytes));
            controller.enqueue(bytes.slice(at, end));
            at = end;
          }
        },
      }),
      { headers: { "Content-Type": STREAMED_TYPE } },
    );
  };
}

const NOTHING = new Uint8Array(0);

function checkSpliced(answer: ClientAnswer, sent: readonly (readonly Sent[])[]): void {
  const [series] = readStrictly(answer, [EVERYTHING]);
  expect(series!.length).toBeGreaterThanOrEqual(SERIES);
  expect(series!.map(({ labels, rows }) => ({ labels: labels.join(" "), rows }))).toEqual(spliceAll(sent));
}

campaign(
  "answers of 200 series with gaps on all sides are the same bytes whenever what comes",
  { count: 1000, of: "answers", seconds: 4 },
  async (cases) => {
    const sent = makeAnswers(seededRandom(11));
    const [a, b, c] = sent.map((series) => concatenate(...series.map(({ labels, rows }) => frame(labels, rows))));
    const both = new Map([
      ["B", b!],
      ["C", c!],
    ]);
    const makeHandler = (random: () => number): Handler => {
      const one = { url: "http://a/", fetch: serve(new Map([["A", a!]]), random) };
      const other = { url: "http://b/", fetch: serve(both, random), members: { replica: ["B", "C"] } };
      const readers = [one, other].map((options) => remoteReader(options));
      return readHandler(splicedReader(readers, { replicaLabels: ["replica"], strategy: penalty() }));
    };
    const read = async (seed: number, type: number): Promise<ClientAnswer> =>
      answerOf(await post(makeHandler(seededRandom(seed)), [EVERYTHING], [type]));
    const first = new Map<number, Uint8Array>();
    for (const type of BOTH) {
      const answer = await read(12, type);
      checkSpliced(answer, sent);
      first.set(type, answer.body);
    }
    const seeds = cases[Symbol.iterator]();
    const repeat = async (): Promise<void> => {
      for (let next = seeds.next(); next.done !== true; next = seeds.next()) {
        const type = BOTH[next.value & 1]!;
        const { body } = await read(next.value, type);
        if (Buffer.compare(body, first.get(type)!) !== 0) {
          throw new Error(`seed ${next.value}: the answer of type ${type} has other bytes`);
        }
      }
    };
    await Promise.all(Array.from({ length: TOGETHER }, repeat));
    return { together: TOGETHER };
  },
);
