/** One cut of a recording, and what must come of it. */
// oxlint-disable vitest/no-standalone-expect -- the campaign is the test, and calls these methods
import { penalty } from "@promsplice/core";
import { expect } from "vitest";

import { seededRandom } from "../../../core/test/random.ts";
import { remoteReader } from "../../src/client.ts";
import type { Reader, ReplicaReport } from "../../src/reader.ts";
import { RemoteReadError } from "../../src/remote-read-error.ts";
import { splicedReader } from "../../src/spliced-reader.ts";
import { BOTH, queryOf, SAMPLES } from "../read-exchange.ts";
import type { Seen, SeenSeries } from "../served-pair.ts";
import type { Transport } from "./cut-transport.ts";
import { CUTS, type CutPlace, FIRST, isUnseen, NAMES, type Pair, PAIRS, SECOND, WAYS } from "./recorded-cuts.ts";

const QUERY = queryOf([["=", "job", "t"]]);
/** A prime that goes through all cuts, in leaps. */
const STRIDE = 7919;

/** What came of it. */
export interface Counts {
  realCuts: number;
  unseenCuts: number;
  /** Reads that were answered whole, and those of them of which a replica was left out after its first series. */
  whole: number;
  leftOut: number;
  /** Reads of two cut replicas. */
  refused: number;
  broken: number;
}

/** One cut: read with the other replica whole, and with the other cut as well. */
export class CutCase {
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
    const cannotBeSeen = this.#isUnseen(this.#side, this.#place);
    await this.#checkAnswer(this.#placesWith(undefined));
    const other = this.#otherPlace();
    await (cannotBeSeen ? this.#checkAnswer(this.#placesWith(other)) : this.#checkFailure(this.#placesWith(other)));
    this.#counts.unseenCuts += cannotBeSeen ? 1 : 0;
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
    this.#counts.leftOut++;
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
