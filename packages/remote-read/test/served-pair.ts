/**
 * Readers served over real HTTP, and what a client sees of each answer:
 *
 *     reader ──▶ readHandler ──▶ @hono/node-server ──▶ 127.0.0.1 ──▶ whole, refused with a status, or broken off
 */
import { once } from "node:events";
import { Agent, type IncomingMessage, request as openRequest } from "node:http";
import type { AddressInfo } from "node:net";

import { serve, type ServerType } from "@hono/node-server";
import { vi } from "vitest";

import { readHandler } from "../src/handler.ts";
import type { Reader, ReadReport } from "../src/reader.ts";
import { concatenate } from "./bytes.ts";
import { type AskedQuery, type Handler, requestBody } from "./read-exchange.ts";
import { type ClientRow, readStrictly } from "./strict-client.ts";

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

export interface ReaderServer {
  /** Serves one read of the reader and reads it as a strict client does, whose errors are thrown. */
  readonly read: (reader: Reader, query: AskedQuery, type: number) => Promise<Seen>;
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
  const agent = new Agent({ keepAlive: true });
  let reads = 0;

  const read: ReaderServer["read"] = async (reader, query, type) => {
    const path = `/${reads++}`;
    const reports: ReadReport[] = [];
    handlers.set(path, readHandler(reader, { onReport: (report) => reports.push(report) }));
    try {
      const request = openRequest({ host: "127.0.0.1", port, path, method: "POST", agent });
      request.end(requestBody([query], [type]));
      const [response] = (await once(request, "response")) as [IncomingMessage];
      const [body, isWhole] = await gather(response);
      return { ...look(response, body, isWhole, query), report: reports[0]! };
    } finally {
      handlers.delete(path);
    }
  };

  const stop = async (): Promise<void> => {
    agent.destroy();
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

/** What came of the body, and whether that is all of it. */
async function gather(response: IncomingMessage): Promise<[Uint8Array, boolean]> {
  const pieces: Uint8Array[] = [];
  try {
    for await (const piece of response) {
      pieces.push(piece as Uint8Array);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ECONNRESET") {
      throw error;
    }
  }
  return [concatenate(...pieces), response.complete];
}

function look(response: IncomingMessage, body: Uint8Array, isWhole: boolean, query: AskedQuery): Omit<Seen, "report"> {
  const { headers, statusCode: status = 0 } = response;
  const partial = headers["x-promsplice-partial"];
  const seen = { status, partial: typeof partial === "string" ? partial : undefined };
  if (status !== 200) {
    return { ...seen, how: "refused", series: [], text: new TextDecoder().decode(body) };
  }
  const contentType = headers["content-type"] ?? null;
  const [series = []] = readStrictly({ status, contentType, body: isWhole ? body : wholeFrames(body) }, [query]);
  return {
    ...seen,
    how: isWhole ? "whole" : "broken",
    series: series.map(({ labels, rows }) => [labels.join(" "), rows]),
    text: "",
  };
}

/** The frames that are whole. */
function wholeFrames(body: Uint8Array): Uint8Array {
  let end = 0;
  for (let at = 0; at < body.length; ) {
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
