/** What a client sees, and its server learns, of a reader that fails or that lacks a replica. */
import { histogramBlock } from "@promsplice/core";
import { describe, expect, test, vi } from "vitest";

import { chunkBlock, encodeBlock } from "../src/chunk/chunk-block.ts";
import { readHandler } from "../src/handler.ts";
import { memoryReader } from "../src/memory-reader.ts";
import type { Reader, ReadReport, ReplicaReport } from "../src/reader.ts";
import { RemoteReadError } from "../src/remote-read-error.ts";
import {
  answerOf,
  blockOf,
  BOTH,
  EVERYTHING,
  failureOf,
  type OnError,
  type OnReport,
  post,
  reportOf,
  SAMPLES,
  seriesOf,
  steadyRows,
  STREAMED,
  STREAMED_TYPE,
} from "./read-exchange.ts";
import { scriptedReader, type Step } from "./scripted-reader.ts";
import { readStrictly } from "./strict-client.ts";

const ROWS = steadyRows(1_700_000_000_000, 5);
const UP = seriesOf("__name__=up,job=x", blockOf(ROWS));
const DOWN = seriesOf("__name__=down", blockOf(ROWS));

function failing(...steps: readonly Step[]): Reader {
  return scriptedReader("A", steps);
}

describe("a failure of what readHandler reads", () => {
  test.each<[string, Error, number]>([
    ["any error", new Error("disk is on fire"), 500],
    ["an error that asks for it", Object.assign(new Error("no such tenant"), { status: 400 }), 400],
    ["one that asks for something else", Object.assign(new Error("go away"), { status: 302 }), 500],
    [
      "nothing but replica labels",
      new RemoteReadError("matchers-missing", "no matchers besides the replica label"),
      400,
    ],
    ["too much", new RemoteReadError("limit-exceeded", "too much"), 400],
    ["a replica that sends too much", new RemoteReadError("limit-exceeded", "too much", { replica: "A" }), 500],
    ["a replica's bad bytes", new RemoteReadError("protobuf-malformed", "bad bytes"), 500],
    ["no replica", new RemoteReadError("all-replicas-failed", "2 of 2 replicas failed"), 500],
  ])("before the first byte is a status: %s", async (_, error, status) => {
    for (const type of BOTH) {
      const onError = vi.fn<OnError>();
      const handler = readHandler(failing(error), { onError });
      expect(await failureOf(await post(handler, [EVERYTHING], [type]))).toEqual([status, `${error.message}\n`]);
      expect(onError.mock.calls).toEqual([[error, { partial: false }]]);
    }
  });

  test("before the first byte is one also if the reader throws it at once", async () => {
    const handler = readHandler({
      read: () => {
        throw new Error("at once");
      },
    });
    expect(await failureOf(await post(handler, [EVERYTHING], [STREAMED]))).toEqual([500, "at once\n"]);
  });

  test("in a later query of a request for samples is one for all of it", async () => {
    const memory = memoryReader([UP]);
    let reads = 0;
    const handler = readHandler({
      read: (query, options) => (++reads === 2 ? failing(new Error("second")) : memory).read(query, options),
    });
    expect(await failureOf(await post(handler, [EVERYTHING, EVERYTHING], [SAMPLES]))).toEqual([500, "second\n"]);
  });

  test("after the first byte aborts the body", async () => {
    const onError = vi.fn<OnError>();
    const error = new Error("disk is on fire");
    const response = await post(readHandler(failing(DOWN, error), { onError }), [EVERYTHING], [STREAMED]);
    expect(response.status).toBe(200);
    expect(onError).not.toHaveBeenCalled();
    const reader = response.body!.getReader();
    const first = await reader.read();
    expect(readStrictly({ status: 200, contentType: STREAMED_TYPE, body: first.value! }, [EVERYTHING])).toMatchObject([
      [{ rows: ROWS }],
    ]);
    await expect(reader.read()).rejects.toBe(error);
    expect(onError.mock.calls).toEqual([[error, { partial: true }]]);
  });

  test.each([
    ["after a greater label set", [UP, DOWN]],
    ["twice", [UP, UP]],
  ])("is a series that comes %s", async (_, steps) => {
    const onError = vi.fn<OnError>();
    const handler = readHandler(failing(...steps), { onError });
    const [status, text] = await failureOf(await post(handler, [EVERYTHING], [SAMPLES]));
    expect([status, text]).toEqual([500, expect.stringMatching(/label sets must increase\n$/)]);
    const streamed = await post(handler, [EVERYTHING], [STREAMED]);
    await expect(streamed.arrayBuffer()).rejects.toMatchObject({ code: "series-out-of-order" });
    expect(onError.mock.calls.map(([, context]) => context)).toEqual([{ partial: false }, { partial: true }]);
  });

  test("is a series of histograms of another kind than the package's", async () => {
    const histograms = histogramBlock(Float64Array.of(1, 2), [1, 2]);
    const handler = readHandler(failing({ labels: ["a", "1"], blocks: [histograms] }));
    const response = await post(handler, [EVERYTHING], [STREAMED]);
    expect(await failureOf(response)).toEqual([500, "the histograms of a block must be a HistogramRows\n"]);
    expect((await post(handler, [EVERYTHING], [SAMPLES])).status).toBe(500);
  });

  test("is a block that does not decode, where it must be decoded", async () => {
    const [chunk] = encodeBlock(blockOf(ROWS));
    const broken = chunkBlock({ ...chunk!, data: chunk!.data.subarray(0, 12) });
    const handler = readHandler(failing({ labels: ["a", "1"], blocks: [broken] }));
    expect((await post(handler, [EVERYTHING], [SAMPLES])).status).toBe(500);
  });
});

