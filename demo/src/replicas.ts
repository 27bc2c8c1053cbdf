/**
 * The replicas that a command line names, for `demo` and for `serve`:
 *
 *     --replica http://prom-a:9090 --replica https://user:password@prom-b/prefix --replica-label replica
 */
import { readFileSync } from "node:fs";
import { type Reader, remoteReader, splicedReader, type SplicedReaderOptions } from "@promsplice/remote-read";
import { Problem } from "./problem.ts";
import { type Choice, makeStrategy } from "./strategies.ts";

/** A server, as its user named it. */
export interface Replica {
  /** Host and port, and the path where there is one; no secrets. */
  readonly name: string;
  /** The endpoint, without user and password. */
  readonly url: string;
  readonly hasCredentials: boolean;
  readonly reader: Reader;
}

/** The options that both commands have, as `parseArgs` wants them. */
export const REPLICA_OPTIONS = {
  replica: { type: "string", multiple: true },
  "replica-label": { type: "string", multiple: true },
  "bearer-token-file": { type: "string" },
} as const;

/** Their lines in what `--help` prints. */
export const REPLICA_HELP: readonly string[] = [
  "  --replica URL              a replica, twice: http://prom-a:9090, or its whole",
  "                             endpoint; user:password@ before the host is sent",
  "  --replica-label NAME       the external label that tells the replicas apart,",
  "                             more than once if they are more; default: replica",
  "  --bearer-token-file FILE   a token, for replicas without user and password;",
  "                             also from PROMSPLICE_BEARER_TOKEN",
];

export interface ReplicaValues {
  readonly replica?: readonly string[] | undefined;
  readonly "replica-label"?: readonly string[] | undefined;
  readonly "bearer-token-file"?: string | undefined;
}

const ENDPOINT = "/api/v1/read";

/** @throws Problem for fewer than two replicas, addresses that are none, and a token that cannot be read or sent. */
export function openReplicas(
  values: ReplicaValues,
  environment: Readonly<Record<string, string | undefined>>,
): Replica[] {
  const addresses = values.replica ?? [];
  if (addresses.length < 2) {
    throw new Problem(
      `${addresses.length === 0 ? "no replica is" : "only one replica is"} named: write --replica URL for each of the two`,
    );
  }
  const token = readToken(values["bearer-token-file"], environment);
  const replicas = addresses.map((address) => openReplica(address, token));
  for (const [index, { url, name }] of replicas.entries()) {
    if (replicas.findIndex((other) => other.url === url) < index) {
      throw new Problem(`${name} is named twice: give the addresses of two different servers`);
    }
  }
  return replicas;
}

/** The labels that tell the replicas apart. */
export function readReplicaLabels(values: ReplicaValues): readonly string[] {
  const labels = values["replica-label"] ?? ["replica"];
  if (labels.includes("")) {
    throw new Problem("--replica-label is empty: write the name of a label");
  }
  return labels;
}

/** A strategy that looks beyond the window that is asked for looks so far: Prometheus' look-back. */
export const MARGIN_MS: number = 5 * 60 * 1000;

/** The readers as one, by the strategy that was chosen. */
export function spliceReaders(
  readers: readonly Reader[],
  { name, intervalMs }: Choice,
  options: Pick<SplicedReaderOptions, "replicaLabels">,
): Reader {
  return splicedReader(readers, { ...options, strategy: makeStrategy(name, intervalMs), marginMs: MARGIN_MS });
}

function openReplica(address: string, token: string | undefined): Replica {
  const url = parseAddress(address);
  const basicAuth = readUser(url);
  url.username = "";
  url.password = "";
  url.hash = "";
  const base = url.pathname.replace(/\/+$/u, "");
  const path = base.endsWith(ENDPOINT) ? base.slice(0, -ENDPOINT.length) : base;
  url.pathname = `${path}${ENDPOINT}`;
  const name = `${url.host}${path}`;
  const bearerToken = basicAuth === undefined ? token : undefined;
  try {
    return {
      name,
      url: url.href,
      hasCredentials: basicAuth !== undefined || bearerToken !== undefined,
      reader: remoteReader({ url: url.href, name, basicAuth, bearerToken }),
    };
  } catch (error) {
    if (error instanceof TypeError) {
      throw new Problem(`--replica ${name} cannot be asked: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

function parseAddress(address: string): URL {
  let url: URL | undefined;
  try {
    url = new URL(address);
  } catch {
    // Told below.
  }
  if (url === undefined || !/^https?:$/u.test(url.protocol)) {
    // Nothing of what was given is shown where it may hold a password.
    const shown = address.includes("@") ? "has no address that can be read" : `is ${JSON.stringify(address)}`;
    const example = /^[\w.-]+(?::\d+)?(?:\/\S*)?$/u.test(address) ? `http://${address}` : "http://prom-a:9090";
    throw new Problem(`--replica ${shown}: write it as ${example}`);
  }
  return url;
}

function readUser({ username, password }: URL): { readonly username: string; readonly password: string } | undefined {
  if (username === "" && password === "") {
    return undefined;
  }
  try {
    return { username: decodeURIComponent(username), password: decodeURIComponent(password) };
  } catch (error) {
    throw new Problem("user or password of a --replica holds a % that begins no escape: write it as %25", {
      cause: error,
    });
  }
}

function readToken(
  file: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (file === undefined) {
    const token = environment["PROMSPLICE_BEARER_TOKEN"]?.trim();
    return token === "" ? undefined : token;
  }
  let token: string;
  try {
    token = readFileSync(file, "utf8").trim();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Problem(`--bearer-token-file cannot be read (${reason}): check path and rights`, { cause: error });
  }
  if (token === "") {
    throw new Problem(`--bearer-token-file ${file} is empty: check what was written there`);
  }
  return token;
}
