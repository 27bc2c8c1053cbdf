/**
 * Recordings of a real pair, cut at every byte, in each way in which a transport can tell of a cut or not. Every fourth cut
 * goes over real sockets, from the replicas to what splices them and from there to a strict client.
 *
 *     one replica cut       the expected splice: of that one what comes before the series that the report names
 *     both of them cut      a status before the first byte, a broken connection after it
 *     a cut that cannot     a body that ends cleanly at the end of a frame, or before the first one: the answer of that
 *       be seen             prefix, and nothing is reported
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { compareLabelSets, formatLabelSet, penalty } from "@promsplice/core";
import { expect } from "vitest";

import { seededRandom } from "../../../core/test/random.ts";
import { remoteReader, type RemoteReaderOptions } from "../../src/client.ts";
import type { Reader, ReplicaReport } from "../../src/reader.ts";
import { RemoteReadError } from "../../src/remote-read-error.ts";
import { splicedReader } from "../../src/spliced-reader.ts";
import { type Answer, answerCut, answerWhole, type Cut, SAMPLES_TYPE, STREAMED_TYPE } from "../answering-server.ts";
import { spliceNaively } from "../naive-splice.ts";
import { BOTH, queryOf, SAMPLES } from "../read-exchange.ts";
import { readExchange, readRecording, type RecordedSample } from "../recording.ts";
import { type ReadServed, readWithoutServer, type Seen, type SeenSeries, startReaderServer } from "../served-pair.ts";
import type { ClientRow } from "../strict-client.ts";
import { campaign } from "./campaign.ts";

const NAMES = ["a", "b"];
/** Replicas as bits: the first, the second, both. */
const FIRST = 1;
const SECOND = 2;
const QUERY = queryOf([["=", "job", "t"]]);
const READS_AT_A_TIME = 4;

/** How a cut is told; `clean` not at all: by all that HTTP says the body ends there. */
type Way = Cut | "clean";
const WAYS: readonly Way[] = ["content-length", "chunked", "reset", "clean"];

/** What one replica answers. */
interface Recorded {
  readonly body: Uint8Array;
  readonly isSamples: boolean;
  /** The offset behind each frame; none of samples. */
  readonly ends: readonly number[];
  /** In order. */
  readonly series: readonly RecordedSeries[];
}

interface RecordedSeries {
  /** Without `replica`. */
  readonly labels: readonly string[];
  readonly rows: readonly ClientRow[];
}

/** A recorded pair; both hold the same series. */
interface Pair {
  readonly replicas: readonly Recorded[];
  /** Of each series its labels as reports have them, and as a client sees it if it is of these replicas, given as bits. */
  readonly series: readonly { readonly name: string; readonly seen: readonly string[] }[];
}

interface CutPlace {
  readonly offset: number;
  readonly way: Way;
}

const PAIRS = ["t_lat_bucket.*.chunks", "t_requests_total.*.samples"].map(readPair);

/** Every cut: each byte of each recording in each way. */
const EVERY_CUT = PAIRS.flatMap((pair) =>
  pair.replicas.flatMap(({ body }, side) =>
    Array.from({ length: body.length }, (_, offset) => offset).flatMap((offset) =>
      WAYS.map((way) => ({ pair, side, offset, way })),
    ),
  ),
);
/** Those that cannot be seen are few: they come more often, so that short runs meet some. */
const CUTS = [
  ...EVERY_CUT,
  ...Array.from({ length: 50 }, () => EVERY_CUT.filter((cut) => isUnseen(cut.pair.replicas[cut.side]!, cut))).flat(),
];
/** A prime that goes through all of them, in leaps. */
const STRIDE = 7919;
const REAL_EVERY = 4;

campaign("recordings of a pair cut at every byte", { count: CUTS.length, of: "cuts", seconds: 5 }, async (cases) => {
  const replicas = await startReplicas();
  const served = await startReaderServer();
  const counts = { "over real sockets": 0, whole: 0, unseen: 0, "left out in mid-answer": 0, refused: 0, broken: 0 };
  const real: Transport = {
    read: served.read,
    replica: (path) => ({ url: `http://127.0.0.1:${replicas.port}${path}` }),
  };
  const work = async (): Promise<void> => {
    for (const seed of cases) {
      const isReal = (seed >>> 0) % REAL_EVERY === 0;
      await new CutCase(seed, isReal ? real : simulated, counts).check();
      counts["over real sockets"] += isReal ? 1 : 0;
    }
  };
  try {
    await Promise.all(Array.from({ length: READS_AT_A_TIME }, work));
  } finally {
    await served.stop();
    replicas.stop();
  }
  return { ...counts, "wrong answers": 0 };
});

