/** What the client sends to real HTTP servers on loopback, whom it asks, and what it says of those that refuse. */
import { readFileSync } from "node:fs";
import path from "node:path";

import { afterEach, describe, expect, test } from "vitest";

import { remoteReader, type RemoteReaderOptions } from "../src/client.ts";
import { type Answer, answerWhole, SAMPLES_TYPE, startServer, stopServers, STREAMED_TYPE } from "./answering-server.ts";
import { concatenate } from "./bytes.ts";
import {
  EVERYTHING,
  frame,
  namesOf,
  readAll,
  readFrom,
  ROWS,
  rowsOf,
  samplesBody,
  URL_OF_NOBODY,
} from "./client-exchange.ts";
import { blockOf, queryOf, seriesOf } from "./read-exchange.ts";

afterEach(stopServers);

const HTML = "<!DOCTYPE html>\n<html><body>Log in</body></html>";

/** A server that fails where streamed chunks are asked for. */
const fussy =
  (status: number): Answer =>
  (response, request) => {
    if (request.message.acceptedResponseTypes.includes(1)) {
      response.writeHead(status, { "Content-Type": "text/plain" }).end("not implemented\n");
    } else {
      answerWhole(samplesBody([seriesOf("a=1", blockOf(ROWS))]), SAMPLES_TYPE)(response, request);
    }
  };

/** An answer of these parts. */
const answerPlain = (status: number, headers: Record<string, string>, body: string): Answer => {
  return (response) => void response.writeHead(status, headers).end(body);
};

describe("the request", () => {
  test("is protobuf in snappy with the headers of Prometheus' client", async () => {
    const { server, error } = await readFrom(answerWhole(new Uint8Array(0)), { headers: { "X-Scope-OrgID": "team" } });
    expect(error).toBeUndefined();
    const [{ method, path: asked, headers, message }] = server.requests as [(typeof server.requests)[number]];
    expect([method, asked]).toEqual(["POST", "/api/v1/read"]);
    expect(headers).toMatchObject({
      "content-type": "application/x-protobuf",
      "content-encoding": "snappy",
      "accept-encoding": "snappy",
      "x-prometheus-remote-read-version": "0.1.0",
      "x-scope-orgid": "team",
    });
    const { version } = JSON.parse(readFileSync(path.join(import.meta.dirname, "../package.json"), "utf8")) as {
      version: string;
    };
    expect(headers["user-agent"]).toBe(`Promsplice/${version}`);
    expect(message.acceptedResponseTypes).toEqual([1, 0]);
  });

  test("has hints that span the query, made or rewritten", async () => {
    const server = await startServer(answerWhole(new Uint8Array(0)));
    const reader = remoteReader({ url: server.url });
    const query = queryOf([["=", "__name__", "up"]], 1000, 2000);
    const hints = { stepMs: 15, func: "rate", startMs: 0, endMs: 0, grouping: ["job"], by: true, rangeMs: 300 };
    await readAll(reader, query);
    await readAll(reader, { ...query, hints });
    expect(server.requests.map(({ message }) => message.queries)).toEqual([
      [{ ...query, hints: { stepMs: 0, func: "", startMs: 1000, endMs: 2000, grouping: [], by: false, rangeMs: 0 } }],
      [{ ...query, hints: { ...hints, startMs: 1000, endMs: 2000 } }],
    ]);
  });

  test("is sent when the answer is iterated over, and once", async () => {
    const server = await startServer(answerWhole(frame("a=1")));
    const reading = remoteReader({ url: server.url }).read(EVERYTHING);
    await new Promise((resolve) => void setTimeout(resolve, 20));
    expect(server.requests).toHaveLength(0);
    const iterator = reading[Symbol.asyncIterator]();
    await iterator.next();
    expect(server.requests).toHaveLength(1);
    expect(() => reading[Symbol.asyncIterator]()).toThrow(TypeError);
    await iterator.return?.();
  });

  test.each([
    [{ basicAuth: { username: "jö", password: "p:ä" } }, `Basic ${Buffer.from("jö:p:ä").toString("base64")}`],
    [{ bearerToken: "secret" }, "Bearer secret"],
    [{ headers: { authorization: "Custom x" } }, "Custom x"],
  ])("authenticates with %o", async (options, expected) => {
    const { server } = await readFrom(answerWhole(new Uint8Array(0)), options);
    expect(server.requests[0]!.headers.authorization).toBe(expected);
  });

  test("asks for samples alone where nothing else is wanted", async () => {
    const { server, series } = await readFrom(
      answerWhole(samplesBody([seriesOf("a=1", blockOf(ROWS))]), SAMPLES_TYPE),
      {
        responseTypes: ["SAMPLES"],
      },
    );
    expect(server.requests[0]!.message.acceptedResponseTypes).toEqual([0]);
    expect(rowsOf(series[0]!)).toEqual(ROWS);
  });

  test("is refused at once where options are not what they should be", () => {
    const wrong: (readonly [Partial<RemoteReaderOptions>, string])[] = [
      [{ url: "prometheus-a" }, "http://prometheus-a:9090/api/v1/read"],
      [{ url: "file:///x" }, "expected http"],
      [{ url: "http://me:hush@prometheus-a/" }, "basicAuth"],
      [{ headers: { "content-TYPE": "x" } }, "set by the protocol"],
      [{ headers: { "X-A": "hush\n\nhush" } }, "X-A"],
      [{ bearerToken: "hush\nhush" }, "Authorization"],
      [{ bearerToken: "hush", basicAuth: { username: "a", password: "hush" } }, "more than one"],
      [{ basicAuth: { username: "a:b", password: "hush" } }, "colon"],
      [{ responseTypes: [] }, "responseTypes"],
      [{ members: {} }, "one label"],
      [{ members: { replica: ["A"], other: ["B"] } }, "one label"],
      [{ members: { replica: ["A", "A"] } }, "different"],
      [{ limits: { frameBytesMax: 2 ** 29 } }, "frameBytesMax"],
      [{ limits: { sortBytesMax: -1 } }, "sortBytesMax"],
      [{ limits: { sortBytes: 1 } as never }, "there is no limit sortBytes"],
      [{ timeouts: { idleMs: Infinity } }, "idleMs"],
    ];
    for (const [options, message] of wrong) {
      let error: unknown;
      try {
        remoteReader({ url: URL_OF_NOBODY, ...options });
      } catch (thrown) {
        error = thrown;
      }
      expect(String(error), message).toMatch(/^(?:Type|Range)Error/);
      expect(String(error)).toContain(message);
      expect(String(error)).not.toContain("hush");
    }
  });
});