/** A reader whose readings have these reports, one each. */
function reporting(reports: readonly ReadReport[]): Reader {
  let reads = 0;
  return {
    read: () => {
      const mine = reports[reads++]!;
      return {
        report: () => mine,
        async *[Symbol.asyncIterator]() {
          yield UP;
        },
      };
    },
  };
}

function failed(name: string): ReplicaReport {
  return { name, error: new Error("down"), isUnverifiable: false };
}

const WHOLE: ReplicaReport = { name: "whole", isUnverifiable: false };

describe("reports of readHandler", () => {
  test("name missing replicas in a header", async () => {
    for (const type of BOTH) {
      const handler = readHandler(reporting([reportOf(failed("http://a:1/x, ü"), WHOLE, failed("b"))]));
      const response = await post(handler, [EVERYTHING], [type]);
      expect(response.headers.get("X-Promsplice-Partial")).toBe("http%3A%2F%2Fa%3A1%2Fx%2C%20%C3%BC, b");
      await response.body?.cancel();
    }
  });

  test("name each one once, and eight at most", async () => {
    const replicas = Array.from({ length: 12 }, (_, index) => failed(`r${index % 10}`));
    const handler = readHandler(reporting([reportOf(...replicas), reportOf(...replicas)]));
    const response = await post(handler, [EVERYTHING, EVERYTHING], [SAMPLES]);
    expect(response.headers.get("X-Promsplice-Partial")).toBe("r0, r1, r2, r3, r4, r5, r6, r7");
    await response.body?.cancel();
  });

  test("name nobody where all are whole", async () => {
    const response = await post(readHandler(reporting([reportOf(WHOLE)])), [EVERYTHING], [STREAMED]);
    expect(response.headers.has("X-Promsplice-Partial")).toBe(false);
    await response.body?.cancel();
  });

  test("are handed over, one a query, before the client sees the end", async () => {
    for (const type of BOTH) {
      const reports = [reportOf(WHOLE), reportOf(failed("b"))];
      const onReport = vi.fn<OnReport>();
      await answerOf(await post(readHandler(reporting(reports), { onReport }), [EVERYTHING, EVERYTHING], [type]));
      expect(onReport.mock.calls).toEqual([[reports[0]], [reports[1]]]);
    }
  });

  test("are handed over also for a reading that failed or was left", async () => {
    const onReport = vi.fn<OnReport>();
    const handler = readHandler(scriptedReader("A", [UP, new Error("down")]), { onReport });
    await expect((await post(handler, [EVERYTHING], [STREAMED])).arrayBuffer()).rejects.toThrow("down");
    expect(onReport).toHaveBeenCalledTimes(1);
    await (await post(handler, [EVERYTHING], [STREAMED])).body!.cancel();
    await vi.waitFor(() => expect(onReport).toHaveBeenCalledTimes(2));
  });
});
