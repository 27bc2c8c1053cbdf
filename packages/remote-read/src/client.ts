/**
 * Reads a server through remote read: the client end of the protocol.
 *
 *     query ──▶ a request, or one a member ──▶ frames or samples ──▶ in order ──▶ merged ──▶ series, chunks not yet decoded
 *
 * It takes what the servers of today send, and refuses what would be a clean but short answer. What no reader can know: an
 * answer that stops at the end of a frame is complete unless the transport says that it was cut.
 */
import type { Series } from "@promsplice/core";

import { HISTOGRAM_BUCKETS_MAX } from "./chunk/histogram-decode.ts";
import { startClock } from "./http-body.ts";
import { mergeReceived } from "./merge-received.ts";
import type { ReceivedSeries } from "./ordered-series.ts";
import { openAnswer, type ResponseType, type Server } from "./read-exchange.ts";
import {
  type Hints,
  type Matcher,
  type Query,
  type Reader,
  type Reading,
  type ReadOptions,
  type ReadReport,
  wantsLabelSetsOnly,
} from "./reader.ts";
import { nameError, receiveBlocks, type ReceivedBlocksContext } from "./received-blocks.ts";
import { receiveFrames, receiveSamples } from "./received-series.ts";
import { RemoteReadError } from "./remote-read-error.ts";
import { type BasicAuth, makeHeaders } from "./request-headers.ts";
import type { Crc32c } from "./wire/crc32c.ts";
import type { SnappyOptions } from "./wire/snappy.ts";

/** What is over a limit fails with `limit-exceeded`, where nothing else is said. */
export interface RemoteReaderLimits {
  /** Longest payload of a frame, in bytes; 64 MiB by default, 256 MiB at most. Over it: `frame-too-large`. */
  readonly frameBytesMax: number;
  /** Longest SAMPLES answer, in bytes once decompressed; 256 MiB by default. */
  readonly bodyBytesMax: number;
  /**
   * Most bytes of series (labels and undecoded blocks) that wait for their place in the order; 64 MiB by default. Over it:
   * `series-out-of-order`. With `collect`, of the whole answer.
   */
  readonly sortBytesMax: number;
  /**
   * Largest series of a streamed answer, in bytes as it comes, and 128 more for each chunk; 512 MiB by default. What the series
   * of one frame take besides the frame may not be more either.
   */
  readonly seriesBytesMax: number;
  /** Most series of one answer; 10,000,000 by default, about what a Prometheus can hold. */
  readonly seriesMax: number;
  /** Most labels of one series; 1,000 by default: real series have some ten. Prometheus sets itself no limit. */
  readonly labelsMax: number;
  /**
   * Longest label, in bytes as it comes: its name, its value, and a few that say how long they are; 1 MiB by default. Values
   * of real series are below 2 KiB. Prometheus sets itself no limit.
   */
  readonly labelBytesMax: number;
  /**
   * Most buckets of a native histogram in a chunk; 65,536 by default. All histograms of a chunk together: 128 times as many.
   * Over it the series' blocks throw when they are decoded.
   */
  readonly histogramBucketsMax: number;
}

/** All in ms; 0 for no limit. */
export interface RemoteReaderTimeouts {
  /** From the request to the head of the answer; 30,000 by default. */
  readonly firstByteMs: number;
  /** How long a read of the body may wait; no clock runs while nobody reads. 30,000 by default. */
  readonly idleMs: number;
  /** From the first step of the iteration to its end, the pauses of whoever iterates included; none by default. */
  readonly totalMs: number;
}