describe("members", () => {
  /** A server with both members of a pair, series of another one and of none, all with a label behind `replica`. */
  const stored = ["A", "B", "a.b|c", ""].flatMap((replica) =>
    ["200", "500"].map((status) => [...(replica === "" ? [] : ["replica", replica]), "status", status]),
  );
  const serve: Answer = (response, { message }) => {
    const matcher = message.queries[0]!.matchers.at(-1)!;
    const held = stored.filter((labels) => {
      const value = labels[0] === "replica" ? labels[1]! : "";
      const isEqual = matcher.type === "=" ? value === matcher.value : new RegExp(`^(?:${matcher.value})$`).test(value);
      return matcher.name !== "replica" || isEqual === (matcher.type === "=");
    });
    const sorted = held.toSorted((one, other) => (one.join("\0") < other.join("\0") ? -1 : 1));
    answerWhole(concatenate(...sorted.map((labels) => frame(labels))))(response, undefined as never);
  };
  const wanted = ["200", "500"].flatMap((status) =>
    ["A", "B", "a.b|c", ""].map((replica) =>
      replica === "" ? `status ${status}` : `replica ${replica} status ${status}`,
    ),
  );

  test("that are named are one request each, and one for the others", async () => {
    const { series, server, report, error } = await readFrom(
      serve,
      { members: { replica: ["a.b|c", "B", "A"] } },
      EVERYTHING,
      {
        orderWithout: ["replica"],
      },
    );
    expect(error).toBeUndefined();
    expect(namesOf(series)).toHaveLength(wanted.length);
    expect(new Set(namesOf(series))).toEqual(new Set(wanted));
    expect(namesOf(series).map((name) => name.slice(-3))).toEqual([
      "200",
      "200",
      "200",
      "200",
      "500",
      "500",
      "500",
      "500",
    ]);
    expect(report).toMatchObject({ series: 8, united: 0, replicas: [{ name: server.host }] });
    const added = server.requests.map(({ message }) => message.queries[0]!.matchers.at(-1)!);
    expect(added.map(({ type, value }) => `${type} ${value}`).toSorted()).toEqual([
      String.raw`!~ a\.b\|c|B|A`,
      "= A",
      "= B",
      "= a.b|c",
    ]);
  });

  test("of which one is not named step back", async () => {
    const options: Partial<RemoteReaderOptions> = { members: { replica: ["A", "a.b|c"] } };
    const { error } = await readFrom(serve, options, EVERYTHING, { orderWithout: ["replica"] });
    expect(error).toMatchObject({ code: "series-out-of-order" });
  });

  test("that are not named step back", async () => {
    const { error } = await readFrom(serve, {}, EVERYTHING, { orderWithout: ["replica"] });
    expect(error).toMatchObject({ code: "series-out-of-order" });
    expect(error!.message).toContain("members");
    const collected = await readFrom(serve, { collect: true }, EVERYTHING, { orderWithout: ["replica"] });
    expect(new Set(namesOf(collected.series))).toEqual(new Set(wanted));
  });

  test("fail together, and nothing is left open", async () => {
    const server = await startServer((response, request) => {
      if (request.message.queries[0]!.matchers.at(-1)!.value === "B") {
        response.writeHead(500, { "Content-Type": "text/plain" }).end("broken");
      } else {
        response.writeHead(200, { "Content-Type": STREAMED_TYPE });
        response.write(frame("a=1"));
      }
    });
    const options: RemoteReaderOptions = {
      url: server.url,
      members: { replica: ["A", "B"] },
      responseTypes: ["STREAMED_XOR_CHUNKS"],
    };
    const { error } = await readAll(remoteReader(options));
    expect(error).toMatchObject({ code: "http-status" });
    await Promise.all(server.requests.map((_, index) => server.gone(index)));
  });
});

