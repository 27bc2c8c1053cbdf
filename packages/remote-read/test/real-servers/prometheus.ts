/**
 * Real Prometheus servers on loopback: found, started, asked, stopped and started again.
 *
 * The packaged one (Debian's 2.42) is taken from PATH, a newer one from `PROMSPLICE_PROMETHEUS_NEW`; beside each lies its
 * own `promtool`.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface PrometheusProgram {
  readonly server: string;
  readonly promtool: string;
  readonly version: string;
  /** Since 3.0 a range is open on its left: `m[10s]` at t asks for t − 10 s + 1 ms. */
  readonly isLeftOpen: boolean;
  /** Whether it scrapes as soon as it has started, and not 5 s later. */
  readonly scrapesAtOnce: boolean;
  /** Whether it knows native histograms well enough, which 2.42 does not. */
  readonly hasHistograms: boolean;
  /** Whether it is told to make custom buckets of classic histograms. */
  readonly hasCustomBuckets: boolean;
  /** What in a scrape configuration makes it do that, and scrape native histograms. */
  readonly histogramSettings: string;
}

/** The one on PATH; undefined where there is none. */
export function findPackagedPrometheus(): PrometheusProgram | undefined {
  const { status, stdout } = spawnSync("sh", ["-c", "command -v prometheus"], { encoding: "utf8" });
  return status === 0 ? describeProgram(stdout.trim()) : undefined;
}

/** The one that `PROMSPLICE_PROMETHEUS_NEW` names; undefined where it names none. */
export function findNewPrometheus(): PrometheusProgram | undefined {
  const server = process.env["PROMSPLICE_PROMETHEUS_NEW"];
  return server === undefined || server === "" ? undefined : describeProgram(server);
}

function describeProgram(server: string): PrometheusProgram {
  const promtool = join(dirname(server), "promtool");
  if (!existsSync(promtool)) {
    throw new Error(`beside ${server} there is no promtool, which the test needs to read its data`);
  }
  const { stdout, stderr } = spawnSync(server, ["--version"], { encoding: "utf8" });
  const version = /version (\d+)\.(\d+)\.\S+/u.exec(stdout + stderr);
  if (version === null) {
    throw new Error(`${server} --version names no version: ${stdout}${stderr}`);
  }
  const [major, minor] = [Number(version[1]), Number(version[2])];
  // Before, a feature flag did it.
  const hasSettings = major > 3 || (major === 3 && minor >= 8);
  return {
    server,
    promtool,
    version: version[0].replace("version ", ""),
    isLeftOpen: major >= 3,
    scrapesAtOnce: major >= 3,
    hasHistograms: major >= 3 || minor >= 55,
    hasCustomBuckets: hasSettings,
    histogramSettings: hasSettings ? ", scrape_native_histograms: true, convert_classic_histograms_to_nhcb: true" : "",
  };
}

/** A sample as the JSON API shows it: time in s, value as text. */
type JsonSample = readonly [number, string];

/** A histogram as the JSON API shows it: numbers as text; a bucket is which of its bounds it includes, both, and its count. */
export interface JsonHistogram {
  readonly count: string;
  readonly sum: string;
  readonly buckets?: readonly (readonly [number, string, string, string])[];
}

export interface JsonSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: JsonSample;
  readonly values?: readonly JsonSample[];
  readonly histogram?: readonly [number, JsonHistogram];
  readonly histograms?: readonly (readonly [number, JsonHistogram])[];
}

export interface JsonAnswer {
  readonly status: "success" | "error";
  readonly data?: { readonly resultType: string; readonly result: readonly JsonSeries[] };
  readonly warnings?: readonly string[];
  readonly error?: string;
}

const READY_MS_MAX = 60_000;

export class PrometheusServer {
  readonly program: PrometheusProgram;
  readonly url: string;
  readonly dataDirectory: string;
  readonly #arguments: readonly string[];
  #process: ChildProcess | undefined;
  #log = "";

  private constructor(program: PrometheusProgram, directory: string, port: number) {
    this.program = program;
    this.url = `http://127.0.0.1:${port}`;
    this.dataDirectory = join(directory, "data");
    this.#arguments = [
      `--config.file=${join(directory, "prometheus.yml")}`,
      `--storage.tsdb.path=${this.dataDirectory}`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--log.level=warn",
      // Not to wait 5 s for what is in the configuration.
      "--scrape.discovery-reload-interval=100ms",
      ...(program.hasHistograms && !program.hasCustomBuckets ? ["--enable-feature=native-histograms"] : []),
    ];
  }

  /** Prepares a server that is not running yet. `directory` is its own; `config` is YAML. */
  static async prepare(program: PrometheusProgram, directory: string, config: string): Promise<PrometheusServer> {
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, "prometheus.yml"), config);
    return new PrometheusServer(program, directory, await findFreePort());
  }

  /** Starts it and waits until it is ready. */
  async start(): Promise<void> {
    const child = spawn(this.program.server, this.#arguments, { stdio: ["ignore", "pipe", "pipe"] });
    this.#process = child;
    const note = (text: Buffer): void => {
      this.#log += text.toString();
    };
    child.stdout.on("data", note);
    child.stderr.on("data", note);
    const untilMs = Date.now() + READY_MS_MAX;
    while (!(await this.#isReady())) {
      if (child.exitCode !== null || Date.now() > untilMs) {
        throw new Error(`Prometheus ${this.program.version} did not get ready: ${this.#log}`);
      }
      await sleep(50);
    }
  }

  /** Stops it as an operator does, and waits until it has gone. */
  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child !== undefined && child.exitCode === null) {
      const gone = once(child, "exit");
      child.kill("SIGTERM");
      await gone;
    }
  }

  /** The body of an instant query, as text. */
  async queryText(expression: string, timeMs: number): Promise<string> {
    const parameters = new URLSearchParams({ query: expression, time: String(timeMs / 1000) });
    const response = await fetch(`${this.url}/api/v1/query?${parameters.toString()}`);
    return response.text();
  }

  async query(expression: string, timeMs: number): Promise<JsonAnswer> {
    return JSON.parse(await this.queryText(expression, timeMs)) as JsonAnswer;
  }

  /** The label sets of a selector, by the series API. Fails on warnings. */
  async series(selector: string, startMs: number, endMs: number): Promise<Readonly<Record<string, string>>[]> {
    const parameters = new URLSearchParams({
      "match[]": selector,
      start: String(startMs / 1000),
      end: String(endMs / 1000),
    });
    const response = await fetch(`${this.url}/api/v1/series?${parameters.toString()}`);
    const answer = (await response.json()) as { data?: Record<string, string>[]; warnings?: string[]; error?: string };
    if (answer.data === undefined || answer.warnings !== undefined) {
      throw new Error(`the series API answered ${JSON.stringify(answer)}`);
    }
    return answer.data;
  }

  /** Everything in a copy of its data, as `promtool tsdb dump` prints it. */
  dump(copy: string): string {
    return execFileSync(this.program.promtool, ["tsdb", "dump", copy], {
      encoding: "utf8",
      maxBuffer: 1 << 28,
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  async #isReady(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/-/ready`)).status === 200;
    } catch {
      return false;
    }
  }
}

async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => void server.close(() => resolve()));
  return port;
}
