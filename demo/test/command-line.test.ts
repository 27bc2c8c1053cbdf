/** `npm run demo` on servers that a user names: what it shows, and what it says where something is wrong. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EmbeddedReplicas, startReplicas } from "../src/embedded.ts";
import { readRecordedPair } from "../src/recordings.ts";
import { makeSeededDay } from "../src/seeded-day.ts";
import { findClosedAddress, type OtherServer, SELF_SIGNED, startOtherServer, startTlsServer } from "./other-servers.ts";
import { runDemo } from "../src/demo.ts";
import { type Ended, type Environment, runProgram } from "./program.ts";

const UTF8 = { LC_ALL: "C.UTF-8" };
/** Just after the recordings. */
const END = "1795370210";

let replicas: EmbeddedReplicas;
let other: OtherServer;
let tls: OtherServer;
let closed: string;
let folder: string;

beforeAll(async () => {
  replicas = await startReplicas([readRecordedPair(), makeSeededDay()]);
  other = await startOtherServer();
  tls = await startTlsServer();
  closed = await findClosedAddress();
  folder = mkdtempSync(path.join(tmpdir(), "promsplice-demo-"));
  writeFileSync(path.join(folder, "token"), "s3cret\n");
  writeFileSync(path.join(folder, "empty"), "\n");
});

afterAll(async () => {
  await Promise.all([replicas.close(), other.close(), tls.close()]);
  rmSync(folder, { recursive: true });
});

/**
 * Runs the demo inside this process. In the words A and B stand for the replicas, as endpoints or (a, b) as bases; CLOSED, OTHER and TLS for the
 * other servers' addresses, FOLDER for the folder.
 */
async function run(words: string, environment: Environment = {}): Promise<Ended> {
  const [a, b] = replicas.urls;
  const [baseA, baseB] = replicas.urls.map((url) => url.replace("/api/v1/read", "/"));
  const parts = words.split(" ").map((word) => {
    const named = { A: a, B: b, a: baseA, b: baseB }[word];
    return (
      named ??
      word
        .replace("CLOSED", closed)
        .replace("OTHER", other.address)
        .replace("TLS", tls.address)
        .replace("FOLDER", folder)
        .replaceAll("␣", " ")
    );
  });
  let [stdout, stderr] = ["", ""];
  const status = await runDemo(parts, {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    environment: { ...UTF8, ...environment },
  });
  return { status, stdout, stderr };
}

/** What was said on stderr, in one line. */
function said({ stderr }: Ended): string {
  return stderr.trim().replaceAll(/\s*\n\s*/gu, " ");
}

function hostOf(address: string): string {
  return new URL(address).host;
}

/** Words that name one of these servers and a replica that has not what is asked for. */
function both(address: string): string {
  return `--replica ${address} --replica A --selector nothing`;
}