describe("the fallback to samples", () => {
  test("is tried once when the first streamed try fails with 5xx, and remembered", async () => {
    const server = await startServer(fussy(500));
    const reader = remoteReader({ url: server.url });
    for (let time = 0; time < 2; time++) {
      const { series, error } = await readAll(reader);
      expect([namesOf(series), error]).toEqual([["a 1"], undefined]);
    }
    expect(server.requests.map(({ message }) => message.acceptedResponseTypes)).toEqual([[1, 0], [0], [0]]);
  });

  test("is not tried for 4xx, nor where samples were not wanted", async () => {
    expect((await readFrom(fussy(400))).error).toMatchObject({ code: "http-status" });
    const { error, server } = await readFrom(fussy(500), { responseTypes: ["STREAMED_XOR_CHUNKS"] });
    expect(error).toMatchObject({ code: "http-status" });
    expect(server.requests).toHaveLength(1);
  });

  test("is not tried once a try has been answered, and not remembered where it fails too", async () => {
    let isDown = true;
    const server = await startServer((response, request) => {
      if (isDown) {
        response.writeHead(503, { "Content-Type": "text/plain" }).end("Service Unavailable");
      } else {
        answerWhole(frame("a=1"))(response, request);
      }
    });
    const reader = remoteReader({ url: server.url });
    expect((await readAll(reader)).error?.message).toContain("503");
    isDown = false;
    expect((await readAll(reader)).error).toBeUndefined();
    isDown = true;
    expect((await readAll(reader)).error?.message).toContain("503");
    expect(server.requests.map(({ message }) => message.acceptedResponseTypes)).toEqual([[1, 0], [0], [1, 0], [1, 0]]);
  });
});

describe("an HTTP error", () => {
  test.each([401, 404, 429, 500, 503])("of status %i is told with what the server said", async (status) => {
    const { error } = await readFrom(
      answerPlain(status, { "Content-Type": "text/plain", "Content-Encoding": "snappy" }, "it is\n so\n"),
    );
    expect(error).toMatchObject({ code: "http-status" });
    expect(error!.message).toMatch(new RegExp(String.raw`status ${status} [A-Z].*: it is so$`));
  });

  test("shows 1 KiB of a long text, and leaves the rest", async () => {
    const server = await startServer((response) => {
      response.writeHead(400, { "Content-Type": "text/plain" });
      response.write("é".repeat(100_000));
    });
    const { error } = await readAll(remoteReader({ url: server.url }));
    expect(error!.message).toMatch(/Bad Request: é{512}$/);
    await server.gone(0);
  });

  test("that is a page for people is called one", async () => {
    const page = { "Content-Type": "text/html; charset=utf-8" };
    const failed = await readFrom(answerPlain(404, page, HTML));
    expect(failed.error).toMatchObject({ code: "http-status" });
    expect(failed.error!.message).toMatch(/404 Not Found: an HTML page/);
    const succeeded = await readFrom(answerPlain(200, page, HTML));
    expect(succeeded.error).toMatchObject({ code: "content-type" });
    expect(succeeded.error!.message).toMatch(/"text\/html.*an HTML page/);
  });

  test("of another content type names both", async () => {
    const { error } = await readFrom(answerPlain(200, { "Content-Type": "application/x-streamed-protobuf" }, ""));
    expect(error).toMatchObject({ code: "content-type" });
    expect(error!.message).toContain('"application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse"');
    expect((await readFrom(answerPlain(204, {}, ""))).error).toMatchObject({ code: "content-type" });
  });

  test("is what a redirect is: it is not followed", async () => {
    const target = await startServer(answerWhole(frame("a=1")));
    const { error } = await readFrom(answerPlain(307, { Location: target.url }, ""), { bearerToken: "hush" });
    expect(error).toMatchObject({ code: "http-status" });
    expect(error!.message).toContain(`a redirect to ${target.url}`);
    expect(target.requests).toHaveLength(0);
  });

  test("is told even where its text stalls", async () => {
    const { error } = await readFrom(
      (response) => {
        response.writeHead(500, { "Content-Type": "text/plain" });
        response.write("broken");
      },
      { timeouts: { idleMs: 50 }, responseTypes: ["SAMPLES"] },
    );
    expect(error).toMatchObject({ code: "http-status" });
    expect(error!.message).toContain("broken");
  });

  test("is not what nobody answers, which says why", async () => {
    const server = await startServer(answerWhole(new Uint8Array(0)));
    await stopServers();
    const { error } = await readAll(remoteReader({ url: server.url, name: "A" }));
    expect(error).toMatchObject({ code: "connection-failed", replica: "A" });
    expect(error!.message).toMatch(/^no answer: .*ECONNREFUSED/);
  });
});
