/** How a read ends when the answer, the server, time or the reader itself does not come to the end. */
import type { ServerResponse } from "node:http";

import { afterEach, describe, expect, test } from "vitest";

import { remoteReader } from "../src/client.ts";
import {
  type Answer,
  answerCut,
  answerWhole,
  type Cut,
  SAMPLES_TYPE,
  startServer,
  stopServers,
  STREAMED_TYPE,
} from "./answering-server.ts";
import { concatenate } from "./bytes.ts";
import {
  answering,
  EVERYTHING,
  frame,
  namesOf,
  readAll,
  readFrom,
  recorded,
  URL_OF_NOBODY,
} from "./client-exchange.ts";
import { readRecording } from "./recording.ts";

afterEach(stopServers);

const endless: Answer = (response) => {
  response.writeHead(200, { "Content-Type": STREAMED_TYPE });
  response.write(concatenate(frame("a=1"), frame("a=2"), frame("a=3")));
};

describe("a cut body", () => {
  const cuts: readonly Cut[] = ["content-length", "chunked", "reset"];

  test.each(cuts)("is an error at every byte: %s", async (cut) => {
    for (const name of ["p353/chunks/rr_const", "p353x/extlabels/repl.chunks"]) {
      const body = readRecording(`${name}.resp.bin`);
      let at = 0;
      const server = await startServer((response, request) =>
        answerCut(cut, body.subarray(0, at), body.length, STREAMED_TYPE)(response, request),
      );
      const reader = remoteReader({ url: server.url });
      const lengths = cut === "content-length" ? body.length : body.length + 1;
      for (; at < lengths; at++) {
        const { error } = await readAll(reader);
        expect(error?.code, `${name} ${at}`).toBe("body-truncated");
      }
    }
  });

  test.each(cuts)("of samples is an error: %s", async (cut) => {
    const body = readRecording("p353x/extlabels/repl.samples.resp.bin");
    const answer = answerCut(cut, body.subarray(0, 100), body.length, SAMPLES_TYPE);
    expect((await readFrom(answer)).error).toMatchObject({ code: "body-truncated" });
  });

  test("of which nothing came is an error too", async () => {
    const { error } = await readFrom((response) => void response.socket!.resetAndDestroy());
    expect(error).toMatchObject({ code: "connection-failed" });
  });

  test("that ends cleanly is an error inside a frame, and on a boundary an answer of fewer series", async () => {
    const { resp, ends } = recorded("ha-pair/t_lat_bucket.a.chunks");
    let at = 0;
    const reader = remoteReader({
      url: URL_OF_NOBODY,
      collect: true,
      fetch: answering(
        () =>
          new Response(resp.slice(0, at), {
            headers: { "Content-Type": STREAMED_TYPE, "Transfer-Encoding": "chunked" },
          }),
      ),
    });
    for (; at <= resp.length; at++) {
      const { error } = await readAll(reader);
      const isWhole = at === 0 || ends.includes(at);
      expect(error?.code, String(at)).toBe(isWhole ? undefined : "frame-truncated");
    }
  });

  test("is found by its length even where fetch says nothing", async () => {
    expect(await codeWith({ "Content-Length": "5000" })).toBe("body-truncated");
    // Of what was decompressed on the way the length says nothing.
    expect(await codeWith({ "Content-Length": "5000", "Content-Encoding": "gzip" })).toBeUndefined();
  });

  test("cannot be told from a whole one where the answer has neither length nor coding: the report says so", async () => {
    const { series, report, error } = await readFrom(answerBare);
    expect([error, namesOf(series)]).toEqual([undefined, ["a 1"]]);
    expect(report.replicas).toMatchObject([{ isUnverifiable: true }]);
    const body = frame("a=1");
    const whole: Answer = (response) =>
      void response.writeHead(200, { "Content-Type": STREAMED_TYPE, "Content-Length": body.length }).end(body);
    expect((await readFrom(whole)).report.replicas).toMatchObject([{ isUnverifiable: false }]);
  });
});

describe("time limits", () => {
  test("run out before the first byte", async () => {
    const { error, server } = await readFrom(() => {}, { timeouts: { firstByteMs: 50 } });
    expect(error).toMatchObject({ code: "timeout" });
    expect(error!.message).toContain("first byte");
    await server.gone(0);
  });

  test("run out where nothing more comes", async () => {
    const { error, series, server } = await readFrom(
      (response) => {
        response.writeHead(200, { "Content-Type": STREAMED_TYPE });
        response.write(concatenate(frame("a=1"), frame("a=2")));
      },
      { timeouts: { idleMs: 50 } },
    );
    expect(error).toMatchObject({ code: "timeout" });
    expect(error!.message).toContain("idle");
    expect(namesOf(series)).toEqual(["a 1"]);
    await server.gone(0);
  });

  test("do not run while nobody reads", async () => {
    const server = await startServer((response) => {
      response.writeHead(200, { "Content-Type": STREAMED_TYPE });
      response.write(concatenate(frame("a=1"), frame("a=2")));
      setTimeout(() => response.end(frame("a=3")), 150);
    });
    const names: string[] = [];
    for await (const series of remoteReader({ url: server.url, timeouts: { idleMs: 100 } }).read(EVERYTHING)) {
      names.push(...namesOf([series]));
      if (names.length === 1) {
        await new Promise((resolve) => void setTimeout(resolve, 200));
      }
    }
    expect(names).toEqual(["a 1", "a 2", "a 3"]);
  });

  test("run out for the whole answer, slow readers included", async () => {
    const { error } = await readFrom(trickle, { timeouts: { totalMs: 100 } });
    expect(error).toMatchObject({ code: "timeout" });
    expect(error!.message).toContain("total");
    const server = await startServer(answerWhole(concatenate(frame("a=1"), frame("a=2"))));
    const reading = remoteReader({ url: server.url, timeouts: { totalMs: 100 } }).read(EVERYTHING);
    const iterator = reading[Symbol.asyncIterator]();
    await iterator.next();
    await new Promise((resolve) => void setTimeout(resolve, 150));
    await expect(iterator.next()).rejects.toMatchObject({ code: "timeout" });
  });

  test("of Node's own are that too", async () => {
    expect((await readAll(remoteReader({ url: URL_OF_NOBODY, fetch: failByClock }))).error?.code).toBe("timeout");
  });
});