describe("the demo on named servers", () => {
  it("shows the holes that are known of the recordings, by bases or endpoints", async () => {
    for (const words of ["--replica a --replica b", "--replica A --replica B"]) {
      const { status, stdout, stderr } = await run(`${words} --selector {job="t"} --range 3m --end ${END}`);
      expect([status, stderr]).toEqual([0, ""]);
      const [hostA, hostB] = replicas.urls.map((url) => hostOf(url));
      expect(stdout).toContain(
        `Read: {job="t"}\n  A is ${hostA}, B is ${hostB}.\n  from 2026-11-22 17:53:50 to 17:56:50`,
      );
      expect(stdout).toContain("^ 2.2 s hole at 17:56:24: A is silent for 14.0 s. B has 2 samples there, but");
      expect(stdout).toContain("x 15.0 s hole at 17:55:52: neither replica has a sample, the target was gone");
      expect(stdout).toContain("^ 13.2 s hole at 17:56:24: A is silent for 14.0 s. B has 13 samples there,");
      expect(stdout).toMatch(/\n {2}pair +2\.8 kB +4 +8 +8 +0\n/u);
      expect(stdout).toMatch(/\n576 samples read, spliced, measured and drawn in \d+\.\d\d s\.\n$/u);
      expect(stdout.split("\n").filter((line) => [...line].length > 80)).toEqual([]);
    }
  });

  it("names the replicas in the order in which they were named, and splices in that of their labels", async () => {
    const { stdout } = await run(`--replica B --replica A --selector t_temp --range 3m --end ${END}`);
    expect(stdout).toMatch(/\n {2}penalty {2}B+[ab]*A+ .*\n {3}holes .*\n {2}fill {5}B/u);
  });

  it.each(["penalty", "fill", "fill --interval 1s", "interval --interval 1s", "chain"])(
    "checks what is read by %s, and draws all the same",
    async (strategy) => {
      const words = `--replica A --replica B --selector t_vanishing --range 60s --end 1795370195 --strategy ${strategy}`;
      const { status, stdout, stderr } = await run(words);
      expect([status, stderr]).toEqual([0, ""]);
      for (const name of ["A", "B", "penalty", "fill", "interval", "chain"]) {
        expect(stdout).toMatch(new RegExp(`\\n {2}${name} +\\S{29} +[1-9]`, "u"));
      }
      const [name] = strategy.split(" ");
      expect(stdout.replaceAll(/\s+/gu, " ")).toContain(`two readings of ${name}, cut differently, 0.`);
    },
  );

  it("shows dates where the range is longer than a day, and estimates the interval", async () => {
    const { status, stdout } = await run(
      '--replica A --replica B --selector {job="shop"} --range 2d --end 2026-01-17T00:00:00+01:00',
    );
    expect(status).toBe(0);
    expect(stdout).toContain("^ 34.8 s hole at 01-15 05:09:48: A is silent for 42.3 min.");
    expect(stdout).toContain("5760 of 5760; spliced 0");
  });

  it("goes on with one replica where the other is down, and names both", async () => {
    const ended = await run(`--replica CLOSED --replica B --selector up --range 3m --end ${END}`);
    expect(ended.status).toBe(0);
    expect(said(ended)).toBe(
      `demo: warning: going on without ${hostOf(closed)}: connection refused. Check that Prometheus runs there, and the port.`,
    );
    expect(ended.stdout).toContain(`A is ${hostOf(closed)} (failed), B is ${hostOf(replicas.urls[1]!)}.`);
    expect(ended.stdout).toMatch(/\n {2}A {8}·{29} {7}0 {3}0\.00% {5}- {5}-\n/u);
    expect(ended.stdout).toContain("x 20.0 s hole at 17:55:38: B has no sample, and of A there is none at all.");
  });

  it("says so where the label that tells the replicas apart is another one", async () => {
    const ended = await run(`--replica A --replica B --selector up --range 3m --end ${END} --replica-label prometheus`);
    expect(ended.status).toBe(0);
    expect(said(ended)).toBe(
      "demo: warning: no series is on both replicas: they differ in replica. If that is what tells the replicas apart, " +
        "write --replica-label replica",
    );
  });

  it("says that a matcher on the replica label is left out", async () => {
    const ended = await run(`--replica A --replica B --selector up{replica="a"} --range 3m --end ${END}`);
    expect(said(ended)).toBe("demo: warning: the matcher on replica is left out, since both replicas are read");
    expect(ended.stdout).toContain("150 samples read");
  });

  it.each([
    ["--replica user:p%40ss@ --replica", "", [`Basic ${btoa("user:p@ss")}`]],
    ["--replica --bearer-token-file FOLDER/token --replica", "", ["Bearer s3cret"]],
    ["--replica --replica", "t0ken", ["Bearer t0ken"]],
  ])("sends user and password, or a token: %s", async (_, PROMSPLICE_BEARER_TOKEN, expected) => {
    const server = await startOtherServer();
    const user = expected[0]!.startsWith("Basic") ? "user:p%40ss@" : "";
    const file = expected[0] === "Bearer s3cret" ? "--bearer-token-file FOLDER/token " : "";
    const address = server.address.replace("//", `//${user}`);
    const ended = await run(`--replica ${address}/401 --replica A ${file}--selector nothing`, {
      PROMSPLICE_BEARER_TOKEN,
    });
    await server.close();
    expect(server.authorizations).toEqual(expected);
    expect(said(ended)).toContain(
      `${hostOf(address)}/401: it asks who you are (status 401) in spite of what it was given.`,
    );
    expect(ended.stderr).not.toMatch(/p@ss|p%40ss|s3cret|t0ken/u);
  });
});