export interface RemoteReaderOptions {
  /** The endpoint, whole: `http://prometheus-a:9090/api/v1/read`. */
  readonly url: string;
  /** What the server is called in reports and errors; host and port of the URL by default. */
  readonly name?: string | undefined;
  /** Used instead of the global one. Must heed the signal and hand on the headers of the transport. */
  readonly fetch?: ((url: string, init: RequestInit) => Promise<Response>) | undefined;
  /** Further headers of each request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly basicAuth?: BasicAuth | undefined;
  readonly bearerToken?: string | undefined;
  /** The forms that are asked for, in this order. By default streamed chunks, then samples. */
  readonly responseTypes?: readonly ResponseType[] | undefined;
  /**
   * One label that tells apart the members of a pair whose series this server holds all, and its values. Each is one request,
   * and the series with none of these values are another. Unnamed, the answer of a server that is the only one of a
   * `splicedReader` is gathered whole and sorted.
   */
  readonly members?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Gathers the whole answer and sorts it: for servers whose order is another. */
  readonly collect?: boolean | undefined;
  readonly limits?: Partial<RemoteReaderLimits> | undefined;
  readonly timeouts?: Partial<RemoteReaderTimeouts> | undefined;
  /** Used instead of snappyjs. */
  readonly snappy?: SnappyOptions | undefined;
  /** Used instead of our own. */
  readonly crc32c?: Crc32c | undefined;
}

const DEFAULT_LIMITS: RemoteReaderLimits = {
  frameBytesMax: 64 * 1024 * 1024,
  bodyBytesMax: 256 * 1024 * 1024,
  sortBytesMax: 64 * 1024 * 1024,
  seriesBytesMax: 512 * 1024 * 1024,
  seriesMax: 10_000_000,
  labelsMax: 1000,
  labelBytesMax: 1024 * 1024,
  histogramBucketsMax: HISTOGRAM_BUCKETS_MAX,
};

/** Bit positions in a frame must be numbers of 31 bits. */
const FRAME_BYTES_MAX = 256 * 1024 * 1024;

const DEFAULT_TIMEOUTS: RemoteReaderTimeouts = { firstByteMs: 30_000, idleMs: 30_000, totalMs: 0 };

/** The longest that timers take: over it they run out at once. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

const RESPONSE_TYPES: readonly ResponseType[] = ["STREAMED_XOR_CHUNKS", "SAMPLES"];

/** What all readings of one reader have in common. */
interface Settings {
  readonly server: Server;
  readonly name: string;
  readonly members: Members | undefined;
  readonly isCollected: boolean;
  readonly limits: RemoteReaderLimits;
  readonly totalMs: number;
  readonly snappy: SnappyOptions | undefined;
  readonly crc32c: Crc32c | undefined;
}

interface Members {
  readonly label: string;
  readonly values: readonly string[];
}

/**
 * Makes a reader of one server. Its hints, made where a query has none, always span the query, which a Prometheus reads instead
 * of the query's own range. Redirects are not followed.
 *
 * Series of one answer whose label sets are equal are united. Series that cannot be decoded are yielded, and their blocks
 * throw. Every error of the answer is a RemoteReadError that has the name of the server.
 *
 * @throws TypeError or RangeError, at once, for options that are not what they should be.
 */
export function remoteReader(options: RemoteReaderOptions): Reader {
  const url = checkUrl(options.url);
  const limits = checkNumbers("limit", DEFAULT_LIMITS, options.limits ?? {}, Number.MAX_SAFE_INTEGER);
  if (limits.frameBytesMax > FRAME_BYTES_MAX) {
    throw new RangeError(`frameBytesMax is ${limits.frameBytesMax}, expected at most ${FRAME_BYTES_MAX}`);
  }
  const timeouts = checkNumbers("timeout", DEFAULT_TIMEOUTS, options.timeouts ?? {}, TIMEOUT_MS_MAX);
  const settings: Settings = {
    server: {
      url: url.href,
      fetch: options.fetch ?? ((target, init) => fetch(target, init)),
      headers: makeHeaders(options),
      firstByteMs: timeouts.firstByteMs,
      idleMs: timeouts.idleMs,
      snappy: options.snappy,
      responseTypes: checkResponseTypes(options.responseTypes ?? RESPONSE_TYPES),
      hasAnswered: false,
    },
    name: options.name ?? url.host,
    members: checkMembers(options.members),
    isCollected: options.collect ?? false,
    limits,
    totalMs: timeouts.totalMs,
    snappy: options.snappy,
    crc32c: options.crc32c,
  };
  return { read: (query, readOptions = {}) => new RemoteReading(settings, query, readOptions) };
}

