/** `npm run serve`, as a process of its own between replicas and a client, all over HTTP. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { type ServerType, serve } from "@hono/node-server";
import { fill, interval } from "@promsplice/core";
import {
  type Query,
  type Reader,
  type ReadReport,
  readHandler,
  remoteReader,
  splicedReader,
} from "@promsplice/remote-read";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type EmbeddedReplicas, startReplicas } from "../src/embedded.ts";
import { endServer, listen } from "../src/listen.ts";
import { Problem } from "../src/problem.ts";
import { breakQuietly } from "../src/quiet-body.ts";
import { readRecordedPair } from "../src/recordings.ts";
import { makeSeededDay } from "../src/seeded-day.ts";
import { joinBlocks } from "../src/splice-pair.ts";
import { viewBits } from "../src/stale-marker.ts";
import { findClosedAddress } from "./other-servers.ts";
import { Program, runProgram } from "./program.ts";

const EVERYTHING: Query = {
  startMs: 0,
  endMs: 2 ** 52,
  matchers: [{ type: "=~", name: "job", value: ".+" }],
};
const STAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z /u;

let replicas: EmbeddedReplicas;
const programs: Program[] = [];

beforeEach(async () => {
  replicas = await startReplicas([readRecordedPair(), makeSeededDay()]);
});

afterEach(async () => {
  for (const program of programs.splice(0)) {
    program.signal("SIGKILL");
    await program.ended;
  }
  await replicas.close();
  vi.restoreAllMocks();
});

/** Starts it on a free port and waits until it listens; gives its endpoint too. */
async function start(
  urls: readonly string[],
  strategy: readonly string[] = [],
): Promise<{ program: Program; url: string; by: string }> {
  const words = urls.flatMap((url) => ["--replica", url]);
  const program = new Program("serve", [...words, ...strategy, "--listen", "127.0.0.1:0"]);
  programs.push(program);
  const [url, by] = await vi.waitFor(
    () => {
      const match = /^serve: listening at (\S+), splicing by (.*)\n/u.exec(program.stdout);
      expect(match, program.stderr).not.toBeNull();
      return [match![1]!, match![2]!] as const;
    },
    { timeout: 30_000, interval: 20 },
  );
  return { program, url, by };
}

/** All series of an answer, values as bits. */
async function gather(reader: Reader): Promise<{ series: unknown[]; report: ReadReport }> {
  const reading = reader.read(EVERYTHING);
  const series = [];
  for await (const { labels, blocks } of reading) {
    const columns = joinBlocks([...blocks]);
    series.push({ labels, timestamps: columns.timestamps, bits: viewBits(columns) });
  }
  return { series, report: reading.report() };
}

/** Waits for lines in the log, and gives them without the time that they begin with. */
async function readLog(program: Program, count: number): Promise<string[]> {
  return vi.waitFor(() => {
    const lines = program.stderr.split("\n").slice(0, -1);
    expect(lines.length).toBeGreaterThanOrEqual(count);
    expect(lines.filter((line) => !STAMP.test(line))).toEqual([]);
    return lines.map((line) => line.replace(STAMP, ""));
  });
}

