/** How requests to readHandler run beside one another, wait, stall and are left. */
import type { Series } from "@promsplice/core";
import { describe, expect, test, vi } from "vitest";

import { readHandler, type ReadHandlerLimits, type ReadHandlerOptions } from "../src/handler.ts";
import { memoryReader } from "../src/memory-reader.ts";
import type { Reader } from "../src/reader.ts";
import {
  answerOf,
  blockOf,
  BOTH,
  EVERYTHING,
  type OnError,
  post,
  reportOf,
  requestBody,
  requestOf,
  SAMPLES,
  seriesOf,
  steadyRows,
  STREAMED,
  STREAMED_TYPE,
} from "./read-exchange.ts";
import { readStrictly } from "./strict-client.ts";

const ROWS = steadyRows(0, 3);
const UP = seriesOf("__name__=up", blockOf(ROWS));

/** A reader of endless series, or of `count`, that shows how far it has come, and can be made to wait. */
class WatchedReader implements Reader {
  readonly #count: number;
  readonly #rows: number;
  started = 0;
  /** Readings that have ended, and those of them whose signal was aborted or that were left before their end. */
  ended = 0;
  aborted = 0;
  left = 0;
  /** Series that were asked for. */
  series = 0;
  /** What each series waits for. */
  gate: Promise<void> = Promise.resolve();

  constructor(count: number = Infinity, rows: number = 3) {
    this.#count = count;
    this.#rows = rows;
  }

  /** Makes all series from now on wait for what this gives to be called. */
  hold(): () => void {
    const gate = new EventTarget();
    this.gate = new Promise((resolve) => {
      gate.addEventListener("open", () => resolve());
    });
    return () => gate.dispatchEvent(new Event("open"));
  }

  read: Reader["read"] = (_, options) => {
    this.started++;
    options?.signal?.addEventListener("abort", () => this.aborted++);
    return {
      report: () => reportOf(),
      [Symbol.asyncIterator]: () => this.#iterate(),
    };
  };

