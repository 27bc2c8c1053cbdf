/**
 * A chunk of one replica that does not decode: what is read, and served, of the pair. The replicas are answers in frames, read
 * by the client.
 */
import { penalty } from "@promsplice/core";
import { describe, expect, test } from "vitest";

import { type EncodedChunk, encodeBlock } from "../src/chunk/chunk-block.ts";
import { encodeChunkedSeries } from "../src/chunked-response.ts";
import { remoteReader } from "../src/client.ts";
import { readHandler } from "../src/handler.ts";
import type { Reader, ReadReport } from "../src/reader.ts";
import { RemoteReadError } from "../src/remote-read-error.ts";
import { splicedReader } from "../src/spliced-reader.ts";
import { concatenate, toHex } from "./bytes.ts";
import { answering, rowsOf, URL_OF_NOBODY } from "./client-exchange.ts";
import { spliceNaively } from "./naive-splice.ts";
import {
  answerOf,
  blockOf,
  BOTH,
  cutRows,
  EVERYTHING,
  failureOf,
  labelsOf,
  post,
  SAMPLES,
  steadyRows,
  STREAMED,
  STREAMED_TYPE,
} from "./read-exchange.ts";
import { type ClientRow, readStrictly } from "./strict-client.ts";

const NAMES = ["m1", "m2", "m3"];
const WHOLE = steadyRows(1_700_000_000_000, 200);
/** The first replica has a gap in its third chunk: from there on the second is taken, up to its own gap in its sixth. */
const A = WHOLE.filter((_, row) => row < 50 || row >= 60);
const B = steadyRows(1_700_000_002_000, 200).filter((_, row) => row < 105 || row >= 115);

/** Where a replica's answer is broken: which series, which of its chunks of 20 rows. */
interface Break {
  readonly name: string;
  readonly chunk: number;
}

/** The chunks of a series; the broken one breaks off in the middle of its samples. */
function chunksOf(rows: readonly ClientRow[], brokenIndex: number | undefined): EncodedChunk[] {
  return cutRows(rows, [20]).map((piece, index) => {
    const [chunk] = encodeBlock(blockOf(piece));
    return index === brokenIndex ? { ...chunk!, data: chunk!.data.slice(0, chunk!.data.length >> 1) } : chunk!;
  });
}

/** A server that holds the three series. */
function replicaReader(replica: string, rows: readonly ClientRow[], broken: Break | undefined): Reader {
  const frames = NAMES.map((name) => {
    const chunks = chunksOf(rows, broken?.name === name ? broken.chunk : undefined);
    return encodeChunkedSeries(labelsOf(`__name__=${name},replica=${replica}`), chunks, 0);
  });
  const body = concatenate(...frames);
  const headers = { "Content-Type": STREAMED_TYPE, "Content-Length": String(body.length) };
  return remoteReader({
    url: URL_OF_NOBODY,
    name: replica,
    fetch: answering(() => new Response(Uint8Array.from(body), { headers })),
  });
}

interface PairOptions {
  readonly a?: Break | undefined;
  readonly b?: Break | undefined;
  readonly partial?: "one" | "all";
}

function pairReader({ a, b, partial }: PairOptions, rowsOfA = A): Reader {
  const readers = [replicaReader("A", rowsOfA, a), replicaReader("B", B, b)];
  return splicedReader(readers, { replicaLabels: ["replica"], strategy: penalty(), partial });
}

interface Spliced {
  readonly series: (readonly [string, readonly ClientRow[]])[];
  readonly error: unknown;
  readonly report: ReadReport;
}

async function read(reader: Reader): Promise<Spliced> {
  const reading = reader.read(EVERYTHING);
  const series: (readonly [string, readonly ClientRow[]])[] = [];
  let error: unknown;
  try {
    for await (const one of reading) {
      series.push([one.labels.join(" "), rowsOf(one)]);
    }
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(RemoteReadError);
    error = thrown;
  }
  return { series, error, report: reading.report() };
}

/** The answer where the first replica is left out from a series on. */
function expectedFrom(leftOut: string | undefined): (readonly [string, readonly ClientRow[]])[] {
  return NAMES.map((name) => [
    `__name__ ${name}`,
    spliceNaively(leftOut === undefined || name < leftOut ? [A, B] : [B]),
  ]);
}

/** In its first chunk; in the middle of the series, in one behind a gap, and in the last. */
const BREAKS: readonly Break[] = [0, 1, 4, 9].flatMap((chunk) => NAMES.map((name) => ({ name, chunk })));