describe("serve", () => {
  it("answers what the replicas splice to, says how to use it, and ends when it is told to", async () => {
    const { program, url } = await start(replicas.urls);
    const expected = await gather(
      splicedReader(
        replicas.urls.map((replica) => remoteReader({ url: replica })),
        { replicaLabels: ["replica"], strategy: fill() },
      ),
    );
    const { series } = await gather(remoteReader({ url }));
    expect(series).toHaveLength(7);
    expect(series).toEqual(expected.series);
    program.signal("SIGTERM");
    expect(await program.ended).toEqual({
      status: 0,
      stderr: "",
      stdout: [
        `serve: listening at ${url}, splicing by fill`,
        ...replicas.urls.map((replica) => `  ${new URL(replica).host}`),
        "A Prometheus reads from it with these lines in its configuration:",
        "",
        "remote_read:",
        `  - url: ${url}`,
        "    read_recent: true",
        "    filter_external_labels: false",
        "    remote_timeout: 2m",
        "",
        "serve: stopped",
        "",
      ].join("\n"),
    });
  });

  it("splices by the strategy that is named, and says by which", async () => {
    const { url, by } = await start(replicas.urls, ["--strategy", "interval", "--interval", "1500ms"]);
    const readers = replicas.urls.map((replica) => remoteReader({ url: replica }));
    const strategy = interval({ intervalMs: 1500 });
    const expected = await gather(splicedReader(readers, { replicaLabels: ["replica"], strategy }));
    expect((await gather(remoteReader({ url }))).series).toEqual(expected.series);
    expect(by).toBe("interval (interval 1.5 s)");
  });

  it.skipIf(process.platform === "win32")("ends when npm's shell has gone, which hands on no signal", async () => {
    const program = fileURLToPath(new URL("../dist/serve.js", import.meta.url));
    const words = replicas.urls.flatMap((url) => ["--replica", url]);
    const shell = spawn(
      "sh",
      ["-c", '"$@" & wait', "sh", process.execPath, program, ...words, "--listen", "127.0.0.1:0"],
      { env: { ...process.env, npm_lifecycle_event: "serve" } },
    );
    let text = "";
    shell.stdout.setEncoding("utf8").on("data", (piece: string) => {
      text += piece;
      if (text.includes("remote_timeout")) {
        shell.kill("SIGTERM");
      }
    });
    // The pipe closes when the last process that writes to it has ended.
    await once(shell, "close");
    expect(text).toMatch(/\nserve: stopped\n$/u);
  });

  it("answers 404 elsewhere, refuses in one line what is no request, and ends on an interrupt too", async () => {
    const { program, url } = await start(replicas.urls);
    const elsewhere = await fetch(url.replace("/read", "/query"));
    expect([elsewhere.status, await elsewhere.text()]).toEqual([404, "not found: remote read is at /api/v1/read\n"]);
    expect((await fetch(url)).status).toBe(405);
    const refused = await fetch(url, { method: "POST", body: "no snappy" });
    expect(refused.status).toBe(400);
    expect(await readLog(program, 1)).toEqual([`failed: ${(await refused.text()).trim()}`]);
    program.signal("SIGINT");
    expect(await program.ended).toMatchObject({ status: 0 });
  });

  it("names a replica that is missing in one line, and fails in one line without any", async () => {
    const closed = await findClosedAddress();
    const { program, url } = await start([closed, replicas.urls[1]!]);
    const { series } = await gather(remoteReader({ url }));
    expect(series).toHaveLength(7);
    const { host } = new URL(closed);
    const refused = `${host}: connection refused. Check that Prometheus runs there, and the port.`;
    expect(await readLog(program, 1)).toEqual([`partial answer, without ${refused}`]);

    await replicas.close();
    await expect(gather(remoteReader({ url, responseTypes: ["SAMPLES"] }))).rejects.toThrow("2 of 2 replicas failed");
    const [, line, ...others] = await readLog(program, 2);
    expect(line).toMatch(
      new RegExp(`^failed, no replica left: ${refused.replaceAll(".", "\\.")} 127\\.0\\.0\\.1:\\d+: `, "u"),
    );
    expect(others).toEqual([]);
    replicas = await startReplicas([]);
  });

  it("breaks the connection where the replicas fail in the middle, and says so in one line", async () => {
    const written = vi.spyOn(console, "error");
    const broken = [startBroken(), startBroken()];
    const urls = broken.map(async ({ server }) => {
      await once(server, "listening");
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/read`;
    });
    const { program, url } = await start(await Promise.all(urls));
    await expect(gather(remoteReader({ url }))).rejects.toMatchObject({ code: "body-truncated" });
    const lines = await readLog(program, 1);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^failed, no replica left: 127\.0\.0\.1:\d+: its answer was cut \(/u);
    await Promise.all(broken.map(({ server }) => closeServer(server)));
    expect(written).not.toHaveBeenCalled();
  });

  it("cannot listen on a port in use, and says so", async () => {
    const words = replicas.urls.flatMap((url) => ["--replica", url]);
    const { host } = new URL(replicas.urls[0]!);
    const { status, stdout, stderr } = await runProgram("serve", [...words, "--listen", host]);
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr.replaceAll(/\n {2}/gu, " ")).toBe(
      `serve: ${host} is in use: end what listens there, or choose another port by --listen\n`,
    );
  });

  it.each([
    ["9201", '--listen is "9201": write :9201, or 127.0.0.1:9201'],
    [":99999", '--listen is ":99999": write :9201'],
    ["::1:9201", '--listen is "::1:9201": write :9201'],
    ["192.0.2.1:0", "this machine has no address 192.0.2.1: write --listen :9201 for all that it has"],
  ])("cannot listen on %s, and says why", async (address, message) => {
    const listening = listen(address, () => new Response());
    await expect(listening).rejects.toBeInstanceOf(Problem);
    await expect(listening).rejects.toThrow(message);
  });

  it("shows an address that this machine reaches where it listens on all", async () => {
    const { server, host } = await listen(":0", () => new Response("here"));
    expect(host).toMatch(/^localhost:\d+$/u);
    expect(await (await fetch(`http://${host}`)).text()).toBe("here");
    await endServer(server);
  });
});

/** A replica whose answers break off after fifty series, without a word on the console of this process. */
function startBroken(): { readonly server: ServerType } {
  const series = makeSeededDay().servers[0]!;
  const reader: Reader = {
    read: () => ({
      report: () => ({ series: 0, united: 0, bytes: 0, blocksDecoded: 0, blocksPassedOn: 0, replicas: [] }),
      async *[Symbol.asyncIterator]() {
        for (let index = 0; index < 50; index++) {
          yield { labels: ["__name__", `m${String(index).padStart(2, "0")}`], blocks: series[0]!.blocks };
        }
        throw new Error("disk is on fire");
      },
    }),
  };
  const handle = readHandler(reader);
  return {
    server: serve({
      fetch: async (request, { outgoing }) => breakQuietly(await handle(request), outgoing),
      hostname: "127.0.0.1",
      port: 0,
    }),
  };
}

async function closeServer(server: ServerType): Promise<void> {
  const closed = once(server, "close");
  server.close();
  await closed;
}