  async *#iterate(): AsyncGenerator<Series, void, undefined> {
    let isDone = false;
    try {
      for (let index = 0; index < this.#count; index++) {
        this.series++;
        await this.gate;
        yield seriesOf(`__name__=${String(index).padStart(6, "0")}`, blockOf(steadyRows(0, this.#rows)));
      }
      isDone = true;
    } finally {
      this.ended++;
      this.left += isDone ? 0 : 1;
    }
  }
}

function handle(
  reader: Reader,
  limits: Partial<ReadHandlerLimits> = {},
  options: ReadHandlerOptions = {},
): (request: Request) => Promise<Response> {
  return readHandler(reader, { ...options, limits });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** What a promise has become by now. */
async function stateOf(promise: Promise<Response>): Promise<string> {
  let state = "pending";
  const settled = promise.then(({ status }) => {
    state = String(status);
    return state;
  });
  await Promise.race([settled, pause(20)]);
  return state;
}

async function leave(response: Response): Promise<void> {
  await response.body!.cancel();
}

describe("requests at the same time", () => {
  test("wait for one of those that are answered to end", async () => {
    const handler = handle(new WatchedReader(), { concurrency: 2 });
    const [first, second] = [post(handler, [EVERYTHING], [STREAMED]), post(handler, [EVERYTHING], [STREAMED])];
    const third = post(handler, [EVERYTHING], [STREAMED]);
    const fourth = post(handler, [EVERYTHING], [STREAMED]);
    expect(await Promise.all([first, second, third, fourth].map(stateOf))).toEqual([
      "200",
      "200",
      "pending",
      "pending",
    ]);
    await leave(await second);
    expect(await Promise.all([third, fourth].map(stateOf))).toEqual(["200", "pending"]);
    await leave(await first);
    expect(await stateOf(fourth)).toBe("200");
    await leave(await third);
    await leave(await fourth);
  });

  test("are refused with 503 and Retry-After where the queue is full", async () => {
    const onError = vi.fn<OnError>();
    const reader = new WatchedReader();
    const handler = handle(reader, { concurrency: 1, queue: 1, queueMs: 2500 }, { onError });
    const first = await post(handler, [EVERYTHING], [STREAMED]);
    const second = post(handler, [EVERYTHING], [STREAMED]);
    const third = await post(handler, [EVERYTHING], [STREAMED]);
    expect(third.status).toBe(503);
    expect(third.headers.get("Retry-After")).toBe("3");
    expect(third.headers.get("Content-Type")).toBe("text/plain; charset=utf-8");
    expect(await third.text()).toMatch(/^too many requests: 1 are being answered, at most 1 wait for 2500 ms\n$/);
    expect(reader.started).toBe(1);
    expect(onError.mock.calls).toEqual([[expect.objectContaining({ code: "limit-exceeded" }), { partial: false }]]);
    await leave(first);
    await leave(await second);
  });

  test("are refused with 503 where they have waited too long, and others can wait in their place", async () => {
    const handler = handle(new WatchedReader(), { concurrency: 1, queue: 1, queueMs: 30 });
    const first = await post(handler, [EVERYTHING], [STREAMED]);
    expect((await post(handler, [EVERYTHING], [STREAMED])).status).toBe(503);
    const third = post(handler, [EVERYTHING], [STREAMED]);
    await leave(first);
    expect((await third).status).toBe(200);
    await leave(await third);
  });

  test("give up their place in the queue when their client leaves", async () => {
    const onError = vi.fn<OnError>();
    const handler = handle(new WatchedReader(), { concurrency: 1, queue: 1 }, { onError });
    const first = await post(handler, [EVERYTHING], [STREAMED]);
    const client = new AbortController();
    const second = handler(requestOf(requestBody([EVERYTHING], [STREAMED]), { signal: client.signal }));
    expect((await post(handler, [EVERYTHING], [STREAMED])).status).toBe(503);
    onError.mockClear();
    client.abort();
    expect((await second).status).toBe(500);
    expect(onError).not.toHaveBeenCalled();
    const third = post(handler, [EVERYTHING], [STREAMED]);
    expect(await stateOf(third)).toBe("pending");
    await leave(first);
    expect((await third).status).toBe(200);
    await leave(await third);
  });

  test("are not counted where their client had left before they came", async () => {
    const handler = handle(new WatchedReader(), { concurrency: 1, queue: 0 });
    const request = requestOf(requestBody([EVERYTHING], [STREAMED]), { signal: AbortSignal.abort() });
    expect((await handler(request)).status).toBe(500);
    expect((await post(handler, [EVERYTHING], [STREAMED])).status).toBe(200);
  });

  test("may be any number where the limit is 0", async () => {
    const handler = handle(new WatchedReader(), { concurrency: 0, queue: 0 });
    const responses = await Promise.all(Array.from({ length: 50 }, () => post(handler, [EVERYTHING], [STREAMED])));
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200]));
    await Promise.all(responses.map(leave));
  });

  test("free their place however they end", async () => {
    const down: Reader = {
      read: () => {
        throw new Error("down");
      },
    };
    let reader: Reader = memoryReader([UP]);
    const handler = handle({ read: (query, options) => reader.read(query, options) }, { concurrency: 1, queue: 0 });
    const ends: (() => Promise<unknown>)[] = [
      async () => answerOf(await post(handler, [EVERYTHING], [SAMPLES])),
      async () => answerOf(await post(handler, [EVERYTHING], [STREAMED])),
      () => post(handler, [], [STREAMED]),
      () => handler(requestOf(new Uint8Array(0))),
      () => post(handler, [EVERYTHING], [7]),
      () => handler(new Request("http://127.0.0.1/")),
      () => {
        reader = down;
        return post(handler, [EVERYTHING], [STREAMED]);
      },
    ];
    for (const end of ends) {
      reader = memoryReader([UP]);
      await end();
      await end();
    }
    reader = memoryReader([UP]);
    expect((await post(handler, [EVERYTHING], [STREAMED])).status).toBe(200);
  });
});