describe("an end before the end", () => {
  test("by a signal is `aborted`, whatever is waited for", async () => {
    for (const answer of [() => {}, endless]) {
      const { controller, listeners } = countingSignal();
      const server = await startServer(answer);
      const read = readAll(remoteReader({ url: server.url }), EVERYTHING, { signal: controller.signal });
      setTimeout(() => controller.abort(new Error("enough")), 50);
      const { error } = await read;
      expect(error).toMatchObject({ code: "aborted", replica: server.host });
      await server.gone(0);
      expect(listeners()).toBe(0);
    }
  });

  test("by a signal comes between two series as well, and before the first", async () => {
    const server = await startServer(endless);
    const controller = new AbortController();
    const iterator = remoteReader({ url: server.url }).read(EVERYTHING, controller)[Symbol.asyncIterator]();
    await iterator.next();
    controller.abort();
    await expect(iterator.next()).rejects.toMatchObject({ code: "aborted" });
    await server.gone(0);
    const late = await readAll(remoteReader({ url: server.url }), EVERYTHING, controller);
    expect(late.error).toMatchObject({ code: "aborted" });
    expect(server.requests).toHaveLength(1);
  });

  test("by leaving cancels the request, and is no error", async () => {
    const { controller, listeners } = countingSignal();
    const server = await startServer(endless);
    const reading = remoteReader({ url: server.url }).read(EVERYTHING, { signal: controller.signal });
    for await (const { labels } of reading) {
      expect(labels).toEqual(["a", "1"]);
      break;
    }
    await server.gone(0);
    expect(reading.report().replicas[0]!.error).toBeUndefined();
    expect(listeners()).toBe(0);
  });

  test("by leaving does not wait for what is on its way", async () => {
    const server = await startServer(endless);
    const iterator = remoteReader({ url: server.url }).read(EVERYTHING)[Symbol.asyncIterator]();
    await iterator.next();
    await iterator.next();
    const pending = iterator.next();
    await iterator.return?.();
    await expect(pending).resolves.toEqual({ done: true, value: undefined });
    await server.gone(0);
  });

  test("takes no listener along in the usual case either", async () => {
    const { controller, listeners } = countingSignal();
    await readFrom(answerWhole(frame("a=1")), {}, EVERYTHING, { signal: controller.signal });
    expect(listeners()).toBe(0);
  });

  test("holds the server back where the reader pauses", async () => {
    let written = 0;
    const server = await startServer((response) => {
      response.writeHead(200, { "Content-Type": STREAMED_TYPE });
      const write = (): void => {
        while (!response.destroyed) {
          const bytes = frame(["a", String(written).padStart(9, "0"), "b", "x".repeat(100_000)]);
          written++;
          if (!response.write(bytes)) {
            response.once("drain", write);
            return;
          }
        }
      };
      write();
    });
    const iterator = remoteReader({ url: server.url }).read(EVERYTHING)[Symbol.asyncIterator]();
    await iterator.next();
    await new Promise((resolve) => void setTimeout(resolve, 300));
    const paused = written;
    await new Promise((resolve) => void setTimeout(resolve, 300));
    expect(written).toBe(paused);
    await iterator.return?.();
  });
});

/** A whole streamed answer with these headers. */
function withHeaders(headers: Record<string, string>): Response {
  return new Response(frame("a=1"), { headers: { "Content-Type": STREAMED_TYPE, ...headers } });
}

async function failByClock(): Promise<Response> {
  throw new TypeError("fetch failed", { cause: Object.assign(new Error("x"), { code: "UND_ERR_HEADERS_TIMEOUT" }) });
}

/** A signal that counts its listeners. */
function countingSignal(): { controller: AbortController; listeners: () => number } {
  const controller = new AbortController();
  const { signal } = controller;
  let listeners = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...given: Parameters<typeof add>) => {
    listeners++;
    add(...given);
  };
  signal.removeEventListener = (...given: Parameters<typeof remove>) => {
    listeners--;
    remove(...given);
  };
  return { controller, listeners: () => listeners };
}

/** The code of the error that an answer with these headers makes. */
async function codeWith(headers: Record<string, string>): Promise<string | undefined> {
  const fetchIt = answering(() => withHeaders(headers));
  return (await readAll(remoteReader({ url: URL_OF_NOBODY, fetch: fetchIt }))).error?.code;
}

/** An answer that ends when the connection does. */
function answerBare(response: ServerResponse): void {
  response.socket!.write(`HTTP/1.1 200 OK\r\nContent-Type: ${STREAMED_TYPE}\r\nConnection: close\r\n\r\n`);
  response.socket!.end(frame("a=1"));
}

/** A series each 5 ms, for ever. */
function trickle(response: ServerResponse): void {
  response.writeHead(200, { "Content-Type": STREAMED_TYPE });
  let index = 0;
  const timer = setInterval(() => response.write(frame(`a=${String(index++).padStart(9, "0")}`)), 5);
  response.on("close", () => clearInterval(timer));
}
