/**
 * Pairs of which one replica, or both, answers as no good server would, end to end over real HTTP: what the client sees is the
 * expected splice and the report says what failed; or, where both fail, a status or a connection that breaks. Never a wrong
 * answer.
 */
import { penalty } from "@promsplice/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { remoteReader } from "../src/client.ts";
import type { Reader } from "../src/reader.ts";
import type { RemoteReadError, RemoteReadErrorCode } from "../src/remote-read-error.ts";
import { splicedReader } from "../src/spliced-reader.ts";
import { type Answer, type AnsweringServer, startServer, stopServers } from "./answering-server.ts";
import { CONTENT_FAULTS } from "./hostile/content-faults.ts";
import type { Fault, Form } from "./hostile/fault.ts";
import { countedOf, heldBy, type HeldSeries, QUERY, type Side, SIDES, spliceHeld } from "./hostile/pair.ts";
import { wholeAnswer } from "./hostile/sent.ts";
import { TRANSPORT_FAULTS } from "./hostile/transport-faults.ts";
import { BOTH, SAMPLES } from "./read-exchange.ts";
import { type ReaderServer, type Seen, type SeenSeries, startReaderServer } from "./served-pair.ts";

const FAULTS: readonly Fault[] = [...TRANSPORT_FAULTS, ...CONTENT_FAULTS];

const answers = new Map<string, Answer>();
let replicas: AnsweringServer;
let served: ReaderServer;
/** Where nobody listens any more. */
let closedUrl: string;

beforeAll(async () => {
  const closed = await startServer(() => {});
  closedUrl = closed.url;
  await stopServers();
  replicas = await startServer((response, request) => answers.get(request.path.split("?")[0]!)!(response, request));
  served = await startReaderServer();
});

afterAll(async () => {
  await served.stop();
  await stopServers();
});

let readers = 0;

/** A replica that answers so; one that is down where there is no answer. */
function readerOf(side: Side, form: Form, answer: Answer | undefined, timeouts: Fault["timeouts"]): Reader {
  const path = `/${readers++}`;
  if (answer !== undefined) {
    answers.set(path, answer);
  }
  return remoteReader({
    url: answer === undefined ? closedUrl : new URL(path, replicas.url).href,
    name: side,
    responseTypes: form === "frames" ? ["STREAMED_XOR_CHUNKS", "SAMPLES"] : ["SAMPLES"],
    timeouts,
  });
}

function hostileReader(side: Side, form: Form, fault: Fault): Reader {
  return readerOf(side, form, fault.answer?.(heldBy(side, true), form), fault.timeouts);
}

function wholeReader(side: Side, form: Form): Reader {
  return readerOf(side, form, wholeAnswer(heldBy(side, false), form), undefined);
}

function spliced(pair: readonly Reader[]): Reader {
  return splicedReader(pair, { replicaLabels: ["replica"], strategy: penalty() });
}

interface Case {
  readonly side: Side;
  /** The form in which the replicas answer, and the one in which the client is answered. */
  readonly form: Form;
  readonly type: number;
}

/** The forms in which the replicas answer, each with those in which the client is answered. */
function formsOf({ forms = ["frames", "samples"] }: Fault): (readonly [Form, number])[] {
  return forms.flatMap((form) => BOTH.map((type) => [form, type] as const));
}

/** All of them; where the replica is left out from the start, which makes them much alike, every other one. */
function casesOf(fault: Fault): Case[] {
  const cases = formsOf(fault).flatMap(([form, type]) => SIDES.map((side) => ({ side, form, type })));
  return cases.some(({ form }) => codeOf(fault, form) === undefined || !isFromStart(fault, form))
    ? cases
    : cases.filter(({ side, form, type }) => (side === "A") === ((form === "samples") === (type === SAMPLES)));
}

/** Whether nothing of a replica counts, in what form it ever answers. */
function isFromStart({ from, atLatest }: Fault, form: Form): boolean {
  return form === "samples" || (from === undefined && atLatest === undefined);
}

function codeOf({ code }: Fault, form: Form): RemoteReadErrorCode | undefined {
  return typeof code === "object" ? code[form] : code;
}

function sentBy({ sent = (held) => held }: Fault, side: Side, form: Form): readonly HeldSeries[] {
  return sent(heldBy(side, true), form);
}

