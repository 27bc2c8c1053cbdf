/**
 * Serves a reader through remote read, as a function from request to response: the server end of the protocol, under any
 * HTTP server that speaks `Request` and `Response`.
 *
 *     POST, snappy block ──▶ a place among 10 ──▶ ReadRequest ──▶ response type ──▶ first series ──▶ 200 and the body
 *                             │ none: 503            │ bad: 400      │ none: 400      │ fails: 4xx/5xx    │ fails: aborted
 *
 * What Prometheus 3.14 does (storage/remote/read_handler.go), except that an error never follows a 200 as text, and a series is
 * never cut into two frames, since its own client would take it for two.
 */
import { Admission, type Leave } from "./admission.ts";
import { Answer } from "./answer-pieces.ts";
import { paceBody } from "./paced-body.ts";
import { decodeReadRequest, type ReadRequest } from "./read-request.ts";
import { type Reader, type ReadReport, wantsLabelSetsOnly } from "./reader.ts";
import { RemoteReadError } from "./remote-read-error.ts";
import { readRequestBody } from "./request-body.ts";
import type { Crc32c } from "./wire/crc32c.ts";
import { type SnappyOptions, uncompressSnappy } from "./wire/snappy.ts";

/** Whatever is over a limit is refused with 400, and by the three for requests at the same time with 503. */
export interface ReadHandlerLimits {
  /** Longest request, as it comes and as it says to be decompressed, in bytes; 32 MiB by default, as in Prometheus. */
  readonly requestBytesMax: number;
  /** Most queries a request; 64 by default. */
  readonly queriesMax: number;
  /** Most matchers a query, and most names that its hints group by; 1,000 by default. */
  readonly matchersMax: number;
  /**
   * Longest matcher, in bytes as it comes: its name, its value, and a few that say how long they are; 1 MiB by default, a
   * pattern of some ten thousand alternatives.
   */
  readonly matcherBytesMax: number;
  /** Most response types that a request accepts; 16 by default: the protocol has two. */
  readonly responseTypesMax: number;
  /** Most samples a query of a SAMPLES answer; 50,000,000 by default, as in Prometheus; 0 for any number. */
  readonly samplesMax: number;
  /** Longest frame, and so the largest series of a streamed answer, in bytes; 48,000,000 by default: clients take 50,000,000. */
  readonly frameBytesMax: number;
  /** Most requests that are answered at the same time; 10 by default, as in Prometheus; 0 for any number. */
  readonly concurrency: number;
  /** Most requests that wait for one of these to end; 64 by default. */
  readonly queue: number;
  /** How long they wait at most, in ms; 10,000 by default. */
  readonly queueMs: number;
  /** How long a client may take nothing of the body before it is aborted, in ms; 30,000 by default; 0 for ever. */
  readonly writeStallMs: number;
}

export interface ReadHandlerOptions {
  readonly limits?: Partial<ReadHandlerLimits> | undefined;
  /**
   * Told of each error that a client gets to see: `partial` false for a status of 4xx or 5xx, true for a body that was
   * aborted after a part of it had been sent. A client that leaves is no error. Must not throw.
   */
  readonly onError?: ((error: unknown, context: { readonly partial: boolean }) => void) | undefined;
  /** Told of each query's reading when it has ended, however. Must not throw. */
  readonly onReport?: ((report: ReadReport) => void) | undefined;
  /** Used instead of snappyjs. */
  readonly snappy?: SnappyOptions | undefined;
  /** Used instead of our own. */
  readonly crc32c?: Crc32c | undefined;
}

const DEFAULT_LIMITS: ReadHandlerLimits = {
  requestBytesMax: 32 * 1024 * 1024,
  queriesMax: 64,
  matchersMax: 1000,
  matcherBytesMax: 1024 * 1024,
  responseTypesMax: 16,
  samplesMax: 50_000_000,
  frameBytesMax: 48_000_000,
  concurrency: 10,
  queue: 64,
  queueMs: 10_000,
  writeStallMs: 30_000,
};

