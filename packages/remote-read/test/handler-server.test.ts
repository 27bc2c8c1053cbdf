/** The handler under a real server, `@hono/node-server`, over real connections. */
import { once } from "node:events";
import { type ClientRequest, type IncomingMessage, request as openRequest } from "node:http";
import type { AddressInfo } from "node:net";

import { type ServerType, serve } from "@hono/node-server";
import type { Series } from "@promsplice/core";
import { afterEach, describe, expect, test, vi } from "vitest";

import { readHandler, type ReadHandlerOptions } from "../src/handler.ts";
import { memoryReader } from "../src/memory-reader.ts";
import type { Reader } from "../src/reader.ts";
import {
  type AskedQuery,
  blockOf,
  EVERYTHING,
  type OnError,
  reportOf,
  requestBody,
  SAMPLES,
  SAMPLES_TYPE,
  seriesOf,
  steadyRows,
  STREAMED,
  STREAMED_TYPE,
} from "./read-exchange.ts";
import { type ClientAnswer, readStrictly } from "./strict-client.ts";

const ROWS = steadyRows(0, 3);

const servers: ServerType[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    const closed = once(server, "close");
    server.close();
    if ("closeAllConnections" in server) {
      server.closeAllConnections();
    }
    await closed;
  }
  vi.restoreAllMocks();
});

/** Starts a server of its own on a free port of loopback; gives its port. */
async function start(reader: Reader, options: ReadHandlerOptions = {}): Promise<number> {
  const server = serve({ fetch: readHandler(reader, options), hostname: "127.0.0.1", port: 0 });
  servers.push(server);
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

function send(port: number, body: Uint8Array, method: string = "POST"): ClientRequest {
  const request = openRequest({ host: "127.0.0.1", port, path: "/api/v1/read", method, agent: false });
  request.end(method === "GET" ? undefined : body);
  return request;
}

async function ask(port: number, type: number, query: AskedQuery = EVERYTHING): Promise<IncomingMessage> {
  const [response] = (await once(send(port, requestBody([query], [type])), "response")) as [IncomingMessage];
  return response;
}

/** The whole body. Throws if the connection ends before it does. */
async function gather(response: IncomingMessage): Promise<ClientAnswer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of response) {
    pieces.push(piece as Uint8Array);
  }
  return {
    status: response.statusCode!,
    contentType: response.headers["content-type"] ?? null,
    body: Uint8Array.from(Buffer.concat(pieces)),
  };
}

/** A reader whose series come until it is left, and that counts what happens. */
class EndlessReader implements Reader {
  readonly #rows: number;
  series = 0;
  left = 0;
  aborted = 0;

  constructor(rows: number) {
    this.#rows = rows;
  }

