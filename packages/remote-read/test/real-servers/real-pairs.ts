/**
 * Pairs of real servers with the same history, and empty servers whose only source is our handler:
 *
 *     A        ────┤ stopped ├───────────────────────    every second a scrape
 *     B        ──────────────────┤ stopped ├─────────
 *     target       ^ reset            ^ changes  ^ reset, series vanish and come back
 *
 * The first reset comes when the newest A has just scraped and stops, and A does not see it any more: what is shown next, of B,
 * is not B's first row after the reset, and the row before it is not shown.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { type PrometheusProgram, PrometheusServer } from "./prometheus.ts";
import { ScrapeTarget } from "./scrape-target.ts";
import { HandlerServer, type Traffic } from "./spliced-servers.ts";
import { type Dump, dumpServer } from "./tsdb-dump.ts";

export interface PairOfServers {
  readonly program: PrometheusProgram;
  readonly servers: readonly PrometheusServer[];
  /** What each of the two holds. */
  dumps: readonly Dump[];
}

const REPLICAS = ["A", "B"];

/** So long at first the strategy does not look at the other replica; later for two intervals. */
const FIRST_PENALTY_MS = 5000;

/** How long a replica is away at least. */
const AWAY_MS = 3000;

export class RealPairs {
  readonly target = new ScrapeTarget();
  readonly handler = new HandlerServer();
  readonly traffic: Traffic = { queries: [], reports: [], errors: [] };
  readonly pairs: PairOfServers[] = [];
  readonly askers: PrometheusServer[] = [];
  /** The closed window, in which both replicas of each pair were away once: its end, and its length in s. */
  endMs = 0;
  windowSeconds = 0;
  readonly #directory = mkdtempSync(join(tmpdir(), "promsplice-real-servers-"));

  /** Starts a pair and an asker of each program, and lets time pass. */
  async start(programs: readonly PrometheusProgram[]): Promise<void> {
    if (programs.length === 0) {
      return;
    }
    await this.#prepare(programs);
    const servers = [...this.askers, ...this.pairs.flatMap((pair) => pair.servers)];
    await Promise.all(servers.map((server) => server.start()));
    await this.#waitForAllScrapes();
    // So that of the newest pair it is A whose scrape comes first in the window, and is left before it is back.
    const startMs = await this.target.waitForScrape(pathOf(this.pairs.length - 1, 1));
    await sleep(FIRST_PENALTY_MS);
    await this.#stop(0, () => {
      this.target.pathBehind = pathOf(this.pairs.length - 1, 0);
      this.target.reset();
    });
    this.target.pathBehind = undefined;
    await this.#startAgain(0);
    await this.#stop(1, () => {});
    this.target.hasChanged = true;
    await this.#startAgain(1);
    this.target.hasVanishing = false;
    await this.#waitForAllScrapes();
    this.target.hasVanishing = true;
    this.target.reset();
    await this.#waitForAllScrapes();
    this.windowSeconds = Math.ceil((Date.now() - startMs) / 1000);
    this.endMs = startMs + 1000 * this.windowSeconds;
    // Scrapes that began inside the window are written down by then.
    await sleep(this.endMs + 500 - Date.now());
    for (const pair of this.pairs) {
      pair.dumps = await Promise.all(
        // From before the window on, too.
        pair.servers.map((server) => dumpServer(server, this.#directory, this.windowSeconds + 60)),
      );
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.askers, ...this.pairs.flatMap(({ servers }) => servers)].map((server) => server.stop()));
    await this.handler.stop();
    await this.target.stop();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #prepare(programs: readonly PrometheusProgram[]): Promise<void> {
    const targetAddress = await this.target.start();
    const handlerUrl = await this.handler.start();
    for (const [pair, program] of programs.entries()) {
      const prepare = (name: string, config: string): Promise<PrometheusServer> =>
        PrometheusServer.prepare(program, join(this.#directory, `${program.version}-${name}`), config);
      const servers = await Promise.all(
        REPLICAS.map((replica, index) =>
          prepare(
            replica,
            `global: {scrape_interval: 1s, external_labels: {replica: ${replica}}}\n` +
              `scrape_configs: [{job_name: t, metrics_path: ${pathOf(pair, index)}, ` +
              `static_configs: [{targets: ["${targetAddress}"]}]${program.histogramSettings}}]\n`,
          ),
        ),
      );
      this.pairs.push({ program, servers, dumps: [] });
      this.askers.push(
        await prepare(
          "asker",
          `global: {external_labels: {replica: asker}}\n` +
            `remote_read: [{url: "${handlerUrl}", read_recent: true, remote_timeout: 20s}]\n`,
        ),
      );
    }
  }

  /** Stops one replica of each pair as soon as it has scraped; of the newest program last, and `scraped` is called then. */
  async #stop(index: number, scraped: () => void): Promise<void> {
    for (const [pair, { servers }] of this.pairs.entries()) {
      await this.target.waitForScrape(pathOf(pair, index));
      if (pair === this.pairs.length - 1) {
        scraped();
      }
      // What it scraped is to be written down.
      await sleep(50);
      await servers[index]!.stop();
    }
  }

  async #startAgain(index: number): Promise<void> {
    await Promise.all(
      this.pairs.map(async ({ program, servers }) => {
        await sleep(program.scrapesAtOnce ? AWAY_MS : 0);
        await servers[index]!.start();
      }),
    );
    await this.#waitForScrapes(index);
  }

  async #waitForAllScrapes(): Promise<void> {
    await Promise.all(REPLICAS.map((_, index) => this.#waitForScrapes(index)));
  }

  async #waitForScrapes(index: number): Promise<void> {
    await Promise.all(this.pairs.map((_, pair) => this.target.waitForScrape(pathOf(pair, index))));
  }
}

function pathOf(pair: number, replica: number): string {
  return `/${pair}/${replica}/metrics`;
}
