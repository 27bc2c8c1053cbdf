/** How cut replicas are reached and the splice of them is read: over real sockets, or by calls of functions alone. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import type { RemoteReaderOptions } from "../../src/client.ts";
import { type Answer, answerCut, answerWhole, SAMPLES_TYPE, STREAMED_TYPE } from "../answering-server.ts";
import { type ReadServed, readWithoutServer, startReaderServer } from "../served-pair.ts";
import { PAIRS, type Way } from "./recorded-cuts.ts";

export interface Transport {
  /** Where a replica is; its path says what it answers, `/pair/side/way/offset`. */
  readonly replica: (path: string) => Pick<RemoteReaderOptions, "url" | "fetch">;
  readonly read: ReadServed;
}

export const simulated: Transport = {
  replica: (path) => ({ url: `http://replica.invalid${path}`, fetch: async () => simulate(path) }),
  read: readWithoutServer,
};

export interface RealTransport extends Transport {
  readonly stop: () => Promise<void>;
}

/** Starts a server for the replicas and one for what splices them. */
export async function startReal(): Promise<RealTransport> {
  const replicas = await startReplicas();
  const served = await startReaderServer();
  return {
    replica: (path) => ({ url: `http://127.0.0.1:${replicas.port}${path}` }),
    read: served.read,
    stop: async () => {
      await served.stop();
      replicas.stop();
    },
  };
}

/** What `fetch` makes of a cut; of a short length it says nothing here, which the reader then has to. */
function simulate(path: string): Response {
  const { bytes, contentType, way, wholeLength } = readPath(path);
  const half = bytes.length >> 1;
  const pieces = [bytes.subarray(0, half), bytes.subarray(half)].filter(({ length }) => length > 0);
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      const piece = pieces.shift();
      if (piece !== undefined) {
        // A piece is the reader's own.
        controller.enqueue(piece.slice());
      } else if (way === "chunked" || way === "reset") {
        controller.error(new TypeError("terminated"));
      } else {
        controller.close();
      }
      if (way === "reset" && pieces.length === 1) {
        controller.error(new TypeError("terminated", { cause: new Error("read ECONNRESET") }));
      }
    },
  });
  const length = way === "content-length" ? { "Content-Length": String(wholeLength) } : undefined;
  return new Response(body, {
    headers: { "Content-Type": contentType, ...(length ?? { "Transfer-Encoding": "chunked" }) },
  });
}

async function startReplicas(): Promise<{ readonly port: number; readonly stop: () => void }> {
  const server = createServer((request, response) => {
    const { bytes, contentType, way, wholeLength } = readPath(request.url!);
    const answer: Answer =
      way === "clean" ? answerWhole(bytes, contentType) : answerCut(way, bytes, wholeLength, contentType);
    request.resume().on("end", () => answer(response, undefined as never));
  });
  // On a busy machine a connection may be closed as idle in the moment in which it is used again.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const stop = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { port: (server.address() as AddressInfo).port, stop };
}

function readPath(path: string): {
  readonly bytes: Uint8Array;
  readonly contentType: string;
  readonly way: Way;
  readonly wholeLength: number;
} {
  const [, pair, side, way, offset] = path.split("/");
  const { body, isSamples } = PAIRS[Number(pair)]!.replicas[Number(side)]!;
  return {
    bytes: body.subarray(0, Number(offset)),
    contentType: isSamples ? SAMPLES_TYPE : STREAMED_TYPE,
    way: way as Way,
    wholeLength: body.length,
  };
}
