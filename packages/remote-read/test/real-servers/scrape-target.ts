/**
 * What the replicas scrape: a counter whose truth is known at every instant, a gauge, a series that comes and goes, and
 * histograms of all kinds for those who ask for protobuf:
 *
 *     latency_seconds        native, of integers, a counter that is reset twice, with a bucket that comes later
 *     latency_float_seconds  the same of floats
 *     sizes_bytes            native, a gauge, which rises and falls
 *     classic_seconds        classic: as text several series of floats; a server may make custom buckets of it
 *     changing               a gauge that is a float at first and a native histogram later
 *     vanishing_seconds      native, comes and goes
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import {
  exposeProtobuf,
  exposeText,
  type MetricFamily,
  type NativeHistogram,
  PROTOBUF_TYPE,
  TEXT_TYPE,
} from "./exposition.ts";

/** How much the counter gains in a second. */
export const HITS_PER_SECOND = 100;

/** The counter starts far from zero, so that extrapolation is never bounded by it; and so do histograms after a reset. */
const FIRST_HITS = 1_000_000;

const SCRAPED_MS_MAX = 60_000;

export class ScrapeTarget {
  /** Whether the series that come and go are there. */
  hasVanishing = true;
  /** Whether what changes its kind is a histogram. */
  hasChanged = false;
  /** Who scrapes this path does not see the last reset yet. */
  pathBehind: string | undefined;
  /** The floats of all that was ever served, as text. */
  readonly bodies: string[] = [];
  readonly #server: Server;
  readonly #startMs = Date.now();
  #resets = 0;
  readonly #scrapedAtMs = new Map<string, number>();

  constructor() {
    this.#server = createServer((request, response) => {
      const nowMs = Date.now();
      const families = this.#families(nowMs, this.#resets - (request.url === this.pathBehind ? 1 : 0));
      this.bodies.push(exposeText(families));
      const isProtobuf = (request.headers.accept ?? "").includes("application/vnd.google.protobuf");
      response.writeHead(200, { "Content-Type": isProtobuf ? PROTOBUF_TYPE : TEXT_TYPE });
      response.end(isProtobuf ? exposeProtobuf(families) : this.bodies.at(-1));
      this.#scrapedAtMs.set(request.url!, nowMs);
    });
  }

  /** Starts it; gives its address. */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => void this.#server.listen(0, "127.0.0.1", resolve));
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => void this.#server.close(() => resolve()));
  }

  /** Waits until whoever scrapes a path has done it again; gives the time in ms at which it was asked. */
  async waitForScrape(path: string): Promise<number> {
    const fromMs = Date.now();
    const beforeMs = this.#scrapedAtMs.get(path);
    for (;;) {
      const scrapedAtMs = this.#scrapedAtMs.get(path);
      if (scrapedAtMs !== undefined && scrapedAtMs !== beforeMs) {
        return scrapedAtMs;
      }
      if (Date.now() > fromMs + SCRAPED_MS_MAX) {
        throw new Error(`nobody scrapes ${path}`);
      }
      await sleep(5);
    }
  }

  /** Makes the histograms of counters fall to half of what they began with. */
  reset(): void {
    this.#resets++;
  }

  /** The counter at an instant. */
  hitsAt(timeMs: number): number {
    return FIRST_HITS + this.#ticks(timeMs);
  }

  #ticks(timeMs: number): number {
    return Math.floor(((timeMs - this.#startMs) * HITS_PER_SECOND) / 1000);
  }

  #families(nowMs: number, resets: number): MetricFamily[] {
    const hits = this.hitsAt(nowMs);
    const level = FIRST_HITS / 2 ** resets + this.#ticks(nowMs);
    const wave = (nowMs >> 6) % 64;
    const gauge: NativeHistogram = {
      isFloat: false,
      schema: 1,
      sum: 3 * wave,
      zeroCount: wave,
      positive: new Map([
        [wave % 5, wave],
        [10, 64 - wave],
      ]),
      negative: new Map(),
    };
    return [
      {
        name: "hits_total",
        type: "counter",
        metrics: [
          { labels: { path: "/" }, value: hits },
          { labels: { path: "/ä" }, value: 2 * hits },
        ],
      },
      { name: "temperature", type: "gauge", metrics: [{ labels: {}, value: 20 + wave / 8 }] },
      {
        name: "latency_seconds",
        type: "counter",
        metrics: [
          { labels: { path: "/" }, native: this.#latencies(false, level) },
          { labels: { path: "/ä" }, native: this.#latencies(false, 2 * level) },
        ],
      },
      {
        name: "latency_float_seconds",
        type: "counter",
        metrics: [{ labels: {}, native: this.#latencies(true, level / 4) }],
      },
      { name: "sizes_bytes", type: "gauge", metrics: [{ labels: {}, native: gauge }] },
      {
        name: "classic_seconds",
        type: "counter",
        metrics: [
          {
            labels: {},
            classic: {
              sum: level * 0.75,
              counts: new Map([
                [0.25, level],
                [1, 3 * level],
                [Infinity, 4 * level],
              ]),
            },
          },
        ],
      },
      {
        name: "changing",
        type: "gauge",
        metrics: [{ labels: {}, ...(this.hasChanged ? { native: gauge } : { value: wave }) }],
      },
      ...(this.hasVanishing
        ? ([
            { name: "vanishing", type: "gauge", metrics: [{ labels: {}, value: 1 }] },
            {
              name: "vanishing_seconds",
              type: "counter",
              metrics: [{ labels: {}, native: this.#latencies(false, 8) }],
            },
          ] as const)
        : []),
    ];
  }

  /** Latencies of which the buckets grow in proportion. */
  #latencies(isFloat: boolean, level: number): NativeHistogram {
    return {
      isFloat,
      schema: 0,
      sum: 2.5 * level,
      zeroCount: level,
      positive: new Map([
        [-3, level],
        [-2, 4 * level],
        [1, 2 * level],
        ...(this.hasChanged ? [[3, 3 * level] as const] : []),
      ]),
      negative: new Map([[0, level]]),
    };
  }
}
