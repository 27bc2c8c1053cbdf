/** What the replicas scrape: a counter whose truth is known at every instant, a gauge, and a series that comes and goes. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** How much the counter gains in a second. */
export const HITS_PER_SECOND = 100;

/** The counter starts far from zero, so that extrapolation is never bounded by it. */
const FIRST_HITS = 1_000_000;

export class ScrapeTarget {
  /** Whether the series `vanishing` is there. */
  hasVanishing = true;
  /** All that was ever served. */
  readonly bodies: string[] = [];
  readonly #server: Server;
  readonly #startMs = Date.now();

  constructor() {
    this.#server = createServer((_, response) => {
      const body = this.#metrics();
      this.bodies.push(body);
      response.writeHead(200, { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" });
      response.end(body);
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

  /** The counter at an instant. */
  hitsAt(timeMs: number): number {
    return FIRST_HITS + Math.floor(((timeMs - this.#startMs) * HITS_PER_SECOND) / 1000);
  }

  #metrics(): string {
    const nowMs = Date.now();
    return [
      "# TYPE hits_total counter",
      `hits_total{path="/"} ${this.hitsAt(nowMs)}`,
      `hits_total{path="/ä"} ${2 * this.hitsAt(nowMs)}`,
      "# TYPE temperature gauge",
      `temperature ${20 + ((nowMs >> 6) % 64) / 8}`,
      ...(this.hasVanishing ? ["# TYPE vanishing gauge", "vanishing 1"] : []),
      "",
    ].join("\n");
  }
}