describe("a client that does not read", () => {
  test("stops the reading: one series at most is read ahead", async () => {
    const reader = new WatchedReader();
    const response = await post(handle(reader), [EVERYTHING], [STREAMED]);
    await pause(20);
    expect(reader.series).toBe(1);
    const body = response.body!.getReader();
    for (let taken = 1; taken <= 5; taken++) {
      await body.read();
      await pause(5);
      expect(reader.series).toBe(taken);
    }
    await body.cancel();
  });

  test("is given up after the write stall, and the reading cancelled", async () => {
    for (const taken of [0, 1, 3]) {
      const onError = vi.fn<OnError>();
      const reader = new WatchedReader();
      const response = await post(
        handle(reader, { writeStallMs: 30, concurrency: 1 }, { onError }),
        [EVERYTHING],
        [STREAMED],
      );
      const body = response.body!.getReader();
      for (let piece = 0; piece < taken; piece++) {
        await body.read();
        await pause(15);
      }
      expect([reader.ended, onError.mock.calls]).toEqual([0, []]);
      await vi.waitFor(() => expect([reader.ended, reader.left, reader.aborted]).toEqual([1, 1, 1]));
      expect(onError.mock.calls).toEqual([[expect.objectContaining({ code: "timeout" }), { partial: true }]]);
      await expect(body.read()).rejects.toMatchObject({
        code: "timeout",
        message: "the client took nothing for 30 ms",
      });
    }
  });

  test("is given up also in an answer of samples", async () => {
    const handler = handle(memoryReader([UP]), { writeStallMs: 20, concurrency: 1, queue: 0 });
    const response = await post(handler, [EVERYTHING], [SAMPLES]);
    expect((await post(handler, [EVERYTHING], [SAMPLES])).status).toBe(503);
    await pause(60);
    await expect(response.arrayBuffer()).rejects.toMatchObject({ code: "timeout" });
    expect((await post(handler, [EVERYTHING], [SAMPLES])).status).toBe(200);
  });

  test("is waited for without end where the limit is 0", async () => {
    const response = await post(handle(memoryReader([UP]), { writeStallMs: 0 }), [EVERYTHING], [STREAMED]);
    await pause(60);
    expect(readStrictly(await answerOf(response), [EVERYTHING])).toMatchObject([[{ rows: ROWS }]]);
  });

  test("is not one that waits for a slow reader", async () => {
    const reader = new WatchedReader(3);
    const response = await post(handle(reader, { writeStallMs: 20 }), [EVERYTHING], [STREAMED]);
    const body = response.body!.getReader();
    await body.read();
    const open = reader.hold();
    const next = body.read();
    await pause(60);
    open();
    expect((await next).done).toBe(false);
    await body.cancel();
  });

  test("gets what is large in pieces, so that a slow one is no stalled one", async () => {
    const series = seriesOf("__name__=up", blockOf(steadyRows(0, 150_000, 10_007)));
    for (const type of BOTH) {
      const response = await post(handle(memoryReader([series])), [EVERYTHING], [type]);
      const pieces: number[] = [];
      const parts: Uint8Array[] = [];
      for await (const part of response.body!) {
        pieces.push(part.length);
        parts.push(part);
      }
      expect(pieces.length).toBeGreaterThan(2);
      expect(Math.max(...pieces)).toBe(64 * 1024);
      expect(Math.min(...pieces)).toBeGreaterThan(0);
      const whole = await answerOf(await post(handle(memoryReader([series])), [EVERYTHING], [type]));
      expect(Buffer.concat(parts).equals(whole.body)).toBe(true);
    }
  });
});