type Counts = Record<
  "over real sockets" | "whole" | "unseen" | "left out in mid-answer" | "refused" | "broken",
  number
>;

/** One cut: read with the other replica whole, and with the other cut as well. */
class CutCase {
  readonly #random: () => number;
  /** Where the replicas are, and what reads; over real sockets or without them. */
  readonly #transport: Transport;
  readonly #counts: Counts;
  readonly #pair: Pair;
  readonly #side: number;
  readonly #place: CutPlace;

  constructor(seed: number, transport: Transport, counts: Counts) {
    const { pair, side, offset, way } = CUTS[((seed >>> 0) * STRIDE) % CUTS.length]!;
    this.#random = seededRandom(seed);
    this.#transport = transport;
    this.#counts = counts;
    this.#pair = pair;
    this.#side = side;
    this.#place = { offset, way };
  }

  async check(): Promise<void> {
    const isUnseen = this.#isUnseen(this.#side, this.#place);
    await this.#checkAnswer(this.#placesWith(undefined));
    const other = this.#otherPlace();
    await (isUnseen ? this.#checkAnswer(this.#placesWith(other)) : this.#checkFailure(this.#placesWith(other)));
    this.#counts.unseen += isUnseen ? 1 : 0;
  }

  /** Where the replicas are cut; undefined for one that is whole. */
  #placesWith(other: CutPlace | undefined): (CutPlace | undefined)[] {
    return NAMES.map((_, side) => (side === this.#side ? this.#place : other));
  }

  /** A cut of the other replica that can be seen. */
  #otherPlace(): CutPlace {
    const side = 1 - this.#side;
    const offset = Math.floor(this.#random() * this.#pair.replicas[side]!.body.length);
    const place = { offset, way: WAYS[Math.floor(this.#random() * WAYS.length)]! };
    return this.#isUnseen(side, place) ? { offset, way: "chunked" } : place;
  }

  #isUnseen(side: number, place: CutPlace): boolean {
    return isUnseen(this.#pair.replicas[side]!, place);
  }

  async #read(places: readonly (CutPlace | undefined)[]): Promise<[Seen, number]> {
    const pair = PAIRS.indexOf(this.#pair);
    const readers = places.map((place, side): Reader => {
      const { body, isSamples } = this.#pair.replicas[side]!;
      const { way, offset } = place ?? { way: "clean", offset: body.length };
      return remoteReader({
        ...this.#transport.replica(`/${pair}/${side}/${way}/${offset}`),
        name: NAMES[side],
        responseTypes: [isSamples ? "SAMPLES" : "STREAMED_XOR_CHUNKS"],
      });
    });
    const type = BOTH[Math.floor(this.#random() * BOTH.length)]!;
    const reader = splicedReader(readers, { replicaLabels: ["replica"], strategy: penalty() });
    return [await this.#transport.read(reader, QUERY, type), type];
  }

  /** One replica is whole, by all that can be seen. */
  async #checkAnswer(places: readonly (CutPlace | undefined)[]): Promise<void> {
    const [seen, type] = await this.#read(places);
    expect([seen.how, seen.status, seen.text]).toEqual(["whole", 200, ""]);
    const [first, second] = places.map((place, side) => this.#givenOf(side, place, seen, type));
    const wrong = first!.flatMap((givenByFirst) =>
      second!.map((givenBySecond) => this.#findWrong(seen, [givenByFirst, givenBySecond])),
    );
    expect(wrong).toContain(undefined);
    this.#counts.whole++;
  }

  /** What is wrong in a whole answer, if the replicas have given so many series; undefined if nothing is. */
  #findWrong({ series }: Seen, given: readonly number[]): string | undefined {
    const expected = this.#pair.series.slice(0, Math.max(...given)).map(({ seen }, index) => {
      const from = (index < given[0]! ? FIRST : 0) | (index < given[1]! ? SECOND : 0);
      return seen[from]!;
    });
    if (series.length !== expected.length) {
      return `${series.length} series, expected ${expected.length}`;
    }
    const wrong = series.find((one, index) => textOf(one) !== expected[index]);
    return wrong === undefined ? undefined : `series ${wrong[0]} of ${given.join(" and ")}`;
  }

  /** Checks what is reported of a replica; answers how many of its series count: one number, or one of two. */
  #givenOf(side: number, place: CutPlace | undefined, seen: Seen, type: number): number[] {
    const { ends, isSamples } = this.#pair.replicas[side]!;
    const { partial, report } = seen;
    const replica = report.replicas[side]!;
    expect([replica.name, replica.isUnverifiable]).toEqual([NAMES[side], false]);
    if (place === undefined || this.#isUnseen(side, place)) {
      expect([replica.error, replica.leftOutFrom]).toEqual([undefined, undefined]);
      return [place === undefined ? this.#pair.series.length : ends.indexOf(place.offset) + 1];
    }
    checkError(replica, place, isSamples);
    expect([undefined, NAMES[side]]).toContain(partial);
    const { leftOutFrom } = replica;
    const givenMax = this.#givenMax(side, place);
    if (leftOutFrom === undefined) {
      // None at all, or all that the answer has: where the other ends too, no series comes without it.
      const all = seen.series.length;
      const isAll = all < this.#pair.series.length && all <= givenMax;
      expect(partial === undefined && !isAll).toBe(false);
      return isAll ? [0, all] : [0];
    }
    const given = this.#pair.series.findIndex(({ name }) => name === leftOutFrom);
    // What the transport says of a cut may overtake what came before it.
    const isRight = place.way === "clean" ? given === givenMax : given > 0 && given <= givenMax;
    expect(isRight, `left out from series ${given}, of ${givenMax} that are whole`).toBe(true);
    expect(type === SAMPLES && partial === undefined).toBe(false);
    this.#counts["left out in mid-answer"]++;
    return [given];
  }

  /** How many series a replica cut there can have given: the last one whose frame is whole still waits for its place. */
  #givenMax(side: number, { offset }: CutPlace): number {
    const whole = this.#pair.replicas[side]!.ends.filter((end) => end <= offset).length;
    return Math.max(0, whole - 1);
  }

  /** Both are cut, and it can be seen. */
  async #checkFailure(places: readonly (CutPlace | undefined)[]): Promise<void> {
    const [seen, type] = await this.#read(places);
    const givenMax = places.map((place, side) => this.#givenMax(side, place!));
    if (seen.how === "refused") {
      expect([seen.status, seen.text]).toEqual([
        500,
        expect.stringMatching(/^2 of 2 replicas failed: a: .*; b: .*\n$/),
      ]);
    }
    const isGiven = Math.max(...givenMax) > 1 && places.every((place) => place!.way === "clean");
    const isNotGiven = type === SAMPLES || Math.max(...givenMax) === 0;
    expect(isGiven && !isNotGiven ? ["broken"] : isNotGiven ? ["refused"] : ["refused", "broken"]).toContain(seen.how);
    const series = seen.series.map(textOf);
    expect(
      [0, 1].some((alone) => this.#isBeginning(series, alone, givenMax)),
      `${series.length} series`,
    ).toBe(true);
    for (const [side, replica] of seen.report.replicas.entries()) {
      checkError(replica, places[side]!, this.#pair.replicas[side]!.isSamples);
    }
    this.#counts[seen.how]++;
  }

  /** Whether these are the first series, of both replicas up to some place and of one alone from there on. */
  #isBeginning(series: readonly string[], alone: number, givenMax: readonly number[]): boolean {
    let index = 0;
    while (index < Math.min(series.length, ...givenMax) && this.#is(series, index, FIRST | SECOND)) {
      index++;
    }
    while (index < Math.min(series.length, givenMax[alone]!) && this.#is(series, index, alone === 0 ? FIRST : SECOND)) {
      index++;
    }
    return index === series.length;
  }

  #is(series: readonly string[], index: number, from: number): boolean {
    return series[index] === this.#pair.series[index]!.seen[from];
  }
}

const texts = new WeakMap<SeenSeries, string>();

/** A series as text, to be compared; made once of each. */
function textOf(series: SeenSeries): string {
  const text = texts.get(series) ?? JSON.stringify(series);
  texts.set(series, text);
  return text;
}

function checkError({ error, name }: ReplicaReport, { way }: CutPlace, isSamples: boolean): void {
  expect(error).toBeInstanceOf(RemoteReadError);
  const { code, replica } = error as RemoteReadError;
  const cleanCode = isSamples ? "snappy-corrupt" : "frame-truncated";
  expect([replica, code]).toEqual([name, way === "clean" ? cleanCode : "body-truncated"]);
}

function isUnseen({ ends, isSamples }: Recorded, { offset, way }: CutPlace): boolean {
  return way === "clean" && !isSamples && (offset === 0 || ends.includes(offset));
}

/** How replicas are reached, whose paths say what they answer, `/pair/side/way/offset`, and how the splice of them is read. */
interface Transport {
  readonly replica: (path: string) => Pick<RemoteReaderOptions, "url" | "fetch">;
  readonly read: ReadServed;
}

const simulated: Transport = {
  replica: (path) => ({ url: `http://replica.invalid${path}`, fetch: async () => simulate(path) }),
  read: readWithoutServer,
};

/** What `fetch` makes of a cut; of a short length it says nothing here, which the reader then has to. */
function simulate(path: string): Response {
  const { bytes, contentType, way, wholeLength } = readPath(path);
  const half = bytes.length >> 1;
  const pieces = [bytes.subarray(0, half), bytes.subarray(half)].filter(({ length }) => length > 0);
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      const piece = pieces.shift();
      if (piece !== undefined) {
        // A piece is the reader's own.
        controller.enqueue(piece.slice());
      } else if (way === "chunked" || way === "reset") {
        controller.error(new TypeError("terminated"));
      } else {
        controller.close();
      }
      if (way === "reset" && pieces.length === 1) {
        controller.error(new TypeError("terminated", { cause: new Error("read ECONNRESET") }));
      }
    },
  });
  const length = way === "content-length" ? { "Content-Length": String(wholeLength) } : undefined;
  return new Response(body, {
    headers: { "Content-Type": contentType, ...(length ?? { "Transfer-Encoding": "chunked" }) },
  });
}

async function startReplicas(): Promise<{ readonly port: number; readonly stop: () => void }> {
  const server = createServer((request, response) => {
    const { bytes, contentType, way, wholeLength } = readPath(request.url!);
    const answer: Answer =
      way === "clean" ? answerWhole(bytes, contentType) : answerCut(way, bytes, wholeLength, contentType);
    request.resume().on("end", () => answer(response, undefined as never));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const stop = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { port: (server.address() as AddressInfo).port, stop };
}

function readPath(path: string): {
  readonly bytes: Uint8Array;
  readonly contentType: string;
  readonly way: Way;
  readonly wholeLength: number;
} {
  const [, pair, side, way, offset] = path.split("/");
  const { body, isSamples } = PAIRS[Number(pair)]!.replicas[Number(side)]!;
  return {
    bytes: body.subarray(0, Number(offset)),
    contentType: isSamples ? SAMPLES_TYPE : STREAMED_TYPE,
    way: way as Way,
    wholeLength: body.length,
  };
}

function readPair(pattern: string): Pair {
  const replicas = NAMES.map((name) => readRecorded(`ha-pair/${pattern.replace("*", name)}`));
  const series = replicas[0]!.series.map(({ labels }, index) => {
    const mine = replicas.map((replica) => replica.series[index]!);
    expect(mine.map((one) => one.labels)).toEqual([labels, labels]);
    const rows = mine.map((one) => one.rows);
    const seen = [[], [rows[0]!], [rows[1]!], rows].map((some) =>
      JSON.stringify([labels.join(" "), spliceNaively(some)]),
    );
    return { name: formatLabelSet(labels), seen };
  });
  expect(replicas[1]!.series).toHaveLength(series.length);
  return { replicas, series };
}

function readRecorded(name: string): Recorded {
  const body = readRecording(`${name}.resp.bin`);
  const { frames, results } = readExchange(name).response.decoded!;
  const recorded = frames?.flatMap(({ chunked_series }) => chunked_series) ?? results![0]!.timeseries;
  const series = recorded.map((one): RecordedSeries => {
    const samples = "chunks" in one ? one.chunks.flatMap((chunk) => chunk.samples) : one.samples;
    return {
      labels: one.labels.filter(([label]) => label !== "replica").flat(),
      rows: (samples as readonly RecordedSample[]).map(([t, , bits]) => [Number(t), bits]),
    };
  });
  return {
    body,
    isSamples: frames === undefined,
    ends: frames === undefined ? [] : [...frames.slice(1).map(({ offset }) => offset), body.length],
    series: series.toSorted((one, other) => compareLabelSets(one.labels, other.labels)),
  };
}