/** The numbers of the two response types, and the headers of their answers, which clients compare letter by letter. */
const SAMPLES = 0;
const STREAMED_XOR_CHUNKS = 1;
const SAMPLES_HEADERS = { "Content-Type": "application/x-protobuf", "Content-Encoding": "snappy" };
const STREAMED_HEADERS = {
  "Content-Type": "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse",
};

/** Names the replicas that are missing in an answer: the protocol itself has no place for a warning. */
const PARTIAL_HEADER = "X-Promsplice-Partial";
/** Headers have limits of their own, and eight names say enough. */
const PARTIAL_NAMES_MAX = 8;

/**
 * Makes the handler. Only the method and the body of a request count, not its path and its headers: clients differ there.
 *
 * The body of an answer must be read or cancelled: one that is neither is aborted after `writeStallMs`. A failure after its
 * first byte aborts it, and the server must break the connection then, not end it: `@hono/node-server` does.
 *
 * @throws RangeError if a limit is not a whole number, or is negative.
 */
export function readHandler(reader: Reader, options: ReadHandlerOptions = {}): (request: Request) => Promise<Response> {
  const limits = checkLimits(options.limits ?? {});
  const admission = new Admission(limits);
  return (request) => new Exchange(reader, limits, options, request).answer(admission);
}

function checkLimits(given: Partial<ReadHandlerLimits>): ReadHandlerLimits {
  const limits = { ...DEFAULT_LIMITS };
  for (const [name, value] of Object.entries(given)) {
    if (!(name in limits)) {
      throw new RangeError(`there is no limit ${name}, only ${Object.keys(limits).join(", ")}`);
    }
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new RangeError(`${name} is ${value}, expected a whole number from 0 on`);
    }
    limits[name as keyof ReadHandlerLimits] = value;
  }
  return limits;
}

/** One request and what becomes of it. */
class Exchange {
  readonly #reader: Reader;
  readonly #limits: ReadHandlerLimits;
  readonly #options: ReadHandlerOptions;
  readonly #request: Request;
  /** Cancels the readings. */
  readonly #cancelled = new AbortController();
  #leave: Leave | undefined = undefined;

  constructor(reader: Reader, limits: ReadHandlerLimits, options: ReadHandlerOptions, request: Request) {
    this.#reader = reader;
    this.#limits = limits;
    this.#options = options;
    this.#request = request;
  }

  async answer(admission: Admission): Promise<Response> {
    const { method, signal } = this.#request;
    if (method !== "POST") {
      return textResponse(405, "Method Not Allowed", { Allow: "POST" });
    }
    try {
      this.#leave = await admission.enter(signal);
      if (this.#leave === undefined) {
        return this.#refuseBusy();
      }
      const body = await orAborted(readRequestBody(this.#request, this.#limits.requestBytesMax, signal), signal);
      return await this.#answerBody(body);
    } catch (error) {
      return this.#refuse(error, statusOf(error));
    }
  }

  async #answerBody(body: Uint8Array): Promise<Response> {
    let request: ReadRequest;
    let type: number;
    try {
      request = this.#decode(body);
      type = negotiate(request);
    } catch (error) {
      return this.#refuse(error, 400);
    }
    const { samplesMax, frameBytesMax } = this.#limits;
    const { onReport, snappy, crc32c } = this.#options;
    const answer = new Answer(this.#reader, request.queries, {
      signal: this.#cancelled.signal,
      onReport,
      samplesMax,
      frameBytesMax,
      snappy,
      crc32c,
    });
    const pieces = type === SAMPLES ? answer.encodeSamples() : answer.encodeFrames();
    try {
      const { value: first } = await orAborted(pieces.next(), this.#request.signal);
      const headers = { ...(type === SAMPLES ? SAMPLES_HEADERS : STREAMED_HEADERS), ...partialHeader(answer) };
      if (first === undefined) {
        this.#leave?.();
        return new Response(new Uint8Array(0), { headers });
      }
      return new Response(this.#pace(first, pieces), { headers });
    } catch (error) {
      stop(pieces);
      throw error;
    }
  }

  #decode(body: Uint8Array): ReadRequest {
    const { requestBytesMax } = this.#limits;
    return decodeReadRequest(uncompressSnappy(body, requestBytesMax, this.#options.snappy), this.#limits);
  }

  #pace(first: Uint8Array, pieces: AsyncGenerator<Uint8Array, void, undefined>): ReadableStream<Uint8Array> {
    return paceBody(first, pieces, {
      writeStallMs: this.#limits.writeStallMs,
      signal: this.#request.signal,
      onEnd: (end) => {
        if (end.how !== "whole") {
          this.#cancelled.abort(end.reason);
          stop(pieces);
        }
        this.#leave?.();
        if (end.how === "failed") {
          this.#options.onError?.(end.reason, { partial: true });
        }
      },
    });
  }

  #refuse(error: unknown, status: number): Response {
    this.#cancelled.abort(error);
    this.#leave?.();
    if (!this.#request.signal.aborted) {
      this.#options.onError?.(error, { partial: false });
    }
    return textResponse(status, error instanceof Error ? error.message : String(error));
  }

  #refuseBusy(): Response {
    const { concurrency, queue, queueMs } = this.#limits;
    const message = `too many requests: ${concurrency} are being answered, at most ${queue} wait for ${queueMs} ms`;
    this.#options.onError?.(new RemoteReadError("limit-exceeded", message), { partial: false });
    return textResponse(503, message, { "Retry-After": String(Math.max(1, Math.ceil(queueMs / 1000))) });
  }
}

