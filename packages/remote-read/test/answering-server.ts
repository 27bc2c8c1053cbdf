/** Real HTTP servers on loopback that answer as a test says, also as no good server would. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

import { decodeReadRequest, type ReadRequest } from "../src/read-request.ts";
import { uncompressSnappy } from "../src/wire/snappy.ts";

interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Uint8Array;
  readonly message: ReadRequest;
}

export interface AnsweringServer {
  readonly url: string;
  readonly host: string;
  readonly requests: readonly ReceivedRequest[];
  /** Resolves when the client has closed the connection of the request of this index, or it has ended otherwise. */
  readonly gone: (index: number) => Promise<void>;
}

export type Answer = (response: ServerResponse, request: ReceivedRequest) => void;

const servers: Server[] = [];

/** Starts a server; `stopServers` stops all. */
export async function startServer(answer: Answer): Promise<AnsweringServer> {
  const requests: ReceivedRequest[] = [];
  const closed: Promise<void>[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const body = Uint8Array.from(Buffer.concat(pieces));
      const message = decodeReadRequest(uncompressSnappy(body, 1 << 20));
      const received = { method: request.method!, path: request.url!, headers: request.headers, body, message };
      requests.push(received);
      closed.push(new Promise((resolve) => void response.on("close", () => resolve())));
      answer(response, received);
    });
  });
  // On a busy machine a connection may be closed as idle in the moment in which it is used again.
  server.keepAliveTimeout = 0;
  servers.push(server);
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url: `http://${host}/api/v1/read`, host, requests, gone: (index) => closed[index]! };
}

export async function stopServers(): Promise<void> {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise<void>((resolve) => void server.close(() => resolve()));
  }
}

export const STREAMED_TYPE = "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse";
export const SAMPLES_TYPE = "application/x-protobuf";

/** How a body is cut: in all three the client gets `bytes` and then the end of the connection. */
export type Cut = "content-length" | "chunked" | "reset";

export function answerCut(cut: Cut, bytes: Uint8Array, wholeLength: number, contentType: string): Answer {
  return (response) => {
    const socket = response.socket as Socket;
    socket.setNoDelay();
    if (cut === "content-length") {
      response.writeHead(200, { "Content-Type": contentType, "Content-Length": wholeLength });
    } else {
      response.writeHead(200, { "Content-Type": contentType });
    }
    response.flushHeaders();
    if (bytes.length > 0) {
      response.write(bytes);
    }
    if (cut === "reset") {
      socket.write("", () => socket.resetAndDestroy());
    } else {
      socket.end();
    }
  };
}

/** A whole answer, chunked or with its length. */
export function answerWhole(bytes: Uint8Array, contentType: string = STREAMED_TYPE): Answer {
  return (response) => {
    response.writeHead(200, { "Content-Type": contentType });
    response.end(bytes);
  };
}
