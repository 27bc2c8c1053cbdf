/**
 * Readers served, and what a client sees of each answer: whole, refused with a status, or broken off.
 *
 *     reader ──▶ readHandler ──▶ @hono/node-server ──▶ 127.0.0.1 ──▶ strict client       startReaderServer
 *                          └───────────────────────────────────────▶                     readWithoutServer
 */
import { once } from "node:events";
import { type IncomingMessage, request as openRequest } from "node:http";
import type { AddressInfo } from "node:net";

import { serve, type ServerType } from "@hono/node-server";
import { expect, vi } from "vitest";

import { readHandler } from "../src/handler.ts";
import type { Reader, ReadReport } from "../src/reader.ts";
import { concatenate, toHex } from "./bytes.ts";
import { type AskedQuery, type Handler, post, requestBody } from "./read-exchange.ts";
import { type ClientAnswer, type ClientRow, readStrictly } from "./strict-client.ts";

/** A series as a client sees it: its labels as one text, and its rows. */
export type SeenSeries = readonly [string, readonly ClientRow[]];

export interface Seen {
  /** Whether the body came to its end, there was a status in its place, or the connection broke in mid-body. */
  readonly how: "whole" | "refused" | "broken";
  readonly status: number;
  /** The series; of a body that broke off those of its whole frames. */
  readonly series: readonly SeenSeries[];
  /** The text of a refusal. */
  readonly text: string;
  /** The header that names the replicas that are missing. */
  readonly partial: string | undefined;
  readonly report: ReadReport;
}

/** Serves one read of a reader and reads it as a strict client does, whose errors are thrown. */
export type ReadServed = (reader: Reader, query: AskedQuery, type: number) => Promise<Seen>;

export interface ReaderServer {
  readonly read: ReadServed;
  readonly stop: () => Promise<void>;
}

export async function startReaderServer(): Promise<ReaderServer> {
  const handlers = new Map<string, Handler>();
  // The server writes why it breaks a connection to the console; what it writes to the client counts.
  const written = vi.spyOn(console, "error").mockImplementation(() => undefined);
  const server: ServerType = serve({
    fetch: (request) => handlers.get(new URL(request.url).pathname)!(request),
    hostname: "127.0.0.1",
    port: 0,
  });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  let reads = 0;

  const read: ReadServed = async (reader, query, type) => {
    const path = `/${reads++}`;
    const reports: ReadReport[] = [];
    handlers.set(path, readHandler(reader, { onReport: (report) => reports.push(report) }));
    try {
      const request = openRequest({ host: "127.0.0.1", port, path, method: "POST", agent: false });
      request.end(requestBody([query], [type]));
      const [response] = (await once(request, "response")) as [IncomingMessage];
      const [body, isWhole] = await gather(response, (error) => (error as NodeJS.ErrnoException).code === "ECONNRESET");
      expect(response.complete).toBe(isWhole);
      const headers = new Headers(response.headers as Record<string, string>);
      return { ...look(response.statusCode!, headers, body, isWhole, query), report: reports[0]! };
    } finally {
      handlers.delete(path);
    }
  };

  const stop = async (): Promise<void> => {
    const closed = once(server, "close");
    server.close();
    if ("closeAllConnections" in server) {
      server.closeAllConnections();
    }
    await closed;
    written.mockRestore();
  };

  return { read, stop };
}

/** The same by calls of functions, for those who read very often. */
export const readWithoutServer: ReadServed = async (reader, query, type) => {
  const reports: ReadReport[] = [];
  const failures: unknown[] = [];
  const handler = readHandler(reader, {
    onReport: (report) => reports.push(report),
    onError: (error) => failures.push(error),
  });
  const { body, headers, status } = await post(handler, [query], [type]);
  const [bytes, isWhole] = await gather(body ?? [], (error) => failures.includes(error));
  return { ...look(status, headers, bytes, isWhole, query), report: reports[0]! };
};

/** What came of the body, and whether that is all of it. Other errors than those of a body that breaks off are thrown. */
async function gather(
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  isBreak: (error: unknown) => boolean,
): Promise<[Uint8Array, boolean]> {
  const pieces: Uint8Array[] = [];
  let isWhole = true;
  try {
    for await (const piece of body) {
      pieces.push(piece);
    }
  } catch (error) {
    if (!isBreak(error)) {
      throw error;
    }
    isWhole = false;
  }
  return [concatenate(...pieces), isWhole];
}

function look(
  status: number,
  headers: Headers,
  body: Uint8Array,
  isWhole: boolean,
  query: AskedQuery,
): Omit<Seen, "report"> {
  const seen = { status, partial: headers.get("X-Promsplice-Partial") ?? undefined };
  if (status !== 200) {
    return { ...seen, how: "refused", series: [], text: new TextDecoder().decode(body) };
  }
  const contentType = headers.get("Content-Type");
  const series = readOnce({ status, contentType, body: isWhole ? body : wholeFrames(body) }, query);
  return { ...seen, how: isWhole ? "whole" : "broken", series, text: "" };
}

const known = new Map<string, readonly SeenSeries[]>();
const KNOWN_MAX = 1000;

/** What the strict client reads; of the same bytes once, since campaigns see the same answers again and again. */
function readOnce(answer: ClientAnswer, query: AskedQuery): readonly SeenSeries[] {
  const key = `${answer.contentType} ${query.startMs} ${query.endMs} ${toHex(answer.body)}`;
  const before = known.get(key);
  if (before !== undefined) {
    return before;
  }
  const [series = []] = readStrictly(answer, [query]);
  const seen = series.map(({ labels, rows }): SeenSeries => [labels.join(" "), rows]);
  if (known.size < KNOWN_MAX) {
    known.set(key, seen);
  }
  return seen;
}

/** The frames that are whole. */
function wholeFrames(body: Uint8Array): Uint8Array {
  let end = 0;
  for (let at = 0; at < body.length;) {
    let length = 0;
    let place = 1;
    for (; at < body.length && body[at]! >= 128; at++, place *= 128) {
      length += (body[at]! & 127) * place;
    }
    length += (body[at++] ?? 0) * place;
    at += 4 + length;
    if (at <= body.length) {
      end = at;
    }
  }
  return body.subarray(0, end);
}
