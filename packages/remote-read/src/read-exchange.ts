/**
 * One question to a server and its answer, up to where the body begins:
 *
 *     POST, streamed chunks or samples ──▶ 200, content type ──▶ the body, as chunks or as samples
 *                                     └──▶ 5xx, and nothing was ever streamed ──▶ POST, samples alone ──▶ …
 *
 * Not every server knows the streamed answer: some answer samples whatever was asked for, so the content type decides, and
 * promxy fails with 500. What Prometheus 3.14 sends and accepts: storage/remote/client.go.
 */
import { HttpBody, transportError, withDeadline } from "./http-body.ts";
import { encodeReadRequest } from "./read-request.ts";
import { type Query, wantsLabelSetsOnly } from "./reader.ts";
import { RemoteReadError } from "./remote-read-error.ts";
import { compressSnappy, type SnappyOptions } from "./wire/snappy.ts";

/** The forms in which a server may answer, by the names that the protocol has for them. */
export type ResponseType = "STREAMED_XOR_CHUNKS" | "SAMPLES";

const TYPE_NUMBERS: Readonly<Record<ResponseType, number>> = { SAMPLES: 0, STREAMED_XOR_CHUNKS: 1 };

/** What a content type must begin with, letter by letter as in Prometheus' client. */
const CONTENT_TYPES: readonly (readonly [string, ResponseType])[] = [
  ["application/x-protobuf", "SAMPLES"],
  ["application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse", "STREAMED_XOR_CHUNKS"],
];

/** How much of an error's text goes into the message, in bytes. */
const ERROR_TEXT_BYTES_MAX = 1024;

/** A server, as its reader knows it. */
export interface Server {
  readonly url: string;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly headers: Headers;
  readonly firstByteMs: number;
  readonly idleMs: number;
  readonly snappy: SnappyOptions | undefined;
  /** In the order of our wish; without the streamed form once the server has shown that it fails there. */
  responseTypes: readonly ResponseType[];
  /** Whether a try that asked for the streamed form has ever been answered. */
  hasAnswered: boolean;
}

/** What one reading wants of its exchanges. */
export interface ExchangeOptions {
  /** See `HttpBodyOptions`. */
  readonly controller: AbortController;
  /** Told how many bytes of a body have arrived, piece by piece. */
  readonly onBytes: (bytes: number) => void;
}

export interface OpenedAnswer {
  readonly responseType: ResponseType;
  readonly body: HttpBody;
}

/**
 * Asks for one query. The answer's body must be closed.
 *
 * @throws RemoteReadError `http-status`, `content-type`, `timeout`, `body-truncated`, or the signal's reason.
 */
export async function openAnswer(server: Server, query: Query, options: ExchangeOptions): Promise<OpenedAnswer> {
  const types: readonly ResponseType[] = wantsLabelSetsOnly(query) ? ["SAMPLES"] : server.responseTypes;
  const response = await send(server, query, types, options);
  const isFallback =
    response.status >= 500 && !server.hasAnswered && types.length > 1 && types.includes("STREAMED_XOR_CHUNKS");
  if (!isFallback) {
    const answer = await accept(server, response, options);
    server.hasAnswered ||= types.includes("STREAMED_XOR_CHUNKS");
    return answer;
  }
  await response.body?.cancel().catch(() => {});
  const answer = await accept(server, await send(server, query, ["SAMPLES"], options), options);
  server.responseTypes = ["SAMPLES"];
  return answer;
}

async function send(
  server: Server,
  query: Query,
  types: readonly ResponseType[],
  { controller }: ExchangeOptions,
): Promise<Response> {
  const acceptedResponseTypes = types.map((type) => TYPE_NUMBERS[type]);
  const message = encodeReadRequest({ queries: [query], acceptedResponseTypes });
  const body = new Uint8Array(compressSnappy(message, server.snappy));
  const { firstByteMs } = server;
  return withDeadline(controller, firstByteMs, `no answer within ${firstByteMs} ms (first byte)`, async () => {
    try {
      return await server.fetch(server.url, {
        method: "POST",
        headers: server.headers,
        body,
        // What answers elsewhere is not what was configured, and must not get its credentials.
        redirect: "manual",
        signal: controller.signal,
      });
    } catch (error) {
      throw transportError("connection-failed", "no answer", error);
    }
  });
}

async function accept(
  server: Server,
  response: Response,
  { controller, onBytes }: ExchangeOptions,
): Promise<OpenedAnswer> {
  const { status } = response;
  const contentType = response.headers.get("Content-Type") ?? "";
  const responseType = CONTENT_TYPES.find(([prefix]) => contentType.startsWith(prefix))?.[1];
  const body = new HttpBody(response, { controller, idleMs: server.idleMs, onBytes });
  if (status >= 200 && status < 300 && responseType !== undefined) {
    return { responseType, body };
  }
  try {
    const text = await readText(body);
    if (controller.signal.reason instanceof RemoteReadError && controller.signal.reason.code === "aborted") {
      throw controller.signal.reason;
    }
    if (status >= 200 && status < 300) {
      const got = contentType === "" ? "none" : JSON.stringify(contentType.slice(0, ERROR_TEXT_BYTES_MAX));
      const expected = CONTENT_TYPES.map(([prefix]) => JSON.stringify(prefix)).join(" or ");
      const hint = describeHtml(contentType, text);
      throw new RemoteReadError("content-type", `content type of the answer is ${got}, expected ${expected}${hint}`);
    }
    throw new RemoteReadError("http-status", describeStatus(response, contentType, text));
  } finally {
    body.close();
  }
}

function describeStatus(response: Response, contentType: string, text: string): string {
  const { status, statusText, headers, type } = response;
  if (type === "opaqueredirect" || (status >= 300 && status < 400)) {
    const location = headers.get("Location");
    const target = location === null ? "" : ` to ${cleanText(location)}`;
    return `answered with status ${status}, a redirect${target}, which is not followed: check the address`;
  }
  const html = describeHtml(contentType, text);
  const said = html !== "" || text === "" ? html : `: ${text}`;
  return `answered with status ${status}${statusText === "" ? "" : ` ${cleanText(statusText)}`}${said}`;
}

/** Says of a page for people that it is one; its text would say nothing. */
function describeHtml(contentType: string, text: string): string {
  const isHtml = /^text\/html\b/i.test(contentType) || /^(?:<!doctype html|<html)\b/i.test(text);
  return isHtml
    ? ": an HTML page, so what answers is not remote read: check the address, and what stands before it"
    : "";
}

/** The beginning of a body as text in one line; what there is of it, where it does not come to its end. */
async function readText(body: HttpBody): Promise<string> {
  const bytes = new Uint8Array(ERROR_TEXT_BYTES_MAX);
  let length = 0;
  try {
    for (let piece = await body.read(); piece !== undefined; piece = await body.read()) {
      const part = piece.subarray(0, ERROR_TEXT_BYTES_MAX - length);
      bytes.set(part, length);
      length += part.length;
      if (length === ERROR_TEXT_BYTES_MAX) {
        break;
      }
    }
  } catch {
    // The status says more than how the text about it ended.
  }
  // A character that the limit has cut is left out.
  return cleanText(new TextDecoder().decode(bytes.subarray(0, length), { stream: true }));
}

function cleanText(text: string): string {
  return text.replaceAll(/[\p{Cc}\s]+/gu, " ").trim();
}