class RemoteReading implements Reading {
  readonly #settings: Settings;
  readonly #query: Query;
  readonly #options: ReadOptions;
  /** Cancels all requests; its reason is what the iteration fails with. */
  readonly #controller: AbortController = new AbortController();
  /** The reason where the iteration was left early: nobody gets to see it. */
  readonly #left: RemoteReadError = new RemoteReadError("aborted", "the read was left");
  readonly #context: ReceivedBlocksContext;
  #isStarted = false;
  #series = 0;
  #united = 0;
  #bytes = 0;
  #isUnverifiable = false;
  #error: Error | undefined = undefined;

  constructor(settings: Settings, query: Query, options: ReadOptions) {
    this.#settings = settings;
    this.#query = query;
    this.#options = options;
    this.#context = { replica: settings.name, blocksDecoded: 0 };
  }

  /** `return()` cancels at once, even while a step is waited for, which then is the end. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Series, void, undefined> {
    if (this.#isStarted) {
      throw new TypeError("a reading can be iterated over only once");
    }
    this.#isStarted = true;
    const series = this.#iterate();
    const iterator: AsyncIterableIterator<Series, void, undefined> = {
      next: () => series.next(),
      return: () => {
        this.#controller.abort(this.#left);
        return series.return();
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  report(): ReadReport {
    return {
      series: this.#series,
      united: this.#united,
      bytes: this.#bytes,
      blocksDecoded: this.#context.blocksDecoded,
      blocksPassedOn: 0,
      replicas: [{ name: this.#settings.name, error: this.#error, isUnverifiable: this.#isUnverifiable }],
    };
  }

  async *#iterate(): AsyncGenerator<Series, void, undefined> {
    const { name, totalMs } = this.#settings;
    const { signal, orderWithout = [] } = this.#options;
    const controller = this.#controller;
    const cancel = (): void => {
      controller.abort(new RemoteReadError("aborted", "the read was cancelled", { cause: signal?.reason }));
    };
    signal?.addEventListener("abort", cancel);
    const clock = startClock(controller, totalMs, `the answer was not complete within ${totalMs} ms (total)`);
    try {
      if (signal?.aborted === true) {
        cancel();
      }
      controller.signal.throwIfAborted();
      const answers = askedOfServer(this.#query, this.#settings.members).map((query) => this.#receive(query));
      for await (const received of mergeReceived(answers, orderWithout)) {
        const series = this.#take(received);
        if (series !== undefined) {
          yield series;
          controller.signal.throwIfAborted();
        }
      }
    } catch (error) {
      if (controller.signal.reason === this.#left) {
        return;
      }
      const named = nameError(error, name);
      this.#error = named instanceof Error ? named : new Error(String(named));
      throw named;
    } finally {
      clearTimeout(clock);
      signal?.removeEventListener("abort", cancel);
      controller.abort(this.#left);
    }
  }

  /** The series of the answer to one request, in order. */
  async *#receive(query: Query): AsyncGenerator<ReceivedSeries, void, undefined> {
    const { crc32c, limits, members, server, snappy } = this.#settings;
    const { isAlone = false, orderWithout = [] } = this.#options;
    // A server read alone is likely to hold all members of a pair; unnamed, these are not in the order without their label.
    const isCollected = this.#settings.isCollected || (isAlone && members === undefined && orderWithout.length > 0);
    const onBytes = (bytes: number): void => {
      this.#bytes += bytes;
    };
    const { body, responseType } = await openAnswer(server, query, { controller: this.#controller, onBytes });
    this.#isUnverifiable ||= body.isUnverifiable;
    try {
      yield* responseType === "SAMPLES"
        ? receiveSamples(body, { ...limits, snappy }, orderWithout)
        : receiveFrames(body, { ...limits, crc32c }, { ...limits, orderWithout, isCollected });
    } finally {
      body.close();
    }
  }

  /** A series as it is yielded; undefined where it has nothing to show. */
  #take({ labels, pieces, united }: ReceivedSeries): Series | undefined {
    const blocks = receiveBlocks(labels, pieces, this.#query, this.#context);
    // Where only label sets are wanted, servers send them without samples.
    if ("length" in blocks && blocks.length === 0 && !wantsLabelSetsOnly(this.#query)) {
      return undefined;
    }
    this.#series++;
    this.#united += united;
    return { labels, blocks };
  }
}

/** The queries that a server with these members is asked. */
function askedOfServer(query: Query, members: Members | undefined): Query[] {
  const { startMs, endMs, matchers } = query;
  const none: Hints = { stepMs: 0, func: "", startMs, endMs, grouping: [], by: false, rangeMs: 0 };
  const asked: Query = { startMs, endMs, matchers, hints: { ...(query.hints ?? none), startMs, endMs } };
  if (members === undefined) {
    return [asked];
  }
  const { label, values } = members;
  const ofMembers = values.map((value): Matcher => ({ type: "=", name: label, value }));
  const ofNone: Matcher = { type: "!~", name: label, value: values.map((value) => quotePattern(value)).join("|") };
  return [...ofMembers, ofNone].map((matcher) => ({ ...asked, matchers: [...matchers, matcher] }));
}

/** A pattern of RE2 that matches nothing but the text: Go's `regexp.QuoteMeta`. */
function quotePattern(text: string): string {
  return text.replaceAll(/[\\.+*?()|[\]{}^$]/g, String.raw`\$&`);
}

function checkUrl(text: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new TypeError("url is not one, expected something like http://prometheus-a:9090/api/v1/read");
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new TypeError(`url begins with ${url.protocol}, expected http: or https:`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new TypeError("url holds a user name or a password, give them as basicAuth");
  }
  return url;
}

function checkResponseTypes(types: readonly ResponseType[]): readonly ResponseType[] {
  const isKnown = types.every((type) => RESPONSE_TYPES.includes(type));
  if (types.length === 0 || !isKnown || new Set(types).size < types.length) {
    throw new TypeError(`responseTypes is ${JSON.stringify(types)}, expected some of ${RESPONSE_TYPES.join(", ")}`);
  }
  return types;
}

function checkMembers(members: RemoteReaderOptions["members"]): Members | undefined {
  if (members === undefined) {
    return undefined;
  }
  const [[label, values] = ["", []], ...others] = Object.entries(members);
  if (label === "" || others.length > 0) {
    throw new TypeError("members must be one label and its values");
  }
  if (values.length === 0 || values.includes("") || new Set(values).size < values.length) {
    throw new TypeError(`members.${label} must be different values, none of them empty`);
  }
  return { label, values };
}

function checkNumbers<T extends { readonly [Name in keyof T]: number }>(
  kind: string,
  defaults: T,
  given: Partial<T>,
  max: number,
): T {
  const numbers: Record<string, number> = { ...defaults };
  for (const [name, value] of Object.entries<number | undefined>(given)) {
    if (!(name in defaults)) {
      throw new RangeError(`there is no ${kind} ${name}, only ${Object.keys(defaults).join(", ")}`);
    }
    if (value === undefined) {
      continue;
    }
    if (!Number.isSafeInteger(value) || value < 0 || value > max) {
      throw new RangeError(`${name} is ${value}, expected a whole number from 0 to ${max}`);
    }
    numbers[name] = value;
  }
  return numbers as T;
}