  read: Reader["read"] = (_, options) => {
    options?.signal?.addEventListener("abort", () => this.aborted++);
    return { report: () => reportOf(), [Symbol.asyncIterator]: () => this.#iterate() };
  };

  async *#iterate(): AsyncGenerator<Series, void, undefined> {
    const block = blockOf(steadyRows(0, this.#rows, 10_007));
    try {
      for (;;) {
        yield seriesOf(`__name__=${String(this.series++).padStart(8, "0")}`, block);
      }
    } finally {
      this.left++;
    }
  }
}

function failingReader(count: number): Reader {
  return {
    read: () => ({
      report: () => reportOf(),
      async *[Symbol.asyncIterator](): AsyncGenerator<Series, void, undefined> {
        for (let index = 0; index < count; index++) {
          yield seriesOf(`__name__=${String(index).padStart(3, "0")}`, blockOf(ROWS));
        }
        throw new Error("disk is on fire");
      },
    }),
  };
}

describe("an answer over HTTP", () => {
  test.each([
    ["samples", SAMPLES, SAMPLES_TYPE],
    ["streamed chunks", STREAMED, STREAMED_TYPE],
  ])("of %s is whole and says what it is", async (_, type, contentType) => {
    const series = ["a", "b", "c"].map((name) => seriesOf(`__name__=${name}`, blockOf(steadyRows(0, 30_000, 10_007))));
    const port = await start(memoryReader(series));
    const query = { ...EVERYTHING, startMs: 29_990 * 10_007 };
    for (const asked of [query, EVERYTHING]) {
      const response = await ask(port, type, asked);
      expect(response.headers["content-encoding"]).toBe(type === SAMPLES ? "snappy" : undefined);
      const answer = await gather(response);
      expect(response.complete).toBe(true);
      expect(answer.contentType).toBe(contentType);
      if (asked === query) {
        expect(readStrictly(answer, [asked])).toMatchObject([[{ labels: ["__name__", "a"] }, {}, {}]]);
      } else {
        expect(answer.body.length).toBeGreaterThan(100_000);
      }
    }
  });

  test("that is empty has a length of 0 and the right type", async () => {
    const response = await ask(await start(memoryReader([])), STREAMED);
    expect(response.headers["content-length"]).toBe("0");
    expect(await gather(response)).toEqual({ status: 200, contentType: STREAMED_TYPE, body: new Uint8Array(0) });
  });

  test("that is an error has its status and text", async () => {
    const port = await start(failingReader(0));
    for (const type of [SAMPLES, STREAMED]) {
      const response = await ask(port, type);
      expect(response.headers["content-encoding"]).toBeUndefined();
      const { status, contentType, body } = await gather(response);
      expect([status, contentType, new TextDecoder().decode(body)]).toEqual([
        500,
        "text/plain; charset=utf-8",
        "disk is on fire\n",
      ]);
    }
  });

  test("to a request that is too long, or no POST, comes before all of it was read", async () => {
    const port = await start(memoryReader([]), { limits: { requestBytesMax: 1000 } });
    const [tooLong] = (await once(send(port, new Uint8Array(1_000_000)), "response")) as [IncomingMessage];
    expect([tooLong.statusCode, tooLong.headers["content-type"]]).toEqual([400, "text/plain; charset=utf-8"]);
    tooLong.destroy();
    const [wrong] = (await once(send(port, new Uint8Array(0), "GET"), "response")) as [IncomingMessage];
    expect([wrong.statusCode, wrong.headers.allow]).toEqual([405, "POST"]);
    wrong.destroy();
  });
});

describe("a connection", () => {
  test.each([1, 2, 50])("is broken, not ended, where the reading fails after %i series", async (count) => {
    // The server writes the error to the console; what it writes to the client counts.
    const written = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const onError = vi.fn<OnError>();
    const port = await start(failingReader(count), { onError });
    const response = await ask(port, STREAMED);
    expect(response.statusCode).toBe(200);
    await expect(gather(response)).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(response.complete).toBe(false);
    expect(onError.mock.calls).toEqual([[expect.objectContaining({ message: "disk is on fire" }), { partial: true }]]);
    expect(written).toHaveBeenCalled();
  });

  test("never has the text of an error in its body", async () => {
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    const response = await ask(await start(failingReader(3)), STREAMED);
    const pieces: Uint8Array[] = [];
    response.on("data", (piece: Uint8Array) => pieces.push(piece));
    response.on("error", () => undefined);
    await new Promise((resolve) => {
      response.on("close", resolve);
    });
    expect(
      readStrictly({ status: 200, contentType: STREAMED_TYPE, body: Uint8Array.from(Buffer.concat(pieces)) }, [
        EVERYTHING,
      ])[0]!.length,
    ).toBeLessThanOrEqual(3);
  });

  test("whose client pauses stops the reading, until it goes on", async () => {
    const reader = new EndlessReader(5000);
    const response = await ask(await start(reader), STREAMED);
    response.pause();
    let seen = -1;
    // What fits into the buffers of two sockets is read, and then no more.
    await vi.waitFor(
      () => {
        const before = seen;
        seen = reader.series;
        expect(seen).toBe(before);
      },
      { timeout: 20_000, interval: 300 },
    );
    expect(seen).toBeLessThan(5000);
    response.resume();
    await vi.waitFor(() => expect(reader.series).toBeGreaterThan(seen + 10), { timeout: 20_000 });
    response.destroy();
    await vi.waitFor(() => expect([reader.left, reader.aborted]).toEqual([1, 1]));
  });

  test("whose client takes nothing is broken after the write stall", async () => {
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    const onError = vi.fn<OnError>();
    const reader = new EndlessReader(5000);
    const response = await ask(await start(reader, { onError, limits: { writeStallMs: 200 } }), STREAMED);
    response.pause();
    await vi.waitFor(() => expect([reader.left, reader.aborted]).toEqual([1, 1]), { timeout: 20_000 });
    expect(onError.mock.calls).toEqual([[expect.objectContaining({ code: "timeout" }), { partial: true }]]);
    await expect(gather(response)).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(response.complete).toBe(false);
  });

  test("that its client closes cancels the reading in the middle of the body", async () => {
    const onError = vi.fn<OnError>();
    const reader = new EndlessReader(3);
    const response = await ask(await start(reader, { onError }), STREAMED);
    await once(response, "data");
    response.destroy();
    await vi.waitFor(() => expect([reader.left, reader.aborted]).toEqual([1, 1]));
    expect(onError).not.toHaveBeenCalled();
  });

  test("that its client closes cancels the reading before the first byte", async () => {
    const aborted = vi.fn<() => void>();
    const reader: Reader = {
      read: (_, options) => ({
        report: () => reportOf(),
        [Symbol.asyncIterator]: () => ({
          next: () =>
            new Promise((_resolve, reject) => {
              options?.signal?.addEventListener("abort", () => {
                aborted();
                reject(new Error("cancelled"));
              });
            }),
        }),
      }),
    };
    const read = vi.spyOn(reader, "read");
    const request = send(await start(reader), requestBody([EVERYTHING], [STREAMED]));
    request.on("error", () => undefined);
    await vi.waitFor(() => expect(read).toHaveBeenCalled());
    request.destroy();
    await vi.waitFor(() => expect(aborted).toHaveBeenCalledTimes(1));
  });
});
