/** Our handler over two servers, as a user would run it: what the empty Prometheus has as its only source. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";

import { type ServerType, serve } from "@hono/node-server";
import { penalty } from "@promsplice/core";

import { remoteReader } from "../../src/client.ts";
import { readHandler } from "../../src/handler.ts";
import type { ResponseType } from "../../src/read-exchange.ts";
import type { Query, ReadReport } from "../../src/reader.ts";
import { splicedReader } from "../../src/spliced-reader.ts";
import { compressSnappy, uncompressSnappy } from "../../src/wire/snappy.ts";
import { encodeByReflection, reflect } from "../prompb.ts";
import { requestOf, SAMPLES } from "../read-exchange.ts";
import type { PrometheusServer } from "./prometheus.ts";

const REQUEST_BYTES_MAX = 1 << 20;

export type HandleRequest = (request: Request) => Promise<Response>;

/** What went through the handlers that `spliceServers` made. */
export interface Traffic {
  readonly queries: Query[];
  readonly reports: ReadReport[];
  readonly errors: unknown[];
}

/** A handler over replicas called A and B, which are asked for one form only. */
export function spliceServers(
  replicas: readonly PrometheusServer[],
  responseType: ResponseType,
  traffic: Traffic,
): HandleRequest {
  const readers = replicas.map(({ url }, index) =>
    remoteReader({ url: `${url}/api/v1/read`, name: "AB"[index]!, responseTypes: [responseType] }),
  );
  const reader = splicedReader(readers, { replicaLabels: ["replica"], strategy: penalty() });
  return readHandler(
    {
      read: (query, options) => {
        traffic.queries.push(query);
        return reader.read(query, options);
      },
    },
    {
      onReport: (report) => void traffic.reports.push(report),
      onError: (error) => void traffic.errors.push(error),
    },
  );
}

/** A handler that takes every request for one that wants samples. */
export function answerWithSamples(handle: HandleRequest): HandleRequest {
  return async (request) => {
    const body = uncompressSnappy(new Uint8Array(await request.arrayBuffer()), REQUEST_BYTES_MAX);
    const asked = { ...reflect("ReadRequest", body), accepted_response_types: [SAMPLES] };
    return handle(requestOf(compressSnappy(encodeByReflection("ReadRequest", asked))));
  };
}

/** One HTTP server for all handlers, one at a time: so that whoever reads it need not be started again. */
export class HandlerServer {
  /** The handler in use. */
  handle: HandleRequest = () => Promise.resolve(new Response("no handler yet\n", { status: 503 }));
  #server: ServerType | undefined;

  /** Starts it; gives the URL of the endpoint. */
  async start(): Promise<string> {
    const server = serve({ fetch: (request) => this.handle(request), hostname: "127.0.0.1", port: 0 });
    this.#server = server;
    await once(server, "listening");
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/read`;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server !== undefined) {
      const closed = once(server, "close");
      server.close();
      if ("closeAllConnections" in server) {
        server.closeAllConnections();
      }
      await closed;
    }
  }
}