describe("a pair whose other replica is whole, of which one", () => {
  test.concurrent.each(FAULTS.map((fault) => [fault.title, fault] as const))("%s", async (_, fault) => {
    await Promise.all(
      casesOf(fault).map(async (one) => {
        const { side, form, type } = one;
        const pair = SIDES.map((each) => (each === side ? hostileReader(side, form, fault) : wholeReader(each, form)));
        const seen = await served.read(spliced(pair), QUERY, type);
        const hostile = seen.report.replicas[SIDES.indexOf(side)]!;
        const what = JSON.stringify(one);
        expect([seen.how, seen.status, seen.text], what).toEqual(["whole", 200, ""]);
        checkReport(fault, one, seen);
        const held = SIDES.map((each) =>
          each === side ? countedOf(sentBy(fault, side, form), hostile) : heldBy(each, false),
        );
        expect(seen.series, what).toEqual(spliceHeld(held));
      }),
    );
  });
});

/** That the report, and the header, say what failed, of whom, and from where. */
function checkReport(fault: Fault, { side, form, type }: Case, { partial, report }: Seen): void {
  const code = codeOf(fault, form);
  const what = `${form} ${side}`;
  const [hostile, whole] = [side, side === "A" ? "B" : "A"].map((name) =>
    report.replicas.find((replica) => replica.name === name)!,
  );
  expect(whole, what).toEqual({ name: whole!.name, error: undefined, leftOutFrom: undefined, isUnverifiable: false });
  expect((hostile!.error as RemoteReadError | undefined)?.code, what).toBe(code);
  expect((hostile!.error as RemoteReadError | undefined)?.replica, what).toBe(code === undefined ? undefined : side);
  expect(hostile!.isUnverifiable, what).toBe(fault.isUnverifiable ?? false);
  if (code === undefined) {
    expect([hostile!.leftOutFrom, partial], what).toEqual([undefined, undefined]);
    return;
  }
  const { leftOutFrom } = hostile!;
  if (isFromStart(fault, form)) {
    expect(leftOutFrom, what).toBeUndefined();
  } else if (fault.from === undefined) {
    expect(leftOutFrom === undefined || leftOutFrom <= fault.atLatest!, `${what}: ${leftOutFrom}`).toBe(true);
  } else {
    expect(leftOutFrom, what).toBe(fault.from);
  }
  // What is known before the first byte is in the header.
  const isKnown = type === SAMPLES || leftOutFrom === undefined || leftOutFrom === "m1";
  if (isKnown || partial !== undefined) {
    expect(partial, what).toBe(side);
  }
}

describe("a pair of which both replicas fail, as one", () => {
  const reported = FAULTS.filter(({ code }) => code !== undefined);

  test.concurrent.each(reported.map((fault) => [fault.title, fault] as const))("%s", async (_, fault) => {
    await Promise.all(
      formsOf(fault)
        .filter(([form]) => codeOf(fault, form) !== undefined)
        .map(async ([form, type]) => {
          const what = `${form} ${type}`;
          const pair = SIDES.map((side) => hostileReader(side, form, fault));
          const reading = served.read(spliced(pair), QUERY, type);
          if (fault.isPassedOn === true && type !== SAMPLES) {
            // Once it is alone a replica's chunks are passed on as they came: the client that decodes them sees it.
            await expect(reading, what).rejects.toThrow(/chunk is|chunk claims/);
            return;
          }
          const seen = await reading;
          if (type === SAMPLES || isFromStart(fault, form) || seen.how === "refused") {
            expect([seen.how, seen.status], what).toEqual(["refused", 500]);
            expect(seen.text, what).toMatch(
              fault.isPassedOn === true ? /chunk/ : /^2 of 2 replicas failed: A: .*; B: /,
            );
          } else {
            expect([seen.how, seen.status], what).toEqual(["broken", 200]);
          }
          // Where the fault stands in the bytes, m1 comes before it.
          if (type !== SAMPLES && !isFromStart(fault, form) && fault.from !== undefined) {
            expect(seen.how, what).toBe("broken");
          }
          expectBeginning(fault, form, seen.series);
          for (const { error } of seen.report.replicas) {
            expect((error as RemoteReadError | undefined)?.code ?? codeOf(fault, form), what).toBe(codeOf(fault, form));
          }
        }),
    );
  });
});

/** That these are the first series of the splice, of both replicas as long as none is missing, then of the other alone. */
function expectBeginning(fault: Fault, form: Form, series: readonly SeenSeries[]): void {
  const held = SIDES.map((side) => sentBy(fault, side, form));
  const beginnings = [held, ...held.map((mine) => [mine])].map((some) => new Map(spliceHeld(some)));
  const names = [...beginnings[0]!.keys()].slice(0, series.length);
  expect(series.map(([name]) => name)).toEqual(names);
  const isOf = (index: number, [name, rows]: SeenSeries): boolean =>
    JSON.stringify(beginnings[index]!.get(name)) === JSON.stringify(rows);
  const firstOther = series.findIndex((one) => !isOf(0, one));
  const rest = firstOther < 0 ? [] : series.slice(firstOther);
  expect(rest.every((one) => isOf(1, one)) || rest.every((one) => isOf(2, one))).toBe(true);
}