describe("a client that leaves", () => {
  test("by cancelling the body cancels the reading, and is no error", async () => {
    const onError = vi.fn<OnError>();
    const reader = new WatchedReader();
    const response = await post(handle(reader, {}, { onError }), [EVERYTHING], [STREAMED]);
    const body = response.body!.getReader();
    await body.read();
    await body.cancel("enough");
    await vi.waitFor(() => expect([reader.ended, reader.left, reader.aborted]).toEqual([1, 1, 1]));
    expect(onError).not.toHaveBeenCalled();
  });

  test("while the reader works cancels it too", async () => {
    const reader = new WatchedReader();
    const response = await post(handle(reader), [EVERYTHING], [STREAMED]);
    const body = response.body!.getReader();
    await body.read();
    const open = reader.hold();
    const next = body.read();
    await pause(5);
    await body.cancel();
    expect((await next).done).toBe(true);
    expect(reader.aborted).toBe(1);
    open();
    await vi.waitFor(() => expect([reader.ended, reader.left, reader.series]).toEqual([1, 1, 2]));
  });

  test("by the signal of its request cancels the reading in the middle of the body", async () => {
    const onError = vi.fn<OnError>();
    const reader = new WatchedReader();
    const client = new AbortController();
    const handler = handle(reader, { concurrency: 1, queue: 0 }, { onError });
    const response = await handler(requestOf(requestBody([EVERYTHING], [STREAMED]), { signal: client.signal }));
    const body = response.body!.getReader();
    await body.read();
    client.abort();
    await expect(body.read()).rejects.toMatchObject({ name: "AbortError" });
    await vi.waitFor(() => expect([reader.ended, reader.left, reader.aborted]).toEqual([1, 1, 1]));
    expect(onError).not.toHaveBeenCalled();
    expect((await post(handler, [EVERYTHING], [STREAMED])).status).toBe(200);
  });

  test("before the first byte cancels the reading, even one that takes no notice", async () => {
    for (const type of BOTH) {
      const onError = vi.fn<OnError>();
      const reader = new WatchedReader();
      const client = new AbortController();
      const handler = handle(reader, { concurrency: 1, queue: 0 }, { onError });
      const open = reader.hold();
      const answered = handler(requestOf(requestBody([EVERYTHING], [type]), { signal: client.signal }));
      await vi.waitFor(() => expect(reader.series).toBe(1));
      client.abort();
      expect((await answered).status).toBe(500);
      expect([reader.aborted, reader.ended]).toEqual([1, 0]);
      expect(onError).not.toHaveBeenCalled();
      reader.gate = Promise.resolve();
      const next = await post(handler, [EVERYTHING], [STREAMED]);
      expect(next.status).toBe(200);
      open();
      await vi.waitFor(() => expect(reader.left).toBe(1));
      await leave(next);
    }
  });

  test("in the middle of its request frees the place", async () => {
    const client = new AbortController();
    const handler = handle(memoryReader([UP]), { concurrency: 1, queue: 0 });
    const request = new Request("http://127.0.0.1/", {
      method: "POST",
      body: new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1)) }),
      signal: client.signal,
      duplex: "half",
    });
    const answered = handler(request);
    expect((await post(handler, [EVERYTHING], [STREAMED])).status).toBe(503);
    client.abort();
    expect((await answered).status).toBe(500);
    expect((await post(handler, [EVERYTHING], [STREAMED])).status).toBe(200);
  });

  test("after the end of the body changes nothing", async () => {
    const reader = new WatchedReader(2);
    const client = new AbortController();
    const response = await handle(reader)(requestOf(requestBody([EVERYTHING], [STREAMED]), { signal: client.signal }));
    const answer = await answerOf(response);
    client.abort();
    expect(answer.contentType).toBe(STREAMED_TYPE);
    expect(readStrictly(answer, [EVERYTHING])[0]).toHaveLength(2);
    expect([reader.ended, reader.left, reader.aborted]).toEqual([1, 0, 0]);
  });
});