describe("a chunk of one replica that does not decode", () => {
  test.each(BREAKS)("leaves it out from that series on, which is spliced without it: %o", async (a) => {
    const { series, error, report } = await read(pairReader({ a }));
    expect(error).toBeUndefined();
    expect(series).toEqual(expectedFrom(a.name));
    const [first, second] = report.replicas;
    expect(first).toMatchObject({ name: "A", leftOutFrom: a.name, error: { code: "chunk-malformed", replica: "A" } });
    expect(first!.error).toMatchObject({ series: `${a.name}{replica="A"}` });
    expect(second).toMatchObject({ name: "B", error: undefined, leftOutFrom: undefined });
  });

  test.each(BREAKS)("ends the read at that series where all must be complete: %o", async (a) => {
    const { series, error } = await read(pairReader({ a, partial: "all" }));
    expect(series).toEqual(expectedFrom(undefined).slice(0, NAMES.indexOf(a.name)));
    expect(error).toMatchObject({ code: "all-replicas-failed", cause: { code: "chunk-malformed" } });
    expect(String(error)).toContain("1 of 2 replicas failed: A: ");
  });

  test.each(BREAKS)("ends the read where the other has one too, when it is decoded: %o", async (a) => {
    for (const b of [a, { ...a, name: "m3" }]) {
      // Whichever is left is passed on as it is once it is alone: nobody but the caller decodes it.
      const { series, error } = await read(pairReader({ a, b }));
      expect(series).toEqual(expectedFrom(a.name).slice(0, NAMES.indexOf(b.name)));
      expect(error).toMatchObject({ code: "chunk-malformed" });
      expect((error as RemoteReadError).series).toMatch(new RegExp(`^${b.name}`));
      const samples = await post(readHandler(pairReader({ a, b })), [EVERYTHING], [SAMPLES]);
      expect(await failureOf(samples)).toEqual([500, `${(error as Error).message}\n`]);
    }
  });

  test.each(["one", "all"] as const)(
    "is not noticed where the strategy never decodes it: partial %s",
    async (partial) => {
      for (const name of NAMES) {
        // The first replica is whole, so that the second is idle.
        const { series, error, report } = await read(pairReader({ b: { name, chunk: 5 }, partial }, WHOLE));
        expect(error).toBeUndefined();
        expect(series).toEqual(NAMES.map((one) => [`__name__ ${one}`, spliceNaively([WHOLE, B])]));
        expect(report.replicas.map((replica) => replica.error)).toEqual([undefined, undefined]);
      }
    },
  );
});

describe("a chunk of one replica that does not decode, served", () => {
  test.each(BREAKS)("is served without that replica, which the header names if it is known: %o", async (a) => {
    for (const type of BOTH) {
      const response = await post(readHandler(pairReader({ a })), [EVERYTHING], [type]);
      const isKnown = type === SAMPLES || a.name === "m1";
      expect(response.headers.get("X-Promsplice-Partial")).toBe(isKnown ? "A" : null);
      const [series] = readStrictly(await answerOf(response), [EVERYTHING]);
      expect(series!.map(({ labels, rows }) => [labels.join(" "), rows])).toEqual(expectedFrom(a.name));
    }
  });

  test.each(BREAKS)("before the first byte is a status where all must be complete, after it aborts: %o", async (a) => {
    for (const type of BOTH) {
      const response = await post(readHandler(pairReader({ a, partial: "all" })), [EVERYTHING], [type]);
      if (type === SAMPLES || a.name === "m1") {
        const [status, text] = await failureOf(response);
        expect([status, text]).toEqual([500, expect.stringContaining("1 of 2 replicas failed: A: ")]);
        continue;
      }
      expect(response.status).toBe(200);
      const [bytes, error] = await readBroken(response);
      expect(error).toMatchObject({ code: "all-replicas-failed" });
      const [series] = readStrictly({ status: 200, contentType: STREAMED_TYPE, body: bytes }, [EVERYTHING]);
      const served = series!.map(({ labels, rows }) => [labels.join(" "), rows]);
      expect(served).toEqual(expectedFrom(undefined).slice(0, NAMES.indexOf(a.name)));
    }
  });

  test("is passed on as it is where nobody decodes it, and fails the read of who does", async () => {
    const reader = replicaReader("A", WHOLE, { name: "m2", chunk: 5 });
    const lone = splicedReader([reader], { replicaLabels: ["replica"], strategy: penalty() });
    const { series, error } = await read(lone);
    expect(error).toMatchObject({ code: "chunk-malformed", replica: "A", series: 'm2{replica="A"}' });
    expect(series).toEqual([["__name__ m1", WHOLE]]);
    const samples = await failureOf(await post(readHandler(lone), [EVERYTHING], [SAMPLES]));
    expect(samples).toEqual([500, `${(error as Error).message}\n`]);
    const streamed = await post(readHandler(lone), [EVERYTHING], [STREAMED]);
    const frames = NAMES.map((name) =>
      encodeChunkedSeries(labelsOf(`__name__=${name}`), chunksOf(WHOLE, name === "m2" ? 5 : undefined), 0),
    );
    expect(toHex(new Uint8Array(await streamed.arrayBuffer()))).toBe(toHex(concatenate(...frames)));
  });
});

/** What came of a body that breaks off, and the error; none if it ends. */
async function readBroken(response: Response): Promise<[Uint8Array, unknown]> {
  const pieces: Uint8Array[] = [];
  const reader = response.body!.getReader();
  try {
    for (let step = await reader.read(); !step.done; step = await reader.read()) {
      pieces.push(step.value);
    }
    return [concatenate(...pieces), undefined];
  } catch (error) {
    return [concatenate(...pieces), error];
  }
}