/** Ends a generator, also one that is in the middle of its work; by then nobody cares any more how that ends. */
function stop(pieces: AsyncGenerator<unknown, void, undefined>): void {
  pieces.return().catch(() => {});
}

/** What the work gives, unless the client leaves before: it is not outwaited then, even where the work does not notice. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      reject(new RemoteReadError("aborted", "the client left", { cause: signal.reason }));
    };
    signal.addEventListener("abort", leave);
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
    if (signal.aborted) {
      leave();
    }
  });
}

/**
 * The first of the client's wishes that can be met; samples where it has none. Where only label sets are wanted it is samples
 * if the client takes them: a stream has no way to send a series without chunks.
 *
 * @throws RangeError if none can.
 */
function negotiate({ queries, acceptedResponseTypes }: ReadRequest): number {
  if (acceptedResponseTypes.length === 0) {
    return SAMPLES;
  }
  if (acceptedResponseTypes.includes(SAMPLES) && queries.length > 0 && queries.every(wantsLabelSetsOnly)) {
    return SAMPLES;
  }
  const type = acceptedResponseTypes.find((accepted) => accepted === SAMPLES || accepted === STREAMED_XOR_CHUNKS);
  if (type === undefined) {
    throw new RangeError(
      `server does not support any of the requested response types: [${acceptedResponseTypes.join(" ")}]; ` +
        "supported: map[SAMPLES:{} STREAMED_XOR_CHUNKS:{}]",
    );
  }
  return type;
}

/** 400 where the client asked for too much or for nothing that there is, 500 where it is the reader's fault. */
function statusOf(error: unknown): number {
  if (error instanceof RemoteReadError) {
    const isTooMuch = error.code === "limit-exceeded" && error.replica === undefined;
    return isTooMuch || error.code === "matchers-missing" ? 400 : 500;
  }
  return error instanceof Error && "status" in error && error.status === 400 ? 400 : 500;
}

function partialHeader(answer: Answer): Record<string, string> {
  const names = answer.failedReplicas().slice(0, PARTIAL_NAMES_MAX);
  return names.length === 0 ? {} : { [PARTIAL_HEADER]: names.map(encodeURIComponent).join(", ") };
}

/** A message as Go's `http.Error` sends it. */
function textResponse(status: number, message: string, headers: Record<string, string> = {}): Response {
  return new Response(`${message}\n`, {
    status,
    headers: { ...headers, "Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff" },
  });
}