describe("a message", () => {
  it.each<[string, string, string | RegExp]>([
    [
      "connection refused",
      `--replica CLOSED --replica CLOSED/x --selector up`,
      /^demo: HOST: connection refused\. .* demo: HOST\/x: connection refused\. Check that Prometheus runs there, and the port\.$/u,
    ],
    [
      "host not found",
      both("http://nosuch.invalid"),
      /nosuch\.invalid: (there is no host of that name|its name could not be looked up)\. Check the name/u,
    ],
    [
      "404",
      both("OTHER/404"),
      "HOST/404: there is no remote read at that address (status 404). Check the path: it is what stands before /api/v1/read",
    ],
    ["404 with a page", both("OTHER/html-404"), "(status 404, an HTML page). Check the path"],
    [
      "HTML",
      both("OTHER/html"),
      "HOST/html: it answers with an HTML page. Check the address, and whether a proxy or a login stands before Prometheus.",
    ],
    [
      "401",
      both("OTHER/401"),
      "it asks who you are (status 401). Give user:password@ in the address, PROMSPLICE_BEARER_TOKEN or --bearer-token-file.",
    ],
    ["403", both("OTHER/403"), "it does not let you read (status 403). Give user:password@ in the address"],
    [
      "a redirect",
      both("OTHER/redirect"),
      "a redirect to https://login.example/, which is not followed. Give the address that it leads to.",
    ],
    [
      "400",
      both("OTHER/400"),
      "answered with status 400 Bad Request: error parsing regexp: missing closing ): `(`. Check the selector.",
    ],
    ["500", both("OTHER/500"), "answered with status 500 Internal Server Error: disk is on fire. Look into its log."],
    [
      "an untrusted certificate",
      both("TLS"),
      "its TLS certificate is signed by no authority that is known here. Name the authority's certificate, or its own: NODE_EXTRA_CA_CERTS=file.pem.",
    ],
    ["TLS where there is none", both("https://PLAIN"), "it does not speak TLS. Write http://"],
    [
      "no TLS where there is one",
      both("http://SECURE"),
      "it closed the connection without an answer. Check the port, and whether it speaks https.",
    ],
    [
      "no such series",
      "--replica A --replica B --selector nothing",
      /^demo: no series matches 'nothing' from .* UTC: check the metric's name, the labels and --range$/u,
    ],
    ["no sample in the range", "--replica A --replica B --selector up", "no series matches 'up' from"],
    [
      "a single sample",
      "--replica A --replica B --selector up --range 2ms --end 1795370180.982",
      "only a single sample for 'up'",
    ],
    [
      "a broken selector",
      '--replica A --replica B --selector up{job="x"',
      /^demo: the selector ends too early up\{job="x" \^$/u,
    ],
    [
      "a function",
      "--replica A --replica B --selector rate(up[5m])",
      'only a selector such as up{job="node"} is understood here, and this is a function',
    ],
    [
      "nothing but replica labels",
      '--replica A --replica B --selector {replica="a"}',
      "the selector has nothing but replica, which spliced series do not have: add a metric",
    ],
    [
      "a bad range",
      "--replica A --replica B --selector up --range 1x",
      '--range is "1x": write a duration such as 30m, 1h, 1h30m or 2d',
    ],
    [
      "a bad end",
      "--replica A --replica B --selector up --end now",
      '--end is "now": write 2026-01-15T13:00:00Z, or Unix time in seconds',
    ],
    [
      "an unknown option",
      "--replica A --replica B --step 5",
      "there is no option --step: --help shows those that there are",
    ],
    ["an option without its value", "--replica A --replica B --selector", "--selector has no value, or one too many"],
    [
      "words that npm took the options from",
      "A up",
      /^demo: "http:\/\/\S+" belongs to no option: npm wants -- before options/u,
    ],
    [
      "an unknown strategy",
      "--replica A --replica B --selector up --strategy union",
      'there is no strategy "union": write one of penalty, fill, interval, chain',
    ],
    [
      "interval without one",
      "--replica A --replica B --selector up --strategy interval",
      "--strategy interval needs the scrape interval: write --interval 15s, or what yours is",
    ],
    [
      "an interval that is none",
      "--replica A --replica B --selector up --interval 15",
      '--interval is "15": write a duration such as 15s, 1m or 5m',
    ],
    [
      "an interval for nothing",
      "--replica A --replica B --selector up --strategy chain --interval 15s",
      "--interval is for fill and interval: leave it out with --strategy chain",
    ],
    ["no replica", "--selector up", "no replica is named: write --replica URL for each of the two"],
    ["one replica", "--replica A --selector up", "only one replica is named"],
    [
      "three replicas",
      "--replica A --replica B --replica CLOSED --selector up",
      "3 replicas are named: the demo draws pairs, name two",
    ],
    [
      "one replica twice",
      "--replica a --replica A --selector up",
      "HOSTA is named twice: give the addresses of two different servers",
    ],
    ["no selector", "--replica A --replica B", "no series are selected: write --selector, such as --selector up"],
    [
      "no scheme",
      "--replica localhost:9090 --replica B --selector up",
      '--replica is "localhost:9090": write it as http://localhost:9090',
    ],
    [
      "no address, and maybe a password",
      "--replica user:secret@host --replica B --selector up",
      "--replica has no address that can be read: write it as http://prom-a:9090",
    ],
    [
      "a broken password",
      "--replica http://user:50%@host --replica B --selector up",
      "holds a % that begins no escape: write it as %25",
    ],
    [
      "an empty replica label",
      "--replica A --replica B --selector up --replica-label=",
      "--replica-label is empty: write the name of a label",
    ],
    [
      "no token file",
      "--replica A --replica B --bearer-token-file FOLDER/none --selector up",
      "--bearer-token-file cannot be read (ENOENT",
    ],
    [
      "an empty token file",
      "--replica A --replica B --bearer-token-file FOLDER/empty --selector up",
      "/empty is empty: check what was written there",
    ],
  ])("on %s says what to check, without a stack", async (_, words, expected) => {
    const [plain, secure] = [hostOf(other.address), hostOf(tls.address)];
    const ended = await run(words.replace("PLAIN", plain).replace("SECURE", secure));
    expect([ended.status, ended.stdout]).toEqual([1, ""]);
    const text = said(ended)
      .replaceAll(hostOf(closed), "HOST")
      .replaceAll(plain, "HOST")
      .replaceAll(hostOf(replicas.urls[0]!), "HOSTA");
    if (typeof expected === "string") {
      expect(text).toContain(expected);
    } else {
      expect(text).toMatch(expected);
    }
    expect(ended.stderr.split("\n").filter((line) => [...line].length > 80)).toEqual([]);
    expect(ended.stderr).not.toMatch(/^\s+at |\w+Error:/mu);
    expect(ended.stderr).not.toContain("secret");
  });

  it("is gone once the certificate is named", async () => {
    const words = ["--replica", tls.address, "--replica", replicas.urls[0]!, "--selector", "nothing"];
    const ended = await runProgram("main", words, { ...UTF8, NODE_EXTRA_CA_CERTS: SELF_SIGNED });
    expect([ended.status, ended.stdout]).toEqual([1, ""]);
    expect(said(ended)).toContain("there is no remote read at that address (status 404)");
  });

  it("is the help where that is asked for", async () => {
    for (const option of ["--help", "-h"]) {
      const { status, stdout, stderr } = await run(option);
      expect([status, stderr]).toEqual([0, ""]);
      expect(stdout).toContain("npm run demo -- --replica URL --replica URL --selector");
    }
  });
});
