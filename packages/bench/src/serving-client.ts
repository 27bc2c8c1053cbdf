/** Clients of a read handler that throw away what they get, and take the time. */
import { once } from "node:events";
import { Agent, type IncomingMessage, request as openRequest } from "node:http";
import { performance } from "node:perf_hooks";
// The package keeps its wire formats to itself; the answer is checked with them.
import { chunkCount } from "../../remote-read/dist/chunk/chunk-block.js";
import { decodeChunkedResponse } from "../../remote-read/dist/chunked-response.js";
import { FrameParser } from "../../remote-read/dist/wire/frame.js";

/** What many requests took. */
export interface Load {
  readonly requestsPerSecond: number;
  readonly medianMs: number;
  readonly percentile99Ms: number;
  readonly bodyBytes: number;
}

/** What is in an answer. */
export interface Contents {
  readonly series: number;
  readonly samples: number;
}

const agent = new Agent({ keepAlive: true });

/** Closes the connections that are kept. */
export function hangUp(): void {
  agent.destroy();
}

/**
 * Sends the same request again and again, by so many clients at a time, each of which waits for its answer's end.
 *
 * @throws Error if an answer is not 200, is cut, or is of another length than the first one.
 */
export async function load(port: number, body: Uint8Array, requests: number, clients: number): Promise<Load> {
  const tookMs: number[] = [];
  let bodyBytes: number | undefined = undefined;
  let left = requests;
  const runClient = async (): Promise<void> => {
    while (left-- > 0) {
      const begin = performance.now();
      const bytes = await countBody(await ask(port, body));
      tookMs.push(performance.now() - begin);
      bodyBytes ??= bytes;
      if (bytes !== bodyBytes) {
        throw new Error(`an answer has ${bytes} bytes, the first one had ${bodyBytes}`);
      }
    }
  };
  const begin = performance.now();
  await Promise.all(Array.from({ length: clients }, runClient));
  const wholeMs = performance.now() - begin;
  tookMs.sort((one, other) => one - other);
  return {
    requestsPerSecond: (requests / wholeMs) * 1_000,
    medianMs: tookMs[Math.floor(requests / 2)]!,
    percentile99Ms: tookMs[Math.floor(requests * 0.99)]!,
    bodyBytes: bodyBytes ?? 0,
  };
}

/** Takes one answer apart: verified frames, and what its chunks say that they hold. */
export async function inspect(port: number, body: Uint8Array): Promise<Contents> {
  const parser = new FrameParser();
  let series = 0;
  let samples = 0;
  for await (const piece of await ask(port, body)) {
    parser.push(piece as Uint8Array);
    for (let payload = parser.next(); payload !== undefined; payload = parser.next()) {
      for (const { chunks } of decodeChunkedResponse(payload).series) {
        series++;
        samples += chunks.reduce((sum, chunk) => sum + chunkCount(chunk), 0);
      }
    }
  }
  parser.finish();
  return { series, samples };
}

async function ask(port: number, body: Uint8Array): Promise<IncomingMessage> {
  const request = openRequest({ host: "127.0.0.1", port, path: "/api/v1/read", method: "POST", agent });
  request.end(body);
  const [response] = (await once(request, "response")) as [IncomingMessage];
  if (response.statusCode !== 200) {
    throw new Error(`the handler answered with status ${response.statusCode}`);
  }
  return response;
}

/** Throws if the connection ends before the body does. */
async function countBody(response: IncomingMessage): Promise<number> {
  let bytes = 0;
  for await (const piece of response) {
    bytes += (piece as Uint8Array).length;
  }
  return bytes;
}
